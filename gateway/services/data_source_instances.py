"""Instances: a data source within one connection, created on first use, customised, reset, archived."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from gateway.errors import ConflictError, InvalidError, NotFoundError
from gateway.models import Connection, DataSource, DataSourceInstance, Principal
from gateway.models.sync import sync_rows
from gateway.runtime import Runtime
from gateway.services import checks, elements, instance_setup, listing, pointers, selection, sync_requests
from gateway.services.elements import Known
from gateway.services.instance_context import InstanceContext, contexts, read_context
from gateway.services.listing import Listing
from gateway.services.patches import KEEP, Keep
from gateway.services.selectors import (
    ConnectionSelector,
    DataSourceInstanceFilter,
    DataSourceInstanceSelector,
    DataSourceSelector,
    PointerInput,
)
from gateway.storage.rows import RowWindow
from gateway.storage.statements import locked

_BY = ["input", "by"]


async def page(
    runtime: Runtime, principal: Principal, *, window: RowWindow, filter: DataSourceInstanceFilter, include_archived: bool
) -> Listing[DataSourceInstance]:
    """Instances, the oldest first. A connection or data source that does not exist has none."""
    statement = select(DataSourceInstance)
    if not include_archived:
        statement = statement.where(col(DataSourceInstance.archived_at).is_(None))
    async with runtime.database.read(principal) as session:
        try:
            statement = await _narrowed(session, principal, statement, filter)
        except NotFoundError:
            statement = statement.where(col(DataSourceInstance.id).is_(None))
    if filter.states is None:
        return await listing.read(runtime, principal, statement, window=window)
    states = filter.states

    async def keeps(session: AsyncSession, rows: list[DataSourceInstance]) -> list[bool]:
        known = Known()
        return [context is not None and context.health(runtime, known=known).state in states for context in await contexts(session, rows)]

    return await listing.read(runtime, principal, statement, window=window, keeps=keeps)


async def by_selector(runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector) -> DataSourceInstance | None:
    """The instance that a selector means, if there is one. Raises AmbiguousError."""
    async with runtime.database.read(principal) as session:
        try:
            return await selection.instance(session, principal, by, field=["by"])
        except NotFoundError:
            return None


async def create(
    runtime: Runtime, principal: Principal, *, connection: ConnectionSelector, data_source: DataSourceSelector, instance_key: str | None
) -> tuple[DataSourceInstance, bool]:
    """The instance of a data source in a connection, and whether this call made it: new, or revived from the archive without overrides.

    Safe to call twice at once: both callers get the same instance. One that was made is set up: when its app cannot be
    asked, it exists all the same, with the state SETUP_FAILED.
    """
    key = checks.optional_text(instance_key or None, field=["input", "instanceKey"])
    try:
        context, is_created = await _find_or_insert(runtime, principal, connection, data_source, key)
    except (IntegrityError, ConflictError):
        # Another request created or revived it at the same moment: it is found now.
        context, is_created = await _find_or_insert(runtime, principal, connection, data_source, key)
    if not is_created:
        return context.instance, False
    runtime.events.bell.ring()
    return await instance_setup.run(runtime, principal, context), True


async def update(
    runtime: Runtime,
    principal: Principal,
    *,
    by: DataSourceInstanceSelector,
    pointer: PointerInput | Keep | None = KEEP,
    pull_updates_interval_seconds: int | Keep | None = KEEP,
    full_sync_interval_seconds: int | Keep | None = KEEP,
    if_revision: str | None = None,
    dry_run: bool = False,
) -> DataSourceInstance:
    """The instance with the given overrides replaced; null returns a setting to the inherited value.

    Pointed at another collection it is set up anew. A dry run checks the same and shows the same settings; it saves nothing, and asks
    the app nothing.
    """

    def change(context: InstanceContext) -> None:
        instance = context.instance
        checks.revision(instance.revision, expected=if_revision)
        if not isinstance(pointer, Keep):
            instance.pointer = _own_pointer(runtime, context, pointer)
        if not isinstance(pull_updates_interval_seconds, Keep):
            instance.pull_updates_interval_seconds = checks.interval(
                pull_updates_interval_seconds,
                minimum=runtime.settings.minimum_pull_updates_interval_seconds,
                field=["input", "pullUpdatesIntervalSeconds"],
            )
        if not isinstance(full_sync_interval_seconds, Keep):
            instance.full_sync_interval_seconds = checks.interval(
                full_sync_interval_seconds,
                minimum=runtime.settings.minimum_full_sync_interval_seconds,
                field=["input", "fullSyncIntervalSeconds"],
            )

    return await instance_setup.changed(runtime, principal, by, change, is_dry_run=dry_run)


async def setup(runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector) -> DataSourceInstance:
    """The instance after its collection was read again from the app; its state and errors tell how that went."""
    async with runtime.database.read(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=_BY))
    context.require_in_use(field=_BY)
    return await instance_setup.run(runtime, principal, context)


async def reset(runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector, dry_run: bool = False) -> DataSourceInstance:
    """The instance without any override, following its definition again. A dry run shows the same settings, and saves nothing."""

    def change(context: InstanceContext) -> None:
        instance = context.instance
        instance.pointer = instance.pull_updates_interval_seconds = instance.full_sync_interval_seconds = None

    return await instance_setup.changed(runtime, principal, by, change, is_dry_run=dry_run)


async def archive(runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector) -> DataSourceInstance:
    """The instance, archived; archiving it again changes nothing."""
    async with runtime.database.write(principal) as session:
        instance = await selection.instance(session, principal, by, field=_BY)
        if instance.archived_at is None:
            instance.archived_at = instance.updated_at = runtime.clock.now()
            await sync_requests.of_instance(session, runtime, instance.id)
    runtime.events.bell.ring()
    return instance


async def restore(runtime: Runtime, principal: Principal, *, id: UUID) -> DataSourceInstance:
    """The instance as it was before it was archived. Raises InvalidError while its connection or data source is archived."""
    async with runtime.database.write(principal) as session:
        instance = await selection.by_id(session, DataSourceInstance, id, field=["input", "id"])
        if instance.archived_at is not None:
            _require_parents((await read_context(session, instance)), field=["input", "id"])
            instance.archived_at, instance.updated_at = None, runtime.clock.now()
            await sync_requests.of_instance(session, runtime, instance.id)
    runtime.events.bell.ring()
    return instance


async def _narrowed(
    session: AsyncSession, principal: Principal, statement: SelectOfScalar[DataSourceInstance], filter: DataSourceInstanceFilter
) -> SelectOfScalar[DataSourceInstance]:
    integration_id = None
    if filter.integration_key is not None:
        integration_id = (await selection.integration(session, filter.integration_key, field=["filter", "integrationKey"])).id
        statement = _in_integration(statement, integration_id)
    if filter.connection is not None:
        connection = await selection.connection(session, principal, filter.connection, field=["filter", "connection"])
        integration_id = connection.integration_id
        statement = statement.where(DataSourceInstance.connection_id == connection.id)
    if filter.data_source is None:
        return statement
    field = ["filter", "dataSource"]
    definition = await selection.data_source(session, filter.data_source, field=field, integration_id=integration_id)
    statement = statement.where(DataSourceInstance.data_source_id == (definition.universal_id or definition.id))
    # A universal definition has instances everywhere, its customisation only where it is one, `tasks` in `hubspot` only there.
    home_id = definition.integration_id
    if home_id is None and filter.data_source.integration_key is not None:
        home_id = (await selection.integration(session, filter.data_source.integration_key, field=field)).id
    return statement if home_id is None else _in_integration(statement, home_id)


def _in_integration(statement: SelectOfScalar[DataSourceInstance], integration_id: UUID) -> SelectOfScalar[DataSourceInstance]:
    of_integration = select(Connection.id).where(Connection.integration_id == integration_id)
    return statement.where(col(DataSourceInstance.connection_id).in_(of_integration))


async def _find_or_insert(
    runtime: Runtime, principal: Principal, by_connection: ConnectionSelector, by_data_source: DataSourceSelector, key: str | None
) -> tuple[InstanceContext, bool]:
    async with runtime.database.read(principal) as session:
        connection, root = await _parents(session, principal, by_connection, by_data_source)
        instance = await _of(session, connection, root, key)
        if instance is not None and instance.archived_at is None:
            return await read_context(session, instance), False
    now = runtime.clock.now()
    async with runtime.database.write(principal) as session:
        connection, root = await _parents(session, principal, by_connection, by_data_source)
        # Held, so that archiving the connection, which takes its instances along, comes before or after and never between.
        _require_not_archived(await locked(session, connection, shared=True))
        instance = await _of(session, connection, root, key)
        if instance is not None and instance.archived_at is None:
            return await read_context(session, instance), False
        if instance is None:
            instance = DataSourceInstance(
                connection_id=connection.id,
                customer_id=connection.customer_id,
                data_source_id=root.id,
                instance_key=key,
                created_at=now,
                updated_at=now,
            )
            session.add_all([instance, *sync_rows(instance)])
        _revive(instance)
        instance.updated_at = now
        await session.flush()
        # Who was interested in one that comes back still is.
        await sync_requests.of_instance(session, runtime, instance.id)
        return await read_context(session, instance), True


async def _parents(
    session: AsyncSession, principal: Principal, by_connection: ConnectionSelector, by_data_source: DataSourceSelector
) -> tuple[Connection, DataSource]:
    connection = await selection.connection(session, principal, by_connection, field=["input", "connection"])
    _require_not_archived(connection)
    root = await selection.root_in(session, by_data_source, connection, field=["input", "dataSource"])
    if root.archived_at is not None:
        raise InvalidError(elements.archived(root), field=["input", "dataSource"])
    return connection, root


def _require_not_archived(connection: Connection | None) -> None:
    if connection is None:
        raise NotFoundError("The connection was deleted at this moment.", field=["input", "connection"])
    if connection.archived_at is not None:
        raise InvalidError(f"Connection {connection.name!r} is archived. Restore it first.", field=["input", "connection"])


async def _of(session: AsyncSession, connection: Connection, root: DataSource, key: str | None) -> DataSourceInstance | None:
    statement = select(DataSourceInstance).where(
        DataSourceInstance.connection_id == connection.id,
        DataSourceInstance.data_source_id == root.id,
        col(DataSourceInstance.instance_key).is_(None) if key is None else DataSourceInstance.instance_key == key,
    )
    return (await session.exec(statement)).first()


def _revive(instance: DataSourceInstance) -> None:
    if instance.archived_at is not None:
        instance.generation += 1
    instance.archived_at = instance.pointer = instance.setup_error = None
    instance.pull_updates_interval_seconds = instance.full_sync_interval_seconds = None


def _own_pointer(runtime: Runtime, context: InstanceContext, given: PointerInput | None) -> dict[str, object] | None:
    if given is None:
        return None
    connector = runtime.connectors.get(context.integration.connector_key)
    if connector is None:
        raise InvalidError("Its connector is not installed, so no pointer can be checked.", field=["input", "pointer"])
    return pointers.read_pointer(given, connector=connector, field=["input", "pointer"]).as_json()


def _require_parents(context: InstanceContext, *, field: list[str]) -> None:
    if context.connection.archived_at is not None:
        raise InvalidError(f"Its connection {context.connection.name!r} is archived. Restore that one first.", field=field)
    if context.root.archived_at is not None:
        raise InvalidError(f"Its data source {context.root.key!r} is archived. Restore that one first.", field=field)
