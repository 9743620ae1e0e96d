"""What a connector file says of how changes of a collection are learned of."""

from gateway.connectors.executor.conditions import ANY_FIELD
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.scopes import names_read
from gateway.connectors.format.sync import Cursor, Sync
from gateway.models import CursorOrder, CursorSync, CursorType, SyncSupport

_NOTHING = Sync()


def sync_support(collection: Collection) -> SyncSupport:
    """How changes are learned of, webhooks left aside."""
    sync = collection.sync or _NOTHING
    return SyncSupport(
        has_delta=sync.delta is not None,
        cursor=_cursor_sync(sync.cursor, collection.operations.list) if sync.cursor is not None else None,
        sees_deletions=sync.deleted is not None,
        volatile_fields=sync.volatile_fields,
    )


def is_read_as_list(collection: Collection) -> bool:
    """Whether changes are read by the request of `list`."""
    sync = collection.sync or _NOTHING
    return any(part is not None and part.request is None for part in (sync.cursor, sync.delta))


def is_inclusive(cursor: Cursor, listing: ListOperation | None) -> bool:
    """Whether the app gives the records of exactly the value that it is asked for."""
    if cursor.filter is not None and listing is not None:
        return "gte" in operators_of(listing, cursor.filter)
    return cursor.inclusive is not False


def is_filtered(cursor: Cursor) -> bool:
    """Whether the app leaves out records of smaller values."""
    return cursor.filter is not None or (cursor.request is not None and "since" in names_read(cursor.request))


def operators_of(listing: ListOperation, field: str) -> frozenset[str]:
    """The operators by which a list filters a field."""
    return frozenset(listing.filters.get(field, listing.filters.get(ANY_FIELD, {})))


def _cursor_sync(cursor: Cursor, listing: ListOperation | None) -> CursorSync:
    return CursorSync(
        type=CursorType(cursor.type.upper()),
        order=CursorOrder(cursor.order.upper()),
        is_inclusive=is_inclusive(cursor, listing),
        granularity=cursor.granularity,
        lookback=cursor.lookback,
        window=cursor.window,
        maximum_records=cursor.max_records,
        is_filtered=is_filtered(cursor),
    )
