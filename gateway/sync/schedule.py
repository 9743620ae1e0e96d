"""When work is done next: intervals, pauses after failures, and the chance that keeps instances apart. Pure, but for `chance`."""

import random
from datetime import datetime, timedelta

from gateway.errors import GatewayError, UpstreamRateLimitError, UpstreamUnavailableError

LONGEST_PAUSE_SECONDS = 900.0
LONGEST_RETRY_AFTER_SECONDS = 86_400.0
"""An app that asks for more is asked again after a day: it may have meant something else."""
_FIRST_PAUSE_SECONDS = 10.0
_SHORTEST_PAUSE_SECONDS = 1.0
_JITTER = 0.1
LONGEST_INTERVAL_SHARE = 1 + _JITTER
"""How much of its interval lies between two starts at most."""
HEALING_INTERVAL_SECONDS = 7 * 86_400
"""How often all is compared where pulls tell of everything: apps are restored, lose tombstones, and date records back."""
_MOST_DOUBLINGS = 10
_RANDOM = random.SystemRandom()


def chance() -> float:
    """A number from 0 up to 1: what the functions below take, so that tests can choose it."""
    return _RANDOM.random()


def next_time(now: datetime, *, interval_seconds: float, chance: float) -> datetime:
    """When to start again after a start that ended well now: after the interval, give or take a tenth."""
    return now + timedelta(seconds=interval_seconds * (1 - _JITTER + 2 * _JITTER * chance))


def pause_seconds(error: GatewayError, *, failures: int, chance: float) -> float:
    """How long to wait after a failure that follows `failures` others: full jitter below a bound that doubles, up to 15 minutes.

    Never shorter than what the app asked for.
    """
    bound: float = min(LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(failures, _MOST_DOUBLINGS))
    pause = max(_SHORTEST_PAUSE_SECONDS, bound * chance)
    if isinstance(error, UpstreamRateLimitError | UpstreamUnavailableError) and error.retry_after_seconds is not None:
        return min(max(pause, error.retry_after_seconds), LONGEST_RETRY_AFTER_SECONDS)
    return pause


def earliest(*times: datetime | None) -> datetime | None:
    """The first of several times, of those that are; null when none is."""
    return min((time for time in times if time is not None), default=None)
