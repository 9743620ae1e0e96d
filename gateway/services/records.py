"""Records of an app's collections."""

import orjson

from gateway.models import Connection, Integration, Page, PageRequest, Pointer, Principal, Record
from gateway.runtime import Runtime
from gateway.services import app_pages, pointers
from gateway.services.access import app_of
from gateway.services.app_pages import AppPage


async def page(
    runtime: Runtime,
    principal: Principal,
    *,
    connection: Connection,
    pointer: Pointer,
    first: int,
    after: str | None,
    integration: Integration | None = None,
) -> AppPage[Record]:
    """Up to `first` records of a collection, in the app's order, whatever the size of the app's pages.

    The connection's integration is read unless the caller has it at hand.
    Raises InvalidError for a pointer that is not valid or a cursor of another list, UpstreamError when the app cannot answer.
    """
    async with app_of(runtime, principal, connection, integration) as app:
        pointers.require_collection(app.connector, pointer)

        async def fetch(request: PageRequest) -> Page[Record]:
            return await app.connector.records(app.access, pointer, request)

        parameters = orjson.dumps(pointer.parameters, option=orjson.OPT_SORT_KEYS).decode()
        scope = f"records {connection.id} {pointer.key} {parameters}"
        return await app_pages.read(runtime, fetch, first=first, after=after, scope=scope)
