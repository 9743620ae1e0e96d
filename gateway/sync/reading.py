"""How far a reading by cursor values is: which range and page comes next, and up to where the mark may move. Pure.

Ascending lists are read on from the last value of each page, not from its page token: a record that changes meanwhile moves to the
end, and would move others onto a page that was read already. Where tokens must be followed through records that may leave what is
read - many of one value, or a window that has an end - the reading is done again until one pass finds nothing.

Of times, nothing that changes during the run lies before its start. Of counts nobody knows how far they were at the start: where a
list in no order has several pages, what a page tells may lie above a change on a page that was read before; and what a window tells
may lie above a change in a window that was read before. So it is read twice, and the mark moves to the highest value of the first time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gateway.models import ChangePage, CursorOrder, CursorSync, CursorType, CursorValue, JsonObject, JsonValue, Since
from gateway.sync import marks
from gateway.sync.marks import Range

MAXIMUM_PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorReading:
    """A reading under way; each page gives the next state of it."""

    run_start: datetime
    first_mark: CursorValue | None
    """The mark that it began with."""
    mark: CursorValue | None
    """How far everything was read."""
    current: Range
    token: JsonValue = None
    rest: tuple[Range, ...] = ()
    """What comes after the current range, the next one last."""
    count: int = 0
    """How many records the current range gave so far."""
    seen: CursorValue | None = None
    """The highest value that the current range gave so far."""
    passes: int = 1
    is_risky: bool = False
    """Whether records may have been passed over in this pass."""
    is_unsettled: bool = False
    """Whether what changed during this pass may lie below the highest value that it saw."""
    highest: CursorValue | None = None
    """The highest value that this pass saw."""
    settled: CursorValue | None = None
    """The highest value that the pass before saw: whatever changed during this one lies above it."""
    event_count: int = 0
    """How many changes this pass found."""
    is_incomplete: bool = False
    """Whether the app gave less than there was, and nothing helps but a complete listing."""

    @property
    def since(self) -> Since:
        """What the app is asked for next."""
        return Since(start=self.current.start, end=self.current.end)

    def as_json(self) -> JsonObject:
        """The reading as it is kept in a task's progress."""
        return {
            "run_start": self.run_start.isoformat(),
            "first_mark": marks.encode(self.first_mark),
            "mark": marks.encode(self.mark),
            "current": self.current.as_json(),
            "token": self.token,
            "rest": [each.as_json() for each in self.rest],
            "count": self.count,
            "seen": marks.encode(self.seen),
            "passes": self.passes,
            "is_risky": self.is_risky,
            "is_unsettled": self.is_unsettled,
            "highest": marks.encode(self.highest),
            "settled": marks.encode(self.settled),
            "event_count": self.event_count,
            "is_incomplete": self.is_incomplete,
        }


def begin(mark: CursorValue | None, cursor: CursorSync, *, run_start: datetime) -> CursorReading:
    """The reading of everything since a mark."""
    return _on_range(
        CursorReading(run_start=run_start, first_mark=mark, mark=mark, current=Range()),
        Range(start=marks.start_after(mark, cursor)),
        cursor,
    )


def from_json(value: dict[str, Any], cursor: CursorSync) -> CursorReading:
    """The reading that `as_json` wrote."""
    return CursorReading(
        run_start=datetime.fromisoformat(value["run_start"]),
        first_mark=marks.decode(value["first_mark"], cursor),
        mark=marks.decode(value["mark"], cursor),
        current=marks.range_of(value["current"], cursor),
        token=value["token"],
        rest=tuple(marks.range_of(each, cursor) for each in value["rest"]),
        count=value["count"],
        seen=marks.decode(value["seen"], cursor),
        passes=value["passes"],
        is_risky=value["is_risky"],
        is_unsettled=value["is_unsettled"],
        highest=marks.decode(value["highest"], cursor),
        settled=marks.decode(value["settled"], cursor),
        event_count=value["event_count"],
        is_incomplete=value["is_incomplete"],
    )


def restarted(reading: CursorReading, cursor: CursorSync) -> CursorReading:
    """The reading from its beginning again, as its page token no longer fits."""
    return begin(reading.first_mark, cursor, run_start=reading.run_start)


def after(reading: CursorReading, page: ChangePage, cursor: CursorSync, *, event_count: int) -> tuple[CursorReading, bool]:
    """The reading after a page that told so many changes, and whether it is at its end."""
    values = [change.cursor for change in page.changes]
    highest = marks.highest(values, cursor)
    is_over_gap = highest is not None and _follows_gap(reading, cursor)
    reading = replace(
        reading,
        is_unsettled=reading.is_unsettled or is_over_gap,
        count=reading.count + len(values),
        seen=marks.later(reading.seen, highest),
        highest=marks.later(reading.highest, highest),
        event_count=reading.event_count + event_count,
    )
    is_last = page.next_token is None or _is_below(values, reading, cursor)
    is_cut_off = is_last and cursor.maximum_records is not None and reading.count >= cursor.maximum_records
    if (not is_last or is_cut_off) and cursor.order is CursorOrder.ASCENDING and cursor.is_filtered:
        onward = marks.restart_after(highest, reading.current, cursor)
        if onward is not None:
            mark = marks.promoted(reading.mark, _settled(reading, highest), run_start=reading.run_start)
            return replace(reading, mark=mark, current=onward, token=None, count=0, seen=None), False
    if not is_last:
        is_unsettled = cursor.type is CursorType.COUNT and cursor.order is CursorOrder.UNSORTED
        reading = replace(
            reading, is_risky=reading.is_risky or _may_lose(reading, cursor), is_unsettled=reading.is_unsettled or is_unsettled
        )
        return replace(reading, token=page.next_token), False
    return _after_range(reading, cursor, is_cut_off=is_cut_off)


def _after_range(reading: CursorReading, cursor: CursorSync, *, is_cut_off: bool) -> tuple[CursorReading, bool]:
    parts = marks.split(reading.current, reading.seen, cursor) if is_cut_off else None
    if parts is not None:
        first, second = parts
        return replace(reading, current=first, rest=(*reading.rest, second), token=None, count=0, seen=None), False

    mark = marks.promoted(reading.mark, _settled(reading, reading.seen), run_start=reading.run_start)
    if reading.count == 0:
        mark = marks.promoted_over(mark, reading.current, run_start=reading.run_start)
    reading = replace(reading, mark=mark, is_incomplete=reading.is_incomplete or is_cut_off)
    if reading.rest:
        *rest, following = reading.rest
        return _on_range(replace(reading, rest=tuple(rest)), following, cursor, was_empty=reading.count == 0), False
    return _after_pass(reading, cursor)


def _settled(reading: CursorReading, seen: CursorValue | None) -> CursorValue | None:
    """How far the mark may move where so much was seen."""
    return marks.sooner(seen, reading.settled) if reading.is_unsettled else seen


def _follows_gap(reading: CursorReading, cursor: CursorSync) -> bool:
    """Whether the range of counts before this one may have got records since it was read: none was seen that reaches its end."""
    start = reading.current.start
    if cursor.type is not CursorType.COUNT or start is None or start == marks.start_after(reading.first_mark, cursor):
        return False
    return reading.highest is None or marks.is_below(reading.highest, start, cursor)


def _after_pass(reading: CursorReading, cursor: CursorSync) -> tuple[CursorReading, bool]:
    must_settle = reading.is_unsettled and reading.settled is None
    if not must_settle and (not reading.is_risky or reading.event_count == 0):
        return reading, True
    if reading.passes == MAXIMUM_PASSES:
        # It changes while it is read, time and again: the next pull reads the same once more.
        return replace(reading, mark=reading.first_mark), True
    again = begin(reading.first_mark, cursor, run_start=reading.run_start)
    return replace(again, passes=reading.passes + 1, settled=reading.highest, is_incomplete=reading.is_incomplete), False


def _on_range(reading: CursorReading, rest: Range, cursor: CursorSync, *, was_empty: bool = False) -> CursorReading:
    current, remaining = marks.next_range(rest, cursor, run_start=reading.run_start, was_empty=was_empty)
    following = reading.rest if remaining is None else (*reading.rest, remaining)
    return replace(reading, current=current, rest=following, token=None, count=0, seen=None)


def _is_below(values: Sequence[CursorValue | None], reading: CursorReading, cursor: CursorSync) -> bool:
    """Whether a feed that begins with the newest has come to what was read before."""
    return cursor.order is CursorOrder.NEWEST_FIRST and any(marks.is_below(value, reading.current.start, cursor) for value in values)


def _may_lose(reading: CursorReading, cursor: CursorSync) -> bool:
    return cursor.is_filtered and (cursor.order is CursorOrder.ASCENDING or reading.current.end is not None)
