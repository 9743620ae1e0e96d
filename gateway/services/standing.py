"""Whether changes can be told without a gap: the baselines that stand, and why others never will."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import UpstreamAuthError, UserError
from gateway.models import Connection, DataSourceInstance, Integration, Principal, SyncGeneration, SyncState
from gateway.runtime import Runtime
from gateway.services import access, elements, selection
from gateway.services.instance_context import InstanceContext, contexts, read_context
from gateway.storage.rows import by_ids


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The instances whose changes can be told, and whether the baseline of each of them stands."""

    instances: tuple[DataSourceInstance, ...]
    has_baselines: bool


async def of_instance(runtime: Runtime, principal: Principal, instance_id: UUID) -> Standing:
    """How an instance stands.

    Raises what keeps it from being synced until somebody acts: NotFoundError, InvalidError for what is archived or wrong,
    NoCollectionSelectedError, UpstreamAuthError for refused credentials.
    """
    async with runtime.database.read(principal) as session:
        instance = await selection.by_id(session, DataSourceInstance, instance_id, field=["dataSourceInstance"])
        context = await read_context(session, instance)
        _require_usable(runtime, context)
        return await _standing(runtime, session, [context])


async def of_connection(runtime: Runtime, principal: Principal, connection_id: UUID) -> Standing:
    """How the instances of a connection stand; those that cannot be synced are left out, as they keep nobody from the others.

    Raises NotFoundError, InvalidError and UpstreamAuthError where the connection itself cannot be used.
    """
    async with runtime.database.read(principal) as session:
        connection = await selection.by_id(session, Connection, connection_id, field=["connection"])
        access.require_usable(runtime, connection, await _integration_of(session, connection))
        statement = select(DataSourceInstance).where(col(DataSourceInstance.connection_id) == connection_id)
        found = await session.exec(statement.where(col(DataSourceInstance.archived_at).is_(None)))
        usable = [context for context in await contexts(session, found.all()) if context is not None and _is_usable(runtime, context)]
        return await _standing(runtime, session, usable)


def _require_usable(runtime: Runtime, context: InstanceContext) -> None:
    context.require_in_use(field=["dataSourceInstance"])
    access.require_usable(runtime, context.connection, context.integration)
    elements.pointer_of(runtime, context.settings(runtime), context.integration)


def _is_usable(runtime: Runtime, context: InstanceContext) -> bool:
    try:
        _require_usable(runtime, context)
    except (UserError, UpstreamAuthError):
        return False
    return True


async def _standing(runtime: Runtime, session: AsyncSession, usable: Sequence[InstanceContext]) -> Standing:
    of_state = and_(col(SyncGeneration.instance_id) == SyncState.instance_id, col(SyncGeneration.generation) == SyncState.generation)
    statement = select(SyncState, SyncGeneration).join(SyncGeneration, of_state)
    found = await session.exec(statement.where(col(SyncState.instance_id).in_([context.instance.id for context in usable])))
    present = {state.instance_id: (state, generation) for state, generation in found}
    return Standing(
        instances=tuple(context.instance for context in usable),
        has_baselines=all(_has_baseline(runtime, context, *present.get(context.instance.id, (None, None))) for context in usable),
    )


def _has_baseline(runtime: Runtime, context: InstanceContext, state: SyncState | None, generation: SyncGeneration | None) -> bool:
    """Whether its present baseline will stay: where it has moved on, or interest had lapsed, another one is about to be taken."""
    if state is None or generation is None or generation.baseline_at is None or state.lapsed_at is not None:
        return False
    pointer = context.settings(runtime).pointer
    has_moved = pointer is None or pointer.as_json() != generation.pointer
    return not has_moved and state.instance_generation == context.instance.generation


async def _integration_of(session: AsyncSession, connection: Connection) -> Integration:
    return (await by_ids(session, Integration, {connection.integration_id}))[connection.integration_id]
