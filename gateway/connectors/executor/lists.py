"""Reads lists of records: all, those that fit conditions, and those that a search finds."""

from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import TypedDict, TypeVar

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.conditions import term_of, told_query
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.pages import Listing, read_page
from gateway.connectors.executor.pagination import resolved
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.executor.unread import unread
from gateway.connectors.executor.walk import ListingOf, Walk
from gateway.connectors.format.auth import ApiKeyAuth, JwtAuth, SessionAuth
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import CursorPagination, OffsetPagination, PagePagination
from gateway.errors import UnsupportedError
from gateway.models import FilterOperator, JsonValue, Page, PageRequest, Record, RecordQuery

Item = TypeVar("Item")


async def page_of_records(
    caller: Caller, collection: Collection, operation: ListOperation, *, names: Names, page: PageRequest, query: RecordQuery
) -> Page[Record]:
    """One page of the records that are wanted, by the `list_operation` for them, in the order that is wanted or else in the app's.

    Raises UnsupportedError that names what the collection can do, where it cannot do what is wanted.
    """
    if query.conditions and _is_nothing(operation, query):
        return Page(items=())
    listing_of = partial(_listing, caller, collection, operation, query=query, parts=page.parts)
    return await page_of(caller, collection, operation, listing_of, names=names, page=page)


def _listing(
    caller: Caller, collection: Collection, operation: ListOperation, names: Names, *, query: RecordQuery, parts: frozenset[str]
) -> Listing[Record]:
    reader = RecordReader(collection, names={**caller.names, **names}, parts=parts)
    return Listing(
        request=operation.request,
        pagination=operation.pagination,
        items=operation.records,
        where=operation.where,
        gone=collection.gone,
        read=reader.read,
        read_plain=reader.read_plain,
        unread=unread(caller, collection, operation, reader),
        identify=attrgetter("external_id"),
        **asking(caller, operation, query, names=names),
    )


class Asking(TypedDict):
    """What a listing says to the app of the records that are wanted."""

    names: Names
    query: Mapping[str, JsonValue]


def asking(caller: Caller, operation: ListOperation, query: RecordQuery, *, names: Names) -> Asking:
    """What a list of the operation says to the app. Raises UnsupportedError that names what the collection can do."""
    taken = _taken_names(caller.file, operation) if query.conditions else ()
    told = told_query(operation, query, names={**caller.names, **names}, taken=taken)
    return Asking(names={**names, **told.names}, query=told.query)


async def page_of(
    caller: Caller, collection: Collection, operation: ListOperation, listing_of: ListingOf[Item], *, names: Names, page: PageRequest
) -> Page[Item]:
    """One page of an operation's list, be it one list or made of many."""
    listing = listing_of(names)
    if not operation.partitions and operation.drilldowns is None:
        return await read_page(caller, listing, page)
    walk = Walk(caller, operation, names=listing.names, schema=collection.parameters, listing_of=listing_of)
    return await walk.page(page)


def list_operation(collection: Collection, query: RecordQuery) -> ListOperation:
    """The operation that lists what is wanted. Raises UnsupportedError when there is none."""
    operations = collection.operations
    if query.search is not None and operations.search is not None:
        return operations.search
    if operations.list is None:
        raise UnsupportedError(
            f"The records of {collection.name} can only be searched. Give a text to search for."
            if operations.search is not None
            else f"The records of {collection.name} cannot be listed."
        )
    if query.search is not None and not operations.list.is_searchable:
        raise UnsupportedError(f"The records of {collection.name} cannot be searched. Filter them instead.")
    return operations.list


def _taken_names(file: ConnectorFile, operation: ListOperation) -> frozenset[str]:
    """Names of the query that say which page is wanted, and who asks: no condition can use them."""
    pagination = resolved(operation.pagination, file.pagination)
    of_sizes = [pagination.size.name] if pagination.size.name is not None else []
    of_places = [pagination.name] if isinstance(pagination, PagePagination | OffsetPagination | CursorPagination) else []
    carried = (method for method in file.auth.values() if isinstance(method, ApiKeyAuth | SessionAuth | JwtAuth))
    return frozenset([*of_sizes, *of_places, *(method.parameter for method in carried if method.location == "query")])


def _is_nothing(operation: ListOperation, query: RecordQuery) -> bool:
    """Whether a condition asks for one of no values: no record can be that, and no app needs to be asked."""
    empty = [condition for condition in query.conditions if condition.operator is FilterOperator.IN and condition.value == []]
    for condition in empty:
        term_of(operation, condition)
    return bool(empty)
