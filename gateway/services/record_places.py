"""Where records are read and written: a collection of a connection, and the model that its data source names."""

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from uuid import UUID

from msgspec import Struct

from gateway.errors import InvalidError, UserError
from gateway.models import Connection, Integration, Pointer, Principal
from gateway.runtime import Runtime
from gateway.services import checks, elements, pointers, selection
from gateway.services.access import App, Asking, Redacted, integration_of
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.selectors import CollectionSelector, ConnectionCollectionKey, DataSourceInstanceSelector, PointerInput
from gateway.storage.rows import by_ids


class RecordPlace(Struct, frozen=True, kw_only=True, eq=False, dict=True):
    """A collection of a connection; `udm` is the model of the data source that led here, if one did.

    Equal to itself alone: `identity` tells whether two are the same collection.
    """

    connection: Connection
    integration: Integration
    pointer: Pointer
    udm: str | None = None
    app: App | None = None
    """The app, where this operation has found already that it can be asked, and that it has the collection."""

    @cached_property
    def identity(self) -> str:
        """Text that is equal for the same collection of the same connection, whatever led there."""
        return json.dumps([str(self.connection.id), self.pointer.key, self.pointer.parameters], sort_keys=True)


def app_at(runtime: Runtime, principal: Principal, place: RecordPlace) -> AbstractAsyncContextManager[App, None]:
    """The app of a place, as `access.app_of` gives it. Raises as that does, and InvalidError where it has no such collection."""
    if place.app is not None:
        return Asking(runtime, principal, place.connection, place.integration, app=place.app)
    return _AskingPlace(runtime, principal, place)


class _AskingPlace(Asking):
    def __init__(self, runtime: Runtime, principal: Principal, place: RecordPlace) -> None:
        super().__init__(runtime, principal, place.connection, place.integration)
        self._place = place

    async def __aenter__(self) -> App:
        app = await super().__aenter__()
        with Redacted(app.access.credentials):
            pointers.require_collection(app.connector, self._place.pointer)
        return app


async def place_of(runtime: Runtime, principal: Principal, selector: CollectionSelector, *, field: Sequence[str]) -> RecordPlace:
    """The place that a caller means; `field` is where the selector stands in the input.

    Raises NotFoundError, AmbiguousError, NoCollectionSelectedError; InvalidError for an archived instance, an unknown
    collection, or parameters that break its schema.
    """
    if (selector.instance is None) == (selector.collection is None):
        raise InvalidError("Name either a data source instance, or a collection of a connection.", field=field)
    if selector.instance is not None:
        return await _of_instance(runtime, principal, selector.instance, field=[*field, "dataSourceInstance"])
    assert selector.collection is not None  # noqa: S101 - checked above.
    return await _of_collection(runtime, principal, selector.collection, field=field)


def instance_place(runtime: Runtime, context: InstanceContext) -> RecordPlace:
    """What an instance points at. Raises NoCollectionSelectedError, and InvalidError where its settings name a wrong collection."""
    settings = context.settings(runtime)
    pointer = elements.pointer_of(runtime, settings, context.integration)
    return RecordPlace(connection=context.connection, integration=context.integration, pointer=pointer, udm=settings.udm)


async def place_at(runtime: Runtime, principal: Principal, *, connection_id: UUID, pointer: Pointer) -> RecordPlace | None:
    """The place that a record's global id names; null when there is no such place for this caller, any more or ever."""
    async with runtime.database.read_once(principal) as session:
        connection = (await by_ids(session, Connection, {connection_id})).get(connection_id)
    if connection is None:
        return None
    integration = await integration_of(runtime, principal, connection)
    connector = runtime.connectors.get(integration.connector_key)
    if connector is None:
        return None
    try:
        checks.json_object(pointer.parameters, field=None)
        pointers.require_collection(connector, pointer)
    except InvalidError:
        # The connector has changed since the id was made, or somebody made the id up.
        return None
    return RecordPlace(connection=connection, integration=integration, pointer=pointer)


async def _of_instance(
    runtime: Runtime, principal: Principal, selector: DataSourceInstanceSelector, *, field: Sequence[str]
) -> RecordPlace:
    async with runtime.database.read(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, selector, field=field))
    context.require_in_use(field=field)
    try:
        return instance_place(runtime, context)
    except UserError as error:
        raise type(error)(error.message, field=field) from None


async def _of_collection(runtime: Runtime, principal: Principal, named: ConnectionCollectionKey, *, field: Sequence[str]) -> RecordPlace:
    place = [*field, "collection"]
    async with runtime.database.read(principal) as session:
        connection = await selection.connection(session, principal, named.connection, field=[*place, "connection"])
    integration = await integration_of(runtime, principal, connection)
    connector = runtime.connectors.get(integration.connector_key)
    parameters = checks.json_object(named.parameters, field=[*place, "parameters"])
    if connector is not None:
        parameters = pointers.typed(connector, Pointer(named.key, parameters)).parameters
    pointer = pointers.read_pointer(PointerInput(key=named.key, parameters=parameters), connector=connector, field=field)
    return RecordPlace(connection=connection, integration=integration, pointer=pointer)
