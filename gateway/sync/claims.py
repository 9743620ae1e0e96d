"""Who is at a task: one worker at a time, and for pulls and full syncs one task at a time per connection."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, null, tuple_, update
from sqlalchemy.orm import aliased
from sqlmodel import and_, col, exists, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.sync.jobs import Job
from gateway.sync.tasks import Task, place_of

ONE_AT_A_TIME = (TaskKind.PULL, TaskKind.FULL)
"""What a connection has under way once at most."""
# Made once, columns and all: that took most of the time of `is_busy`, and threads that make an alias's columns at once can get wrong ones.
_OTHER = aliased(SyncTask)
_IS_ANOTHER = and_(_OTHER.connection_id == SyncTask.connection_id, _OTHER.kind == SyncTask.kind, _OTHER.instance_id != SyncTask.instance_id)
_IS_UNDER_WAY, _LEASE_ENDS_AT = col(_OTHER.owner).is_not(None), col(_OTHER.due_at)


async def claim(runtime: Runtime, instance_id: UUID, kind: TaskKind, *, owner: str) -> Task | None:
    """The task, with its lease begun; null when it is not due, or when it must wait for another one of its connection.

    A task whose lease has ended is taken from whoever held it.
    """
    async with runtime.database.write(SYSTEM) as session:
        now = times.now(session, runtime.clock)
        conditions = [place_of(instance_id, kind), col(SyncTask.due_at) <= now]
        if kind in ONE_AT_A_TIME:
            await _take_turn(session, instance_id, kind)
            conditions.append(~is_busy(now))

        claimed = update(SyncTask).where(*conditions).values(**_claimed(session, runtime, owner)).returning(SyncTask)
        row = (await session.exec(claimed.execution_options(synchronize_session=False))).scalar_one_or_none()
    return Task.from_row(runtime, row) if row is not None else None


def is_busy(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Whether another task of the same kind is under way in the task's connection."""
    return exists(select(_OTHER.instance_id).where(_IS_ANOTHER, _IS_UNDER_WAY, now < _LEASE_ENDS_AT))


async def _take_turn(session: AsyncSession, instance_id: UUID, kind: TaskKind) -> None:
    """Returns when nobody else claims in the task's connection: else two workers would each see it free."""
    if session.get_bind().dialect.name == "postgresql":
        name = func.concat("sync ", kind.value, " ", col(SyncTask.connection_id))
        await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))).where(place_of(instance_id, kind)))


def _claimed(session: AsyncSession, runtime: Runtime, owner: str) -> dict[str, Any]:
    return {
        "fence": col(SyncTask.fence) + 1,
        "owner": owner,
        "started_at": times.now(session, runtime.clock),
        "due_at": times.later(session, runtime.clock, seconds=runtime.settings.sync_lease_seconds),
        # A request is answered by what starts after it; what goes on after a crash may have read too early.
        "requested_at": case((col(SyncTask.owner).is_(None), null()), else_=col(SyncTask.requested_at)),
    }


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
