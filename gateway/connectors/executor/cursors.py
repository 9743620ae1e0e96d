"""Where records stand in the order of changes: how the values are read, told to the app, and stepped along. Nothing here asks the app."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gateway.connectors.executor.record_values import read_time
from gateway.errors import CursorExpiredError
from gateway.expressions import times
from gateway.models import CursorValue, JsonObject, JsonValue

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS = 1_000_000
_LARGEST_COUNT = 2**63


@dataclass(frozen=True, kw_only=True)
class Cursors:
    """The values of one collection."""

    is_time: bool
    times_are: str
    """How times are written: auto, epoch_s or epoch_ms."""
    granularity: float
    is_inclusive: bool

    def read(self, value: JsonValue) -> CursorValue | None:
        """The value that stands in a record; null for what is none."""
        return read_time(value, times_are=self.times_are) if self.is_time else _count(value)

    def start(self, value: CursorValue | None) -> JsonValue:
        """How the app is asked for records from a value on, this one included; null for all."""
        if value is None:
            return None
        return self._told(self._stepped(value, up=False, steps=0 if self.is_inclusive else 1))

    def end(self, value: CursorValue | None, *, is_included: bool = True) -> JsonValue:
        """How the app is asked for records up to a value, this one included; null for all."""
        return None if value is None else self._told(self._stepped(value, up=True, steps=0 if is_included else 1))

    def _stepped(self, value: CursorValue, *, up: bool, steps: int) -> CursorValue:
        """The value of the app's own, of those that it tells apart, that lies beside another; then some steps further."""
        if isinstance(value, datetime):
            unit = round(self.granularity * _MICROSECONDS)
            try:
                return _EPOCH + _beside((value - _EPOCH) // _MICROSECOND, unit, up=up, steps=steps) * _MICROSECOND
            except OverflowError:
                # The calendar ends there.
                return value
        if not self.granularity:
            return value
        step = int(self.granularity) if float(self.granularity).is_integer() else self.granularity
        return value + steps * step if up else value - steps * step

    def _told(self, value: CursorValue) -> JsonValue:
        if not isinstance(value, datetime):
            return value
        if self.times_are == "auto":
            return times.to_text(value)
        microseconds = (value - _EPOCH) // _MICROSECOND
        unit = 1 if self.times_are == "epoch_ms" else 1000
        thousandths, rest = divmod(microseconds, unit * 1000)
        return thousandths if not rest else microseconds / (unit * 1000)


def _beside(ticks: int, unit: int, *, up: bool, steps: int) -> int:
    if not unit:
        return ticks
    whole = -(-ticks // unit) if up else ticks // unit
    return (whole + (steps if up else -steps)) * unit


def _count(value: JsonValue) -> int | float | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Neither infinity nor NaN is less; to ask whether it is finite would fail for an integer beyond a double.
    return value if abs(value) < _LARGEST_COUNT else None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A place in a rising list of records: the value from which the app lists them, and the page of that list.

    Page numbers count from the start of a list, and a record that changes leaves its place: all behind it move up, and one would be
    left out. So a list of pages that are counted is asked for anew from the last value seen, wherever that has grown.
    """

    start: CursorValue | None
    page: JsonValue = None

    def after(self, values: Sequence[CursorValue | None], next_page: JsonValue) -> "Step | None":
        """The step after a page that held these values; null after the last."""
        if next_page is None:
            return None
        last = values[-1] if values else None
        if last is None or not _is_rising(values) or (self.start is not None and not _is_less(self.start, last)):
            return Step(start=self.start, page=next_page)
        return Step(start=last)

    def as_token(self) -> JsonObject:
        """The step as JSON."""
        start: JsonValue = times.to_text(self.start) if isinstance(self.start, datetime) else self.start
        return {"step": 1, "start": start, "page": self.page}

    @classmethod
    def of_token(cls, token: JsonValue, *, is_time: bool) -> "Step":
        """The step that `as_token` gave. Raises CursorExpiredError when it is none."""
        match token:
            case {"step": 1, "start": str(text), "page": page} if is_time and (time := times.parse(text)) is not None:
                return cls(start=time, page=page)
            case {"step": 1, "start": int() | float() | None as start, "page": page} if not isinstance(start, bool):
                if start is None or not is_time:
                    return cls(start=start, page=page)
        raise CursorExpiredError("The page token does not fit the app's changes (any more). Start again from the first page.")


def _is_rising(values: Sequence[CursorValue | None]) -> bool:
    pairs = pairwise(values)
    return None not in values and all(one is not None and other is not None and not _is_less(other, one) for one, other in pairs)


def _is_less(one: CursorValue, other: CursorValue) -> bool:
    if isinstance(one, datetime):
        return isinstance(other, datetime) and one < other
    return not isinstance(other, datetime) and one < other
