"""Tasks of instances, asked for and looked at from outside the sync engine."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from gateway.events.requests import request
from gateway.models import DataSourceInstance, SyncRun, SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.sync import claims
from gateway.sync.tasks import Task, place_of

LEASE_SECONDS = 15


async def ask(runtime: Runtime, *instances: DataSourceInstance, kind: TaskKind = TaskKind.PULL) -> None:
    """Asks for work on instances, as services do."""
    async with runtime.database.write(SYSTEM) as session:
        await request(session, runtime.clock, instance_ids=[instance.id for instance in instances], kinds=[kind])
    runtime.events.bell.ring()


async def rest(runtime: Runtime, kinds: Collection[TaskKind] = tuple(TaskKind)) -> None:
    """Lets no task be due, whatever asked for it."""
    async with runtime.database.write(SYSTEM) as session:
        tasks = update(SyncTask).where(col(SyncTask.kind).in_([kind.value for kind in kinds]))
        await session.exec(tasks.values(due_at=None, requested_at=None))


async def claimed(runtime: Runtime, instance: DataSourceInstance, kind: TaskKind = TaskKind.PULL, *, owner: str = "first") -> Task:
    """The task, claimed."""
    task = await claims.claim(runtime, instance.id, kind, owner=owner)
    assert task is not None
    return task


async def row_of(runtime: Runtime, instance_id: UUID, kind: TaskKind = TaskKind.PULL) -> SyncTask:
    """The task as it is stored."""
    async with runtime.database.read(SYSTEM) as session:
        return (await session.exec(select(SyncTask).where(place_of(instance_id, kind)))).one()


async def runs_of(runtime: Runtime, instance: DataSourceInstance) -> list[dict[str, Any]]:
    """What is told of each run, oldest first."""
    names = {"kind", "status", "conclusion", "record_count", "event_count", "page_count", "missing_count", "error"}
    async with runtime.database.read(SYSTEM) as session:
        runs = await session.exec(select(SyncRun).where(col(SyncRun.instance_id) == instance.id).order_by(col(SyncRun.id)))
        return [run.model_dump(include=names) for run in runs]


def seconds(count: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=count)
