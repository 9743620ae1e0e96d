"""Readers of whole pages: which of them reads a page depends on what is known of its records before any is looked at."""

from collections.abc import Callable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from gateway.models import Record
from gateway.models.answer_objects import AnswerObject
from gateway.models.read_fields import ReadFields

__all__ = ["PageReader", "PageReaders"]

PageReader = Callable[[Sequence[Record]], list[AnswerObject]]
"""Reads all records of a page in one go: a call for each would take as long as what it reads."""

_FIELDS_OF = attrgetter("fields")


class PageReaders:
    """Reads each page by the reader for what is known of it, which is made when the first such page comes."""

    def __init__(self, reader: Callable[[frozenset[str] | None], PageReader]) -> None:
        self._reader = reader
        # Pages of one collection are known in a few ways.
        self._readers: dict[frozenset[str] | None, PageReader] = {}

    def __call__(self, records: Sequence[Record]) -> list[AnswerObject]:
        """What is read of each record."""
        strings = _strings_of(records)
        reader = self._readers.get(strings)
        if reader is None:
            reader = self._readers[strings] = self._reader(strings)
        return reader(records)


def _strings_of(records: Sequence[Record]) -> frozenset[str] | None:
    """The fields that are texts or null in all records; null where all fields of one of these were read."""
    kinds: set[Any] = set(map(type, map(_FIELDS_OF, records)))
    if not kinds or not all(map(issubclass, kinds, repeat(ReadFields))):
        return None
    return frozenset.intersection(*(kind.strings for kind in kinds))
