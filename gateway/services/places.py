"""Browsing an app: its locations, and what its collections can do.

Where a connection is asked, `integration` is the connection's own: it is read unless the caller has it at hand.
"""

from collections.abc import Sequence

from sqlmodel import col, select

from gateway.connectors.protocol import Connector
from gateway.errors import InvalidError, UnsupportedError
from gateway.models import (
    CollectionSpec,
    Connection,
    Integration,
    Location,
    LocationKind,
    Page,
    PageRequest,
    Pointer,
    Principal,
)
from gateway.runtime import Runtime
from gateway.services import app_pages, checks, elements, pointers, record_specs
from gateway.services.access import app_of, integration_of
from gateway.services.app_pages import AppPage
from gateway.services.record_places import RecordPlace


async def location(
    runtime: Runtime, principal: Principal, *, connection: Connection, path: str, integration: Integration | None = None
) -> Location | None:
    """The location at a path; null when the app says that there is none. Raises InvalidError for a path that no location can have."""
    async with app_of(runtime, principal, connection, integration) as app:
        pointer = _location_pointer(app.connector, path)
        return await app.connector.location(app.access, pointer)


async def locations(
    runtime: Runtime,
    principal: Principal,
    *,
    connection: Connection,
    path: str,
    first: int,
    after: str | None,
    udm: str | None = None,
    integration: Integration | None = None,
) -> AppPage[Location]:
    """What the directory at a path holds, in the app's order; within each of the app's pages those that suit `udm` come first."""
    async with app_of(runtime, principal, connection, integration) as app:
        directory = _directory(app.connector, path)

        async def fetch(request: PageRequest) -> Page[Location]:
            page = await app.connector.locations(app.access, directory, request)
            return Page(items=tuple(_suiting_first(app.connector, page.items, udm)), next_token=page.next_token)

        def scope() -> str:
            return f"locations {connection.id} {directory.path} {udm}"

        return await app_pages.read(runtime, fetch, first=first, after=after, scope=scope)


async def integration_locations(
    runtime: Runtime, principal: Principal, *, integration: Integration, path: str, first: int, after: str | None
) -> AppPage[Location]:
    """What a directory of an integration's app holds, without naming a connection.

    Where the caller has exactly one connection there, it is the one that is asked; else the list holds what is the same in
    every app. Raises UnsupportedError where nothing is. An admin who is no customer never looks through a customer's connection.
    """
    errors = elements.integration_errors(runtime, integration)
    if errors:
        raise InvalidError(errors[0].message)
    directory = _directory(runtime.connectors[integration.connector_key], path)
    connection = await _only_connection(runtime, principal, integration)
    if connection is not None:
        return await locations(runtime, principal, connection=connection, integration=integration, path=path, first=first, after=after)
    held = runtime.connectors[integration.connector_key].static_locations(directory)
    if held is None:
        raise UnsupportedError(f"Only the app can list {directory.path!r}. Ask a connection to {integration.key!r}.")

    async def fetch(request: PageRequest) -> Page[Location]:
        return Page(items=held)

    return await app_pages.read(runtime, fetch, first=first, after=after, scope=lambda: f"static {integration.id} {directory.path}")


async def collection(
    runtime: Runtime,
    principal: Principal,
    *,
    connection: Connection,
    key: str,
    parameters: object,
    integration: Integration,
) -> tuple[Location, RecordPlace] | None:
    """The collection of that key and parameters, and where its records are; null when the app says that there is none.

    Raises InvalidError for any other location, and for parameters that are no JSON object.
    """
    given = checks.json_object(parameters, field=["parameters"])
    async with app_of(runtime, principal, connection, integration) as app:
        pointer = pointers.typed(app.connector, Pointer(key, given))
        pointers.require_collection(app.connector, pointer)
        location = await app.connector.location(app.access, pointer)
    if location is None:
        return None
    return location, RecordPlace(connection=connection, integration=integration, pointer=pointer, app=app)


async def spec(
    runtime: Runtime, principal: Principal, *, connection: Connection, pointer: Pointer, integration: Integration | None = None
) -> CollectionSpec:
    """What a collection can do in this connection, with the fields that only its app knows."""
    integration = integration or await integration_of(runtime, principal, connection)
    async with app_of(runtime, principal, connection, integration) as app:
        pointers.require_collection(app.connector, pointer)
        place = RecordPlace(connection=connection, integration=integration, pointer=pointer)
        return await record_specs.described(runtime, app, place)


def _location_pointer(connector: Connector, path: str) -> Pointer:
    pointer = pointers.parse_path(path, connector=connector)
    pointers.require_location(connector, pointer)
    return pointer


def _directory(connector: Connector, path: str) -> Pointer:
    pointer = _location_pointer(connector, path)
    if not connector.is_directory(pointer.key):
        raise InvalidError(f"Path {path!r} is a collection, which holds records and no locations.")
    return pointer


def _suiting_first(connector: Connector, found: Sequence[Location], udm: str | None) -> list[Location]:
    return sorted(found, key=lambda location: not _suits(connector, location, udm)) if udm is not None else list(found)


def _suits(connector: Connector, location: Location, udm: str | None) -> bool:
    if location.kind is LocationKind.DIRECTORY:
        return False
    static = connector.spec.collection(location.pointer.key)
    return static is not None and udm in static.universal_data_models


async def _only_connection(runtime: Runtime, principal: Principal, integration: Integration) -> Connection | None:
    if principal.customer_id is None:
        return None
    statement = select(Connection).where(Connection.integration_id == integration.id, col(Connection.archived_at).is_(None))
    statement = statement.where(Connection.customer_id == principal.customer_id)
    async with runtime.database.read_once(principal) as session:
        found = (await session.exec(statement.limit(2))).all()
    return found[0] if len(found) == 1 else None
