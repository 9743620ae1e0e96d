"""How long an app asks us to wait."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gateway.expressions import times

MAX_WAIT_SECONDS = 3600.0
"""Longer waits are cut to this: a reset far in the future is a mistake of the app or of a clock more often than a wish."""

RETRY_AFTER = "retry-after"
"""Where any answer says how long to wait (RFC 9110, 10.2.3)."""

LIMIT_HEADERS = (
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "ratelimit-reset",
)
"""Where apps say when a limit on requests starts anew, the plainest first."""

BACKOFF = "backoff"
"""Where an app that still answers asks to be left alone, in seconds."""

REMAINING_HEADERS = ("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining")
"""Where apps say how many requests are left until their limits start anew."""

ALLOWED_HEADERS = ("x-ratelimit-limit", "x-rate-limit-limit", "ratelimit-limit")
"""Where apps say how many requests there are at most until their limits start anew."""

TELLING_HEADERS = frozenset({BACKOFF, *REMAINING_HEADERS})
"""Without any of these an answer of success asks for no pause."""

_OF_A_PART = ("x-ratelimit-resource", "x-ratelimit-bucket")
# An app that counts its parts apart names the part: what is used up there is not used up elsewhere.

_FIRST_EPOCH_SECONDS = 1e8
_FIRST_EPOCH_MILLISECONDS = 1e11
# Seconds since 1970 passed the first in 1973 and reach the second in the year 5138: no wait is that long, no time that early.


def told_wait(headers: Mapping[str, str], *, names: Iterable[str], now: datetime) -> float | None:
    """The seconds to wait that the first of these headers tells; null when none does."""
    return next((wait for name in names if (wait := parse_wait(headers.get(name), now=now)) is not None), None)


def asked_pause(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds for which an answer of success asks to be left alone: by `Backoff`, or because no requests are left."""
    pause = parse_wait(headers.get(BACKOFF), now=now)
    if pause is not None:
        return pause
    is_used_up = any(_number(headers.get(name)) == 0 for name in REMAINING_HEADERS)
    if not is_used_up or any(name in headers for name in _OF_A_PART):
        return None
    return told_wait(headers, names=LIMIT_HEADERS, now=now)


def reserved_pause(headers: Mapping[str, str], *, reserve: float, now: datetime) -> float | None:
    """The seconds for which what nobody waits for leaves the app alone, as no more than the reserved part of its limit is left.

    None of them where more is left; null where the app does not say.
    """
    allowed, left = _told_number(headers, ALLOWED_HEADERS), _told_number(headers, REMAINING_HEADERS)
    if allowed is None or left is None or any(name in headers for name in _OF_A_PART):
        return None
    return 0.0 if left > allowed * reserve else told_wait(headers, names=LIMIT_HEADERS, now=now)


def parse_wait(text: object, *, now: datetime) -> float | None:
    """Seconds from a number of seconds, an HTTP-date, seconds or milliseconds since 1970, or RFC 3339, seen by its value.

    Never negative, never more than MAX_WAIT_SECONDS; null for anything else.
    """
    if not isinstance(text, str) or not text.strip():
        return None
    seconds = _number(text)
    if seconds is None:
        time = http_date(text) or times.parse(text)
        return None if time is None else _capped((time - now).total_seconds())
    if seconds < _FIRST_EPOCH_SECONDS:
        return _capped(seconds)
    since_epoch = seconds / 1000 if seconds >= _FIRST_EPOCH_MILLISECONDS else seconds
    wait = since_epoch - now.timestamp()
    # What was over long ago was never meant as a time: it is a very long wait.
    return _capped(wait if wait > -MAX_WAIT_SECONDS else seconds)


def _capped(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)


def _told_number(headers: Mapping[str, str], names: Iterable[str]) -> float | None:
    return next((number for name in names if (number := _number(headers.get(name))) is not None), None)


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def http_date(text: str) -> datetime | None:
    """The time in UTC that a header tells as HTTP-date (RFC 9110, 5.6.7); null for anything else."""
    if not (text and text.isprintable()):
        return None
    try:
        time = parsedate_to_datetime(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
