"""High-water marks: how far the changes of a collection were read, and which range of cursor values is read next. Pure.

A mark never passes the start of the run that sets it, nor what that run has seen: what comes into sight later lies behind it, or is
read again because of the lookback. Values of exactly the mark are read again each time; equal hashes say nothing.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.models import CursorSync, CursorType, CursorValue, JsonValue

BASELINE_MARGIN = timedelta(days=1)
"""How far before a baseline the first pull begins: an app's clock, or what it takes for UTC, may be half a day off."""
_QUIET_MARGIN = timedelta(hours=1)
"""How near to the run's start a mark may come over ranges in which nothing was seen."""
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = sys.float_info.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A stretch of cursor values, both ends included; null for no end on that side."""

    start: CursorValue | None = None
    end: CursorValue | None = None

    def as_json(self) -> list[JsonValue]:
        """The range as it is kept in a task's progress."""
        return [encode(self.start), encode(self.end)]


def encode(value: CursorValue | None) -> JsonValue:
    """A mark as it is kept in JSON; `decode` reads it."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def decode(value: JsonValue, cursor: CursorSync) -> CursorValue | None:
    """The mark that `encode` wrote; null for one that is not of the cursor's type any more, as a connector may have changed."""
    if cursor.type is CursorType.DATETIME:
        return usable(datetime.fromisoformat(value), cursor) if isinstance(value, str) else None
    return usable(value, cursor) if isinstance(value, int | float) else None


def range_of(value: list[JsonValue], cursor: CursorSync) -> Range:
    """The range that `as_json` wrote."""
    return Range(start=decode(value[0], cursor), end=decode(value[1], cursor))


def usable(value: CursorValue | None, cursor: CursorSync) -> CursorValue | None:
    """The value where it can be compared with others of the cursor; null for what is none, and cannot move a mark."""
    if cursor.type is CursorType.DATETIME:
        return value if isinstance(value, datetime) and value.tzinfo is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # NaN is not less either; integers beyond it cannot be calculated with.
    return value if abs(value) <= _LARGEST else None


def highest(values: Iterable[CursorValue | None], cursor: CursorSync) -> CursorValue | None:
    """The greatest of the values that can be compared; null when none can."""
    return max((value for value in (usable(each, cursor) for each in values) if value is not None), default=None)


def lowest(values: Iterable[CursorValue | None], cursor: CursorSync) -> CursorValue | None:
    """The smallest of the values that can be compared; null when none can."""
    return min((value for value in (usable(each, cursor) for each in values) if value is not None), default=None)


def later(one: CursorValue | None, other: CursorValue | None) -> CursorValue | None:
    """The greater of two marks, of which either may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def sooner(one: CursorValue | None, other: CursorValue | None) -> CursorValue | None:
    """The smaller of two marks; null when either is missing."""
    return None if one is None or other is None else min(one, other)


def of_baseline(run_start: datetime, cursor: CursorSync) -> CursorValue | None:
    """Where the first pull after a baseline begins; null for the beginning of all, where values say nothing of time."""
    return run_start - BASELINE_MARGIN if cursor.type is CursorType.DATETIME else None


def start_after(mark: CursorValue | None, cursor: CursorSync) -> CursorValue | None:
    """The first value to read again: the mark, less the lookback, less a step where the app leaves the first value out."""
    if mark is None:
        return None
    return _minus(mark, cursor.lookback + (0 if cursor.is_inclusive else _step(cursor)))


def promoted(mark: CursorValue | None, seen: CursorValue | None, *, run_start: datetime) -> CursorValue | None:
    """The mark after everything up to the highest value that was seen has been read; it never goes back."""
    if seen is None:
        return mark
    return later(mark, min(seen, run_start) if isinstance(seen, datetime) else seen)


def promoted_over(mark: CursorValue | None, closed: Range, *, run_start: datetime) -> CursorValue | None:
    """The mark after a range without any record: it moves on, but not close to the run's start, as clocks differ."""
    if not isinstance(closed.end, datetime):
        return mark
    return later(mark, min(closed.end, run_start - _QUIET_MARGIN))


def next_range(rest: Range, cursor: CursorSync, *, run_start: datetime, was_empty: bool = False) -> tuple[Range, Range | None]:
    """What is asked for at once of what is still to be read, and what then remains.

    The last stretch has no end: it takes in what changes meanwhile. Of counts nobody knows the last one: after an empty window,
    all that remains is asked for.
    """
    if cursor.window is None or rest.start is None or rest.end is not None:
        return rest, None
    end = _plus(rest.start, cursor.window)
    is_last = end >= run_start if isinstance(end, datetime) else was_empty
    return (rest, None) if is_last else (Range(start=rest.start, end=end), Range(start=end))


def split(whole: Range, seen: CursorValue | None, cursor: CursorSync) -> tuple[Range, Range] | None:
    """Two ranges in place of one that the app cut off; null where it cannot be made smaller."""
    pivot = seen if whole.end is None else _middle(whole.start, whole.end)
    if pivot is None or not _lies_within(pivot, whole, step=_step(cursor)):
        return None
    return Range(start=whole.start, end=pivot), Range(start=pivot, end=whole.end)


def restart_after(seen: CursorValue | None, current: Range, cursor: CursorSync) -> Range | None:
    """What is left of a range in ascending order once everything below the highest value seen was read; null where that is all of it."""
    if seen is None:
        return None
    start = seen if cursor.is_inclusive else _minus(seen, _step(cursor))
    return Range(start=start, end=current.end) if current.start is None or start > current.start else None  # type: ignore[operator]


def is_below(value: CursorValue | None, start: CursorValue | None, cursor: CursorSync) -> bool:
    """Whether a value lies before the start of what is read."""
    compared = usable(value, cursor)
    return compared is not None and start is not None and compared < start  # type: ignore[operator]


def _lies_within(pivot: CursorValue, whole: Range, *, step: float) -> bool:
    above = whole.start is None or _minus(pivot, step) >= whole.start  # type: ignore[operator]
    below = whole.end is None or _plus(pivot, step) <= whole.end  # type: ignore[operator]
    return above and below


def _middle(start: CursorValue | None, end: CursorValue) -> CursorValue | None:
    if start is None:
        return None
    if isinstance(start, datetime) and isinstance(end, datetime):
        return start + (end - start) / 2
    if isinstance(start, int) and isinstance(end, int):
        return (start + end) // 2
    return (start + end) / 2  # type: ignore[operator]


def _step(cursor: CursorSync) -> float:
    return cursor.granularity or (1e-6 if cursor.type is CursorType.DATETIME else 1)


def _minus(value: CursorValue, amount: float) -> CursorValue:
    if not isinstance(value, datetime):
        return value - _as_exact(amount, value)
    try:
        return value - timedelta(seconds=amount)
    except OverflowError:
        return _EARLIEST


def _plus(value: CursorValue, amount: float) -> CursorValue:
    if not isinstance(value, datetime):
        return value + _as_exact(amount, value)
    try:
        return value + timedelta(seconds=amount)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _as_exact(amount: float, value: float) -> float:
    # Large counts are exact as whole numbers only.
    return int(amount) if isinstance(value, int) and amount == int(amount) else amount
