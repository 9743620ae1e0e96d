"""Definitions: named pointers that instances in connections inherit from."""

from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import AlreadyExistsError, InvalidError, NotFoundError, UnsupportedError
from gateway.models import DataSource, Integration, Principal
from gateway.runtime import Runtime
from gateway.services import checks, data_source_inputs, elements, listing, selection, sync_requests
from gateway.services.authority import require_admin
from gateway.services.listing import Listing
from gateway.services.patches import KEEP, Keep
from gateway.services.selectors import DataSourceFilter, DataSourceSelector, PointerInput
from gateway.storage.rows import RowWindow
from gateway.storage.statements import locked, take_turn

_BY = ["input", "by"]


async def page(
    runtime: Runtime, principal: Principal, *, window: RowWindow, filter: DataSourceFilter, include_archived: bool
) -> Listing[DataSource]:
    """Definitions of every layer, the oldest first; `search` looks in their keys and names."""
    statement = select(DataSource)
    if not include_archived:
        statement = statement.where(col(DataSource.archived_at).is_(None))
    if filter.integration_key is not None:
        of_key = select(Integration.id).where(Integration.key == filter.integration_key, col(Integration.archived_at).is_(None))
        statement = statement.where(col(DataSource.integration_id).in_(of_key))
    if filter.is_universal is not None:
        column = col(DataSource.integration_id)
        statement = statement.where(column.is_(None) if filter.is_universal else column.is_not(None))
    if filter.udm is not None:
        roots = select(DataSource.id).where(DataSource.udm == filter.udm)
        inherits = col(DataSource.udm).is_(None) & col(DataSource.universal_id).in_(roots)
        statement = statement.where(or_(col(DataSource.udm) == filter.udm, inherits))
    statement = listing.matching(statement, filter.search, DataSource.key, DataSource.name)
    return await listing.read(runtime, principal, statement, window=window)


async def by_selector(runtime: Runtime, principal: Principal, *, by: DataSourceSelector) -> DataSource | None:
    """The definition that a selector means, if there is one. Raises AmbiguousError."""
    async with runtime.database.read(principal) as session:
        try:
            return await selection.data_source(session, by, field=["by"])
        except NotFoundError:
            return None


async def create(
    runtime: Runtime,
    principal: Principal,
    *,
    key: str,
    name: str | None = None,
    integration_key: str | None = None,
    universal_key: str | None = None,
    udm: str | None = None,
    pointer: PointerInput | None = None,
    pull_updates_interval_seconds: int | None = None,
    full_sync_interval_seconds: int | None = None,
    event_bodies: bool | None = None,
) -> DataSource:
    """The new definition: universal without an integration; with `universal_key` the customisation of that one. Only for admins.

    Raises AlreadyExistsError when the key is in use, NotFoundError for an unknown integration or universal definition.
    """
    require_admin(principal)
    definition = _new(runtime, key, integration_key=integration_key, universal_key=universal_key)
    try:
        async with runtime.database.write(principal) as session:
            integration = await _place(session, definition, integration_key, is_customization=universal_key is not None)
            data_source_inputs.assign(
                runtime,
                definition,
                integration,
                name=name,
                udm=udm,
                pointer=pointer,
                pull_updates_interval_seconds=pull_updates_interval_seconds,
                full_sync_interval_seconds=full_sync_interval_seconds,
                event_bodies=event_bodies,
            )
            session.add(definition)
            await sync_requests.of_definition(session, runtime, definition)
    except IntegrityError:
        raise _taken(definition) from None
    runtime.events.bell.ring()
    return definition


async def update(
    runtime: Runtime,
    principal: Principal,
    *,
    by: DataSourceSelector,
    name: str | Keep | None = KEEP,
    udm: str | Keep | None = KEEP,
    pointer: PointerInput | Keep | None = KEEP,
    pull_updates_interval_seconds: int | Keep | None = KEEP,
    full_sync_interval_seconds: int | Keep | None = KEEP,
    event_bodies: bool | Keep | None = KEEP,
    if_revision: str | None = None,
) -> DataSource:
    """The definition with the given settings replaced; null returns a setting to the inherited value. Only for admins."""
    require_admin(principal)
    async with runtime.database.write(principal) as session:
        definition = await _changeable(session, by)
        checks.revision(definition.revision, expected=if_revision)
        data_source_inputs.assign(
            runtime,
            definition,
            await _home(session, definition),
            name=name,
            udm=udm,
            pointer=pointer,
            pull_updates_interval_seconds=pull_updates_interval_seconds,
            full_sync_interval_seconds=full_sync_interval_seconds,
            event_bodies=event_bodies,
        )
        definition.updated_at = runtime.clock.now()
        await sync_requests.of_definition(session, runtime, definition)
    runtime.events.bell.ring()
    return definition


async def apply(runtime: Runtime, principal: Principal, *, key: str, integration_keys: list[str]) -> list[DataSource]:
    """The customisations of a universal definition in those integrations, created where there are none. Only for admins."""
    require_admin(principal)
    now = runtime.clock.now()
    applied = []
    async with runtime.database.write(principal) as session:
        await _take_turn(session, key)
        universal = await _universal(session, key, field=["input", "key"])
        for integration_key in dict.fromkeys(integration_keys):
            home = await selection.integration(session, integration_key, field=["input", "integrationKeys"])
            child = await _customization(session, universal, home)
            if child is None:
                child = DataSource(key=key, integration_id=home.id, universal_id=universal.id, created_at=now, updated_at=now)
                session.add(child)
            applied.append(child)
    return applied


async def setup(runtime: Runtime, principal: Principal, *, by: DataSourceSelector) -> DataSource:
    """The definition, whose default collection, state and errors follow its integration, connector and parent at every read.

    Only for admins. There is no app to ask: a definition belongs to no connection.
    """
    require_admin(principal)
    async with runtime.database.read(principal) as session:
        return await _changeable(session, by)


async def reset(runtime: Runtime, principal: Principal, *, by: DataSourceSelector) -> DataSource:
    """The customisation without any override, so that it follows its universal definition again. Only for admins.

    Raises UnsupportedError for a root definition, which inherits from nothing.
    """
    require_admin(principal)
    async with runtime.database.write(principal) as session:
        definition = await _changeable(session, by)
        if definition.is_root:
            raise UnsupportedError(f"Data source {definition.key!r} customises no other, so there is nothing to return to.", field=_BY)
        data_source_inputs.clear(definition)
        definition.updated_at = runtime.clock.now()
        await sync_requests.of_definition(session, runtime, definition)
    runtime.events.bell.ring()
    return definition


async def archive(runtime: Runtime, principal: Principal, *, by: DataSourceSelector) -> DataSource:
    """The definition, archived with its customisations; its instances cannot be used until it is restored. Only for admins."""
    require_admin(principal)
    async with runtime.database.write(principal) as session:
        definition = await _held(session, await selection.data_source(session, by, field=_BY))
        if definition.archived_at is None:
            now = runtime.clock.now()
            column = col(DataSource.archived_at)
            own = (col(DataSource.universal_id) == definition.id) & column.is_(None)
            changes = {"archived_at": now, "updated_at": now, "revision": col(DataSource.revision) + 1}
            await session.exec(update_rows(DataSource).where(own).values(changes), execution_options={"synchronize_session": False})
            definition.archived_at = definition.updated_at = now
            await sync_requests.of_definition(session, runtime, definition)
    runtime.events.bell.ring()
    return definition


async def restore(runtime: Runtime, principal: Principal, *, id: UUID) -> DataSource:
    """The definition as it was, with the customisations that were archived with it. Only for admins.

    Raises AlreadyExistsError when its key has been given to another meanwhile.
    """
    require_admin(principal)
    try:
        async with runtime.database.write(principal) as session:
            definition = await _held(session, await selection.by_id(session, DataSource, id, field=["input", "id"]))
            key = definition.key
            await _require_parent(session, definition)
            if definition.archived_at is not None:
                now = runtime.clock.now()
                own = (col(DataSource.universal_id) == definition.id) & (col(DataSource.archived_at) == definition.archived_at)
                changes = {"archived_at": None, "updated_at": now, "revision": col(DataSource.revision) + 1}
                await session.exec(update_rows(DataSource).where(own).values(changes), execution_options={"synchronize_session": False})
                definition.archived_at, definition.updated_at = None, now
                await _require_free_key(session, definition, taken=_taken_meanwhile(definition.key))
                await sync_requests.of_definition(session, runtime, definition)
    except IntegrityError:
        raise _taken_meanwhile(key) from None
    runtime.events.bell.ring()
    return definition


async def _take_turn(session: AsyncSession, key: str) -> None:
    # One index cannot see that a key is universal here and of an integration there, nor that its universal one is archived.
    await take_turn(session, f"data source {key}")


async def _held(session: AsyncSession, definition: DataSource) -> DataSource:
    """The definition as it stands now, held together with its key."""
    await _take_turn(session, definition.key)
    held = await locked(session, definition)
    assert held is not None  # noqa: S101 - definitions are never deleted.
    return held


async def _customization(session: AsyncSession, universal: DataSource, integration: Integration) -> DataSource | None:
    statement = select(DataSource).where(
        DataSource.universal_id == universal.id, DataSource.integration_id == integration.id, col(DataSource.archived_at).is_(None)
    )
    return (await session.exec(statement)).first()


async def _home(session: AsyncSession, definition: DataSource) -> Integration | None:
    if definition.integration_id is None:
        return None
    return await selection.by_id(session, Integration, definition.integration_id, field=_BY)


def _new(runtime: Runtime, key: str, *, integration_key: str | None, universal_key: str | None) -> DataSource:
    checks.key(key, field=["input", "key"])
    if universal_key is not None and (universal_key != key or integration_key is None):
        raise InvalidError(
            "A customisation has an `integrationKey`, and the key of its universal data source.", field=["input", "universalKey"]
        )
    now = runtime.clock.now()
    return DataSource(key=key, created_at=now, updated_at=now)


async def _place(
    session: AsyncSession, definition: DataSource, integration_key: str | None, *, is_customization: bool
) -> Integration | None:
    """Puts a new definition on its layer once its key is free to look at, and tells of which integration that is."""
    await _take_turn(session, definition.key)
    integration = None
    if integration_key is not None:
        integration = await selection.integration(session, integration_key, field=["input", "integrationKey"])
        definition.integration_id = integration.id
    if is_customization:
        definition.universal_id = (await _universal(session, definition.key, field=["input", "universalKey"])).id
    else:
        await _require_free_key(session, definition, taken=_taken(definition))
    return integration


async def _require_free_key(session: AsyncSession, definition: DataSource, *, taken: AlreadyExistsError) -> None:
    """A key names either one universal definition, or at most one root in each integration: never both, so that a key alone is clear."""
    if not definition.is_root:
        return
    others = select(DataSource).where(
        DataSource.key == definition.key, col(DataSource.archived_at).is_(None), col(DataSource.universal_id).is_(None)
    )
    others = others.where(col(DataSource.id) != definition.id)
    if not definition.is_universal:
        others = others.where(col(DataSource.integration_id).is_(None))
    with session.no_autoflush:
        if (await session.exec(others)).first() is not None:
            raise taken


async def _require_parent(session: AsyncSession, definition: DataSource) -> None:
    if definition.universal_id is not None:
        universal = await selection.by_id(session, DataSource, definition.universal_id, field=["input", "id"])
        if universal.archived_at is not None:
            raise InvalidError(f"Its universal data source {universal.key!r} is archived. Restore that one first.", field=["input", "id"])


async def _universal(session: AsyncSession, key: str, *, field: list[str]) -> DataSource:
    statement = select(DataSource).where(
        DataSource.key == key, col(DataSource.integration_id).is_(None), col(DataSource.archived_at).is_(None)
    )
    universal = (await session.exec(statement)).first()
    if universal is None:
        raise NotFoundError(f"There is no universal data source {key[:100]!r}.", field=field)
    return universal


async def _changeable(session: AsyncSession, by: DataSourceSelector) -> DataSource:
    definition = await selection.data_source(session, by, field=_BY)
    if definition.archived_at is not None:
        raise InvalidError(elements.archived(definition), field=_BY)
    return definition


def _taken(definition: DataSource) -> AlreadyExistsError:
    field = ["input", "key"]
    if not definition.is_root:
        return AlreadyExistsError(f"Data source {definition.key!r} is customised in that integration already. Update it.", field=field)
    return AlreadyExistsError(
        f"There is a data source {definition.key!r} already. Choose another key, or customise a universal one with `universalKey`.",
        field=field,
    )


def _taken_meanwhile(key: str) -> AlreadyExistsError:
    return AlreadyExistsError(f"There is a data source {key!r} again. Archive that one first.", field=["input", "id"])
