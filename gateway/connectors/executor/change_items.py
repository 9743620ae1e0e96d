"""Changes out of what an app answers."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.connectors.executor.branches import canonical
from gateway.connectors.executor.names import Names, holds
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.sync import Deleted
from gateway.expressions import Expression
from gateway.models import Change, CursorValue, JsonValue


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """An item among those that changed."""

    print: str
    """What tells it from others."""
    cursor: CursorValue | None
    change: Change | None
    """Null for an item that does not belong to the collection."""


class ChangeReader:
    """Reads the items of one list of changes; `names` are those of its expressions beside `item` and `record`."""

    def __init__(
        self,
        collection: Collection,
        *,
        names: Names,
        where: Expression | None,
        deleted: Deleted | None,
        cursor: Callable[[Names, str], CursorValue | None],
    ) -> None:
        self._records = RecordReader(collection, names=names)
        self._names = names
        self._where = where
        self._deleted = deleted
        self._cursor = cursor

    def read(self, raw: JsonValue, number: int) -> ChangeItem:
        """What an item stands for, the `number`th of its page: a record, or one that is gone.

        Raises UpstreamResponseError when the item is no object or has no id.
        """
        what = f"Item {number} of the page"
        seen = {**self._records.names_of(raw, what=what), "item": raw}
        cursor = self._cursor(seen, what)
        of_item = {**self._names, "item": raw}
        if self._deleted is not None and holds(self._deleted.when, of_item, what=f"Whether item {number} is deleted"):
            gone = self._records.id_in(seen, what=what, template=self._deleted.id)
            return ChangeItem(gone, cursor, Change(external_id=gone, cursor=cursor))
        if self._where is not None and not holds(self._where, of_item, what=f"Whether item {number} belongs to the list"):
            return ChangeItem(canonical(raw), cursor, None)
        record = self._records.record_in(seen, raw, what=what)
        return ChangeItem(record.external_id, cursor, Change(external_id=record.external_id, record=record, cursor=cursor))
