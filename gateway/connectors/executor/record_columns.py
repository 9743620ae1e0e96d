"""Records, made column by column: the ids of all items, then their names, then their times. A page has a thousand."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import Any

from gateway.connectors.executor.record_values import read_time, texts_of
from gateway.connectors.format.collections import Envelope
from gateway.expressions import Template
from gateway.models import Record

_NOTHING = repeat(None)
_Values = Callable[[Sequence[Any]], list[Any]]


class RecordColumns:
    """Makes records of which some parts are wanted. `values_of` gives for a template what reads its values out of items."""

    def __init__(self, record: Envelope, parts: frozenset[str], *, values_of: Callable[[Template], _Values]) -> None:
        def column(part: str, read: Callable[[list[Any]], list[Any]]) -> Callable[[Sequence[Any]], list[Any]] | None:
            template = told_by(record, part, wanted=parts)
            return partial(_column, values_of(template), read) if template is not None else None

        read_times = partial(_times, times_are=record.times)
        self._columns = (
            column("name", texts_of),
            column("url", texts_of),
            column("version", texts_of),
            column("created_at", read_times),
            column("updated_at", read_times),
        )

    def records(self, ids: list[str], fields: Sequence[Any], items: Sequence[Any]) -> list[Record]:
        """The records of those ids and fields, in the order of their items."""
        told = [column(items) if column is not None else _NOTHING for column in self._columns]
        return list(map(Record, ids, fields, _NOTHING, *told))


def told_by(record: Envelope, part: str, *, wanted: frozenset[str]) -> Template | None:
    """What tells a part of records; null where nothing does, or nobody wants it."""
    template: Template | None = getattr(record, part) if part in wanted else None
    return template


def key_of(template: Template) -> str | None:
    """The field of an item that a template is; none where it is more than a field."""
    path = template.path
    return path[1] if path is not None and len(path) == 2 and path[0] == "record" else None


def _column(values: _Values, read: Callable[[list[Any]], list[Any]], items: Sequence[Any]) -> list[Any]:
    return read(values(items))


def _times(values: list[Any], *, times_are: str) -> list[datetime | None]:
    return [read_time(value, times_are=times_are) for value in values]
