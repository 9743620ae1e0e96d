"""Reading records of an app's collections."""

from collections.abc import Sequence

import orjson

from gateway.errors import GatewayError
from gateway.models import Page, PageRequest, Principal, Record
from gateway.runtime import Runtime
from gateway.services import app_pages, pointers
from gateway.services.access import app_of
from gateway.services.app_pages import AppPage
from gateway.services.record_places import RecordPlace
from gateway.services.selectors import ALL_RECORDS, FieldValues, RecordListQuery


async def page(
    runtime: Runtime, principal: Principal, *, place: RecordPlace, first: int, after: str | None, query: RecordListQuery = ALL_RECORDS
) -> AppPage[Record]:
    """Up to `first` records that fit the query, in the order that it asks for or else in the app's, whatever the size of the app's pages.

    Raises InvalidError for a cursor of another list, and for whatever is wrong with the query (a CombinedUserError where that is more
    than one thing); UnsupportedError for what the app cannot filter, search or order; UpstreamError when the app cannot answer.
    """
    async with app_of(runtime, principal, place.connection, place.integration) as app:
        pointers.require_collection(app.connector, place.pointer)

        async def fetch(request: PageRequest) -> Page[Record]:
            return await app.connector.records(app.access, place.pointer, request)

        parameters = orjson.dumps(place.pointer.parameters, option=orjson.OPT_SORT_KEYS).decode()
        scope = f"records {place.connection.id} {place.pointer.key} {parameters}"
        return await app_pages.read(runtime, fetch, first=first, after=after, scope=scope)


async def record(runtime: Runtime, principal: Principal, *, place: RecordPlace, external_id: str) -> Record | None:
    """The record of that id; null when the app has none. Raises UnsupportedError where records cannot be read by id, UpstreamError."""
    raise NotImplementedError


async def by_ids(
    runtime: Runtime, principal: Principal, *, place: RecordPlace, external_ids: Sequence[str]
) -> dict[str, Record | GatewayError | None]:
    """The records of those ids, by id, in the fewest requests that the app allows; null where the app has none, an error where it failed.

    Raises what concerns them all: a connection that cannot be used, UnsupportedError.
    """
    raise NotImplementedError


async def match(runtime: Runtime, principal: Principal, *, place: RecordPlace, by: FieldValues, udm: str | None = None) -> Record | None:
    """The first record whose fields are equal to all of these; null when the app has none. Raises as `page` does."""
    raise NotImplementedError
