"""Readers of whole pages: which of them reads a page depends on what is known of its records before any is looked at."""

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from gateway.models import Record
from gateway.models.answer_objects import AnswerObject
from gateway.models.read_fields import ReadFields

__all__ = ["KnownTypes", "PageReader", "PageReaders"]

PageReader = Callable[[Sequence[Record]], list[AnswerObject]]
"""Reads all records of a page in one go: a call for each would take as long as what it reads."""

KnownTypes = frozenset[tuple[str, Any]]
"""What fields are known to be before any is looked at, where they are not null: their names, each with `str` or `list[str]`."""

_FIELDS_OF = attrgetter("fields")


class PageReaders:
    """Reads each page by the reader for what is known of it, which is made when the first such page comes."""

    def __init__(self, reader: Callable[[KnownTypes | None], PageReader]) -> None:
        self._reader = reader
        # Pages of one collection are known in a few ways.
        self._readers: dict[KnownTypes | None, PageReader] = {}

    def __call__(self, records: Sequence[Record]) -> list[AnswerObject]:
        """What is read of each record."""
        types = _types_of(records)
        reader = self._readers.get(types)
        if reader is None:
            reader = self._readers[types] = self._reader(types)
        return reader(records)


def _types_of(records: Sequence[Record]) -> KnownTypes | None:
    """What is known of the fields of all records; null where all fields of one of these were read."""
    kinds: set[Any] = set(map(type, map(_FIELDS_OF, records)))
    if not kinds or not all(map(issubclass, kinds, repeat(ReadFields))):
        return None
    return frozenset.intersection(*(kind.types for kind in kinds))
