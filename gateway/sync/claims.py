"""Who is at a task: one worker at a time, and for pulls and full syncs one task at a time per connection."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, null, tuple_, update
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.storage.statements import take_turn
from gateway.sync.jobs import Job
from gateway.sync.tasks import Task, place_of

ONE_AT_A_TIME = (TaskKind.PULL, TaskKind.FULL)
"""What a connection has under way once at most."""


async def claim(runtime: Runtime, instance_id: UUID, kind: TaskKind, *, owner: str) -> Task | None:
    """The task, with its lease begun; null when it is not due, or when it must wait for another one of its connection.

    A task whose lease has ended is taken from whoever held it.
    """
    async with runtime.database.write(SYSTEM) as session:
        connection_id = (await session.exec(select(SyncTask.connection_id).where(place_of(instance_id, kind)))).first()
        if connection_id is None:
            return None
        conditions = [place_of(instance_id, kind), col(SyncTask.due_at) <= times.now(session, runtime.clock)]
        if kind in ONE_AT_A_TIME:
            # Else two workers would each see the connection free.
            await take_turn(session, f"sync {kind} {connection_id}")
            conditions.append(~_is_busy(session, runtime, instance_id=instance_id, connection_id=connection_id, kind=kind))

        claimed = (
            update(SyncTask)
            .where(*conditions)
            .values(**_claimed(session, runtime, owner))
            .returning(SyncTask)
            .execution_options(synchronize_session=False)
        )
        row = (await session.exec(claimed)).scalar_one_or_none()
    return Task.from_row(runtime, row) if row is not None else None


def _claimed(session: AsyncSession, runtime: Runtime, owner: str) -> dict[str, Any]:
    return {
        "fence": col(SyncTask.fence) + 1,
        "owner": owner,
        "started_at": times.now(session, runtime.clock),
        "due_at": times.later(session, runtime.clock, seconds=runtime.settings.sync_lease_seconds),
        # A request is answered by what starts after it; what goes on after a crash may have read too early.
        "requested_at": case((col(SyncTask.owner).is_(None), null()), else_=col(SyncTask.requested_at)),
    }


def _is_busy(session: AsyncSession, runtime: Runtime, *, instance_id: UUID, connection_id: UUID, kind: TaskKind) -> ColumnElement[bool]:
    """Whether another task of the kind is under way in the connection."""
    other = aliased(SyncTask)
    is_another = and_(other.connection_id == connection_id, other.kind == kind.value, other.instance_id != instance_id)
    is_alive = and_(col(other.owner).is_not(None), col(other.due_at) > times.now(session, runtime.clock))
    return exists(select(other.instance_id).where(is_another, is_alive))


async def renew(runtime: Runtime, jobs: Collection[Job], *, owner: str) -> None:
    """Begins the leases of these tasks anew, where they are the owner's: its process is alive, though an app keeps it waiting."""
    if not jobs:
        return
    mine = (tuple_(SyncTask.instance_id, SyncTask.kind).in_([(job.instance_id, job.kind.value) for job in jobs]), SyncTask.owner == owner)
    async with runtime.database.write(SYSTEM) as session:
        # What is locked is being committed, which renews it; and whoever waits for nobody is in nobody's way.
        free = select(SyncTask.instance_id, SyncTask.kind).where(*mine).with_for_update(skip_locked=True)
        alive = [tuple(row) for row in (await session.exec(free)).all()]
        lease = times.later(session, runtime.clock, seconds=runtime.settings.sync_lease_seconds)
        await session.exec(update(SyncTask).where(tuple_(SyncTask.instance_id, SyncTask.kind).in_(alive)).values(due_at=lease))


async def recover(runtime: Runtime) -> None:
    """Makes due at once what was under way when the process before this one ended; on SQLite, where there is one at a time."""
    async with runtime.database.write(SYSTEM) as session:
        orphaned = update(SyncTask).where(col(SyncTask.owner).is_not(None))
        await session.exec(orphaned.values(due_at=times.now(session, runtime.clock)))
