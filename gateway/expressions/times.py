"""Times in expressions: text in, text out, always UTC."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from gateway.expressions.errors import ExpressionError

# Only these, and written by us: strftime also takes widths (%999999999d), which fill the memory, ends at a NUL character, and writes
# years before 1000 without their zeros, which nobody reads as years.
_DIRECTIVES: Mapping[str, Callable[[datetime], str]] = {
    "%Y": lambda time: f"{time.year:04}",
    "%m": lambda time: f"{time.month:02}",
    "%d": lambda time: f"{time.day:02}",
    "%H": lambda time: f"{time.hour:02}",
    "%M": lambda time: f"{time.minute:02}",
    "%S": lambda time: f"{time.second:02}",
    "%f": lambda time: f"{time.microsecond:06}",
    "%j": lambda time: f"{time.timetuple().tm_yday:03}",
    "%%": lambda time: "%",
}
_DIRECTIVE = re.compile("%.?", re.DOTALL)
_MAX_PATTERN_CHARACTERS = 100
_SIGNS = slice(4, None, 3)
"""Where the signs between the numbers stand in a time of whole seconds in UTC."""
_read = datetime.fromisoformat
_MOST_KNOWN = 4_096
AS_TOLD: set[str] = set()
"""Some texts of which `is_as_told` holds, for whoever has many to ask of: records have the same times each time that they are read."""


def is_as_told(text: str) -> bool:
    """True where the text is what `to_text` makes of the time that it names, which spares making it; of some that are, it is not."""
    # The library takes a NUL for the end of the text. An hour of 24 is told as the day after it, by the versions of it that read it.
    if text[_SIGNS] != "--T::Z" or "\0" in text or "T24" in text:
        return False
    try:
        _read(text)
    except ValueError:
        return False
    if len(AS_TOLD) >= _MOST_KNOWN:
        AS_TOLD.clear()
    AS_TOLD.add(text)
    return True


def parse(text: str | None) -> datetime | None:
    """The time that a text in ISO 8601 or RFC 3339 names, in UTC; null for other text."""
    if text is None:
        return None
    try:
        # RFC 3339 allows a small t and z, which the library does not read.
        time = datetime.fromisoformat(text.strip().upper())
        if time.tzinfo is UTC:
            return time
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def to_text(time: datetime | None) -> str | None:
    """The time as RFC 3339, with a fraction only where there is one."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")


def to_epoch(time: datetime | None) -> int | float | None:
    """Seconds since 1970, an integer where they are whole."""
    if time is None:
        return None
    seconds = time.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def from_epoch(seconds: float | None) -> datetime | None:
    """The time that many seconds after 1970; null where the calendar ends before it."""
    return shifted(None if seconds is None else datetime(1970, 1, 1, tzinfo=UTC), seconds or 0)


def shifted(time: datetime | None, seconds: float) -> datetime | None:
    """The time that many seconds later; null where the calendar ends before it."""
    try:
        return None if time is None else time + timedelta(seconds=seconds)
    except OverflowError:
        return None


def formatted(time: datetime | None, pattern: str) -> str | None:
    """The time written by a pattern. Raises ExpressionError for a pattern of other directives."""
    if len(pattern) > _MAX_PATTERN_CHARACTERS or not _DIRECTIVES.keys() >= set(_DIRECTIVE.findall(pattern)):
        raise ExpressionError("a time pattern is at most 100 characters with %Y %m %d %H %M %S %f %j %%")
    return None if time is None else _DIRECTIVE.sub(lambda found: _DIRECTIVES[found[0]](time), pattern)
