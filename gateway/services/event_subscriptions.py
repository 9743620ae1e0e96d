"""Interest in changes: who asked for it, and what follows from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import (
    ChangeType,
    DataSourceInstance,
    EventMethod,
    EventSubscription,
    Principal,
    SubscriptionStatus,
    SyncGeneration,
    SyncState,
    SyncTask,
    TaskKind,
)
from gateway.models.sync import LONGEST_LAPSE
from gateway.runtime import Runtime
from gateway.services import checks, detection, elements, selection, sync_requests
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.selectors import DataSourceInstanceSelector

_BY = ["input", "by"]
_TYPES = ["input", "types"]
_TASKS = (TaskKind.PULL.value, TaskKind.FULL.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRuns:
    """When an instance is synced next; null where that is not planned, or happens right now."""

    pull_at: datetime | None = None
    full_sync_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What a subscription means at this moment."""

    status: SubscriptionStatus
    method: EventMethod
    is_real_time: bool
    requires_pull: bool
    requires_full_sync: bool
    next_pull_at: datetime | None
    next_full_sync_at: datetime | None
    expires_at: datetime | None


async def subscribe(
    runtime: Runtime,
    principal: Principal,
    *,
    by: DataSourceInstanceSelector,
    types: Collection[ChangeType] | None = None,
    emit_initial: bool = False,
) -> DataSourceInstance:
    """The instance, whose changes of these types are looked for from now on, until somebody ends it. Safe to repeat.

    Records that are there when it begins are told as created only with `emit_initial`, and only where the instance was not in sync
    already. Raises NotFoundError, NoCollectionSelectedError; InvalidError for what is archived.
    """
    wanted = checks.change_types(types, field=_TYPES)
    try:
        instance = await _subscribe(runtime, principal, by, wanted, emit_initial)
    except IntegrityError:
        # Somebody else began to be interested at the same moment: that row is found now.
        instance = await _subscribe(runtime, principal, by, wanted, emit_initial)
    runtime.events.bell.ring()
    return instance


async def unsubscribe(
    runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector, types: Collection[ChangeType] | None = None
) -> DataSourceInstance:
    """The instance, whose changes of these types are no longer looked for unless somebody listens. Safe to repeat."""
    wanted = checks.change_types(types, field=_TYPES)
    now = runtime.clock.now()
    async with runtime.database.write(principal) as session:
        instance = await selection.instance(session, principal, by, field=_BY)
        await sync_requests.of_instance(session, runtime, instance.id)
        for row in await _rows(session, instance.id):
            if ChangeType(row.type) in wanted and row.expires_at is None:
                row.status, row.error, row.updated_at = SubscriptionStatus.UNSUBSCRIBED.value, None, now
    runtime.events.bell.ring()
    return instance


async def of_instances(runtime: Runtime, principal: Principal, instance_ids: Sequence[UUID]) -> dict[UUID, list[EventSubscription]]:
    """The subscriptions of instances, those that have ended too, in the order of the types; one statement."""
    statement = select(EventSubscription).where(col(EventSubscription.instance_id).in_(set(instance_ids)))
    found: dict[UUID, list[EventSubscription]] = {instance_id: [] for instance_id in instance_ids}
    async with runtime.database.read_once(principal) as session:
        for row in await session.exec(statement):
            found[row.instance_id].append(row)
    order = list(ChangeType)
    return {instance_id: sorted(rows, key=lambda row: order.index(ChangeType(row.type))) for instance_id, rows in found.items()}


async def next_runs(runtime: Runtime, principal: Principal, instance_ids: Sequence[UUID]) -> dict[UUID, NextRuns]:
    """When instances are synced next; one statement."""
    columns = select(SyncTask.instance_id, SyncTask.kind, SyncTask.due_at).where(
        col(SyncTask.instance_id).in_(set(instance_ids)), col(SyncTask.kind).in_(_TASKS), col(SyncTask.owner).is_(None)
    )
    async with runtime.database.read_once(principal) as session:
        due = {(instance_id, kind): due_at for instance_id, kind, due_at in await session.exec(columns)}
    pull, full = _TASKS
    return {each: NextRuns(pull_at=due.get((each, pull)), full_sync_at=due.get((each, full))) for each in instance_ids}


def interest(runtime: Runtime, subscription: EventSubscription, *, context: InstanceContext, runs: NextRuns) -> Interest:
    """What a subscription means at this moment, by what the collection in force offers."""
    change = ChangeType(subscription.type)
    found = detection.detection_of(runtime, context, [change])
    is_live = subscription.is_live(runtime.clock.now())
    return Interest(
        status=SubscriptionStatus(subscription.status) if is_live else SubscriptionStatus.UNSUBSCRIBED,
        method=found.methods[change],
        is_real_time=found.methods[change] is EventMethod.WEBHOOK,
        requires_pull=found.uses_pull,
        requires_full_sync=found.uses_full_sync,
        next_pull_at=runs.pull_at if is_live and found.uses_pull else None,
        next_full_sync_at=runs.full_sync_at if is_live and found.uses_full_sync else None,
        expires_at=subscription.expires_at if is_live else None,
    )


async def _subscribe(
    runtime: Runtime, principal: Principal, by: DataSourceInstanceSelector, types: Collection[ChangeType], emit_initial: bool
) -> DataSourceInstance:
    async with runtime.database.write(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=_BY))
        context.require_in_use(field=_BY)
        elements.pointer_of(runtime, context.settings(runtime), context.integration)
        # First of all: it keeps SETUP from beginning a generation while this decides whether one is about to begin.
        await sync_requests.of_instance(session, runtime, context.instance.id)
        _make_durable(session, context.instance, types, await _rows(session, context.instance.id), now=runtime.clock.now())
        if emit_initial and await _is_baseline_ahead(session, context.instance, now=runtime.clock.now()):
            state = update_rows(SyncState).where(col(SyncState.instance_id) == context.instance.id)
            await session.exec(state.values(emits_initial=True))
    return context.instance


def _make_durable(
    session: AsyncSession, instance: DataSourceInstance, types: Collection[ChangeType], rows: Sequence[EventSubscription], *, now: datetime
) -> None:
    known = {row.type: row for row in rows}
    for change in sorted(types):
        row = known.get(change.value)
        if row is None:
            session.add(_new(instance, change, now=now))
            continue
        if not row.is_live(now):
            row.status, row.error = SubscriptionStatus.SUBSCRIBED.value, None
        if row.expires_at is not None or row.status == SubscriptionStatus.SUBSCRIBED.value:
            row.expires_at, row.updated_at = None, now


def _new(instance: DataSourceInstance, change: ChangeType, *, now: datetime) -> EventSubscription:
    return EventSubscription(instance_id=instance.id, customer_id=instance.customer_id, type=change.value, created_at=now, updated_at=now)


async def _is_baseline_ahead(session: AsyncSession, instance: DataSourceInstance, *, now: datetime) -> bool:
    """Whether the instance is yet to take the baseline that it will be compared with."""
    # Whoever ends a baseline that is told holds this row: it stands before this looks, or is told as it was asked for.
    await session.exec(select(SyncState.instance_id).where(SyncState.instance_id == instance.id).with_for_update())
    has_lapsed = col(SyncState.lapsed_at) < now - LONGEST_LAPSE
    stands = select(SyncGeneration.generation).join(SyncState, col(SyncState.instance_id) == SyncGeneration.instance_id)
    stands = stands.where(
        SyncState.instance_id == instance.id,
        SyncState.generation == SyncGeneration.generation,
        SyncState.instance_generation == instance.generation,
        col(SyncGeneration.baseline_at).is_not(None),
        or_(col(SyncState.lapsed_at).is_(None), ~has_lapsed),
    )
    return (await session.exec(stands)).first() is None


async def _rows(session: AsyncSession, instance_id: UUID) -> Sequence[EventSubscription]:
    return (await session.exec(select(EventSubscription).where(EventSubscription.instance_id == instance_id))).all()
