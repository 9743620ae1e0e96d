"""Reads what changed in a collection since a value that grows with each change, or since a token of the app's."""

from collections.abc import Iterable

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.change_items import ChangeItem, ChangeReader
from gateway.connectors.executor.cursors import Cursors, Step
from gateway.connectors.executor.deltas import page_of_delta
from gateway.connectors.executor.lists import asking, page_of
from gateway.connectors.executor.names import Names, told
from gateway.connectors.executor.pages import Listing, read_page
from gateway.connectors.executor.pagination import resolved
from gateway.connectors.executor.sync_support import is_filtered, is_inclusive, operators_of
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import OffsetPagination, PagePagination, Request
from gateway.connectors.format.sync import Cursor, Sync
from gateway.errors import UnsupportedError
from gateway.models import (
    Change,
    ChangePage,
    Condition,
    CursorValue,
    FilterOperator,
    JsonValue,
    OrderDirection,
    Page,
    PageRequest,
    RecordOrder,
    RecordQuery,
    Since,
)


async def page_of_changes(caller: Caller, collection: Collection, *, names: Names, since: Since, page: PageRequest) -> ChangePage:
    """One page of what changed; with nothing said in `since`, of every record there is.

    Raises UnsupportedError where the file says nothing of changes, and CursorExpiredError for a token that is no longer known.
    """
    sync, listing = collection.sync, collection.operations.list
    if sync is not None and sync.delta is not None:
        return await page_of_delta(caller, collection, sync, sync.delta, names=names, since=since, page=page)
    if sync is None or sync.cursor is None or listing is None:
        raise UnsupportedError(f"{collection.name} does not tell what changed. Compare its whole list.")
    reading = _CursorReading(caller, collection, sync, sync.cursor, listing, names=names)
    return await (reading.page_by_steps(since, page) if reading.is_stepped else reading.page(since, page))


class _CursorReading:
    """One reading of a collection's records from a cursor value on."""

    def __init__(self, caller: Caller, collection: Collection, sync: Sync, cursor: Cursor, listing: ListOperation, *, names: Names) -> None:
        self._caller = caller
        self._collection = collection
        self._sync = sync
        self._cursor = cursor
        self._listing = listing
        self._names = names
        self._cursors = cursors_of(collection, cursor)

    @property
    def is_stepped(self) -> bool:
        """Whether pages that are counted would lose records that move while they are read."""
        pagination = resolved(self._cursor.pagination or self._listing.pagination, self._caller.file.pagination)
        is_one_list = self._cursor.request is not None or not (self._listing.partitions or self._listing.drilldowns)
        is_rising = self._cursor.order == "ascending" and is_filtered(self._cursor)
        return is_rising and is_one_list and isinstance(pagination, PagePagination | OffsetPagination)

    async def page(self, since: Since, page: PageRequest) -> ChangePage:
        """One page as the app turns them."""
        found = await self._read(since.start, since.end, page)
        return ChangePage(changes=_changes(found.items), next_token=found.next_token)

    async def page_by_steps(self, since: Since, page: PageRequest) -> ChangePage:
        """One page of a list that is asked for anew from the last value on."""
        is_time = self._cursor.type == "datetime"
        step = Step(start=since.start) if page.token is None else Step.of_token(page.token, is_time=is_time)
        found = await self._read(step.start, since.end, PageRequest(size=page.size, token=step.page))
        following = step.after([item.cursor for item in found.items], found.next_token)
        return ChangePage(changes=_changes(found.items), next_token=following.as_token() if following is not None else None)

    async def _read(self, start: CursorValue | None, end: CursorValue | None, page: PageRequest) -> Page[ChangeItem]:
        if self._cursor.request is not None:
            since: JsonValue = {"start": self._cursors.start(start), "end": self._cursors.end(end)}
            return await read_page(self._caller, self._own(self._cursor.request, {**self._names, "since": since}), page)
        query = self._query(start, end)
        return await page_of(
            self._caller,
            self._collection,
            self._listing,
            lambda names: self._listed(query, names),
            names=self._names,
            page=page,
        )

    def _own(self, request: Request, names: Names) -> Listing[ChangeItem]:
        cursor, listing = self._cursor, self._listing
        return Listing(
            request=request,
            pagination=cursor.pagination if cursor.pagination is not None else listing.pagination,
            items=cursor.records if cursor.records is not None else listing.records,
            names=names,
            read=self._reader(names, cursor=cursor).read,
            identify=lambda item: item.print,
        )

    def _listed(self, query: RecordQuery, names: Names) -> Listing[ChangeItem]:
        listing = self._listing
        return Listing(
            request=listing.request,
            pagination=listing.pagination,
            items=listing.records,
            read=self._reader(names, cursor=self._cursor).read,
            identify=lambda item: item.print,
            **asking(self._caller, listing, query, names=names),
        )

    def _reader(self, names: Names, *, cursor: Cursor) -> ChangeReader:
        return ChangeReader(
            self._collection,
            names={**self._caller.names, **names},
            where=cursor.where if cursor.request is not None else self._listing.where,
            deleted=self._sync.deleted,
            cursor=self._value,
        )

    def _value(self, names: Names, what: str) -> CursorValue | None:
        template = self._cursor.value if self._cursor.value is not None else self._collection.record.updated_at
        return self._cursors.read(told(template, names, what=f"{what}: its cursor")) if template is not None else None

    def _query(self, start: CursorValue | None, end: CursorValue | None) -> RecordQuery:
        """How `list` is asked for the records of these values."""
        field = self._cursor.filter
        if field is None:
            return RecordQuery()
        operators = operators_of(self._listing, field)
        first = FilterOperator.GTE if self._cursors.is_inclusive else FilterOperator.GT
        last = next((operator for operator in (FilterOperator.LTE, FilterOperator.LT) if operator.value.lower() in operators), None)
        bounds = [(first, self._cursors.start(start))]
        if last is not None:
            bounds.append((last, self._cursors.end(end, is_included=last is FilterOperator.LTE)))
        conditions = tuple(Condition(field=field, operator=operator, value=value) for operator, value in bounds if value is not None)
        direction = {"ascending": OrderDirection.ASC, "newest_first": OrderDirection.DESC}.get(self._cursor.order)
        return RecordQuery(conditions=conditions, order=RecordOrder(field=field, direction=direction) if direction is not None else None)


def cursors_of(collection: Collection, cursor: Cursor) -> Cursors:
    """How the values of a collection's cursor are read and told."""
    return Cursors(
        is_time=cursor.type == "datetime",
        times_are=cursor.times or collection.record.times,
        granularity=cursor.granularity,
        is_inclusive=is_inclusive(cursor, collection.operations.list),
    )


def _changes(items: Iterable[ChangeItem]) -> tuple[Change, ...]:
    return tuple(item.change for item in items if item.change is not None)
