"""Instances in sync without a worker: what tests of the parts around the sync engine begin with."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import col, select, update

from gateway.events import log, observations
from gateway.events.log import RecordedEvent, Topic
from gateway.events.observations import Observation, ObservedPlace
from gateway.models import (
    DataSourceInstance,
    EventMethod,
    EventSubscription,
    Pointer,
    Record,
    SyncGeneration,
    SyncRun,
    SyncState,
    SyncTask,
    TaskKind,
)
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime


async def in_sync(runtime: Runtime, instance: DataSourceInstance, pointer: Pointer, *, generation: int = 1) -> ObservedPlace:
    """The instance with a baseline of what it points at, as a worker leaves it; the baseline is empty."""
    now = runtime.clock.now()
    async with runtime.database.write(SYSTEM) as session:
        session.add(
            SyncGeneration(
                instance_id=instance.id,
                generation=generation,
                customer_id=instance.customer_id,
                pointer=pointer.as_json(),
                started_at=now,
                baseline_at=now,
            )
        )
        state = update(SyncState).where(col(SyncState.instance_id) == instance.id)
        await session.exec(state.values(generation=generation, instance_generation=instance.generation))
    return ObservedPlace(instance_id=instance.id, connection_id=instance.connection_id, generation=generation)


async def observe(
    runtime: Runtime,
    place: ObservedPlace,
    seen: Mapping[str, Mapping[str, Any] | None],
    *,
    method: EventMethod = EventMethod.PULL,
    **options: Any,
) -> None:
    """Records what the app has by now: the fields of records by their ids, null for one that is gone."""
    async with runtime.database.write(SYSTEM) as session:
        tick = await observations.tick_of(session, place.instance_id)
        records = {name: Record(external_id=name, fields=dict(fields)) if fields is not None else None for name, fields in seen.items()}
        await observations.observe(
            session,
            place=place,
            observations=[Observation(external_id=name, record=record) for name, record in records.items()],
            since_tick=tick,
            method=method,
            now=runtime.clock.now(),
            **options,
        )
    runtime.events.bell.ring()


async def recorded(runtime: Runtime, instance: DataSourceInstance) -> list[RecordedEvent]:
    """All events of an instance."""
    async with runtime.database.read(SYSTEM) as session:
        return await log.read(session, topic=Topic(instance_id=instance.id), after_pos=0, first=1000)


async def task_of(runtime: Runtime, instance: DataSourceInstance, kind: TaskKind) -> SyncTask:
    """A task of an instance, as it is stored."""
    async with runtime.database.read(SYSTEM) as session:
        return (await session.exec(select(SyncTask).where(SyncTask.instance_id == instance.id, SyncTask.kind == kind.value))).one()


async def change_task(runtime: Runtime, instance: DataSourceInstance, kind: TaskKind, **values: Any) -> None:
    """A task of an instance, as a worker may leave it."""
    tasks = update(SyncTask).where(col(SyncTask.instance_id) == instance.id, col(SyncTask.kind) == kind.value)
    async with runtime.database.write(SYSTEM) as session:
        await session.exec(tasks.values(**values))


async def is_asked_for(runtime: Runtime, instance: DataSourceInstance, kind: TaskKind) -> bool:
    """Whether somebody has asked for a task since `forget_requests`."""
    return (await task_of(runtime, instance, kind)).requested_at is not None


async def forget_requests(runtime: Runtime) -> None:
    """Every task rests, and nobody has asked for any."""
    async with runtime.database.write(SYSTEM) as session:
        await session.exec(update(SyncTask).values(requested_at=None, due_at=None))


async def change_run(runtime: Runtime, run: SyncRun, **values: Any) -> None:
    """A run as a worker may leave it."""
    async with runtime.database.write(SYSTEM) as session:
        await session.exec(update(SyncRun).where(col(SyncRun.id) == run.id).values(**values))


async def subscriptions_of(runtime: Runtime, instance: DataSourceInstance) -> dict[str, EventSubscription]:
    """The subscriptions of an instance by type, as they are stored."""
    async with runtime.database.read(SYSTEM) as session:
        rows = await session.exec(select(EventSubscription).where(EventSubscription.instance_id == instance.id))
        return {row.type: row for row in rows}


async def state_of(runtime: Runtime, instance: DataSourceInstance) -> SyncState:
    """The counters of an instance, as they are stored."""
    async with runtime.database.read(SYSTEM) as session:
        return (await session.exec(select(SyncState).where(SyncState.instance_id == instance.id))).one()


async def change_state(runtime: Runtime, instance: DataSourceInstance, **values: Any) -> None:
    """The counters of an instance, as a worker may leave them."""
    async with runtime.database.write(SYSTEM) as session:
        await session.exec(update(SyncState).where(col(SyncState.instance_id) == instance.id).values(**values))
