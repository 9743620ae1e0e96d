"""Asking for other tasks of the same instance.

Always in a unit of work of its own, and never within a commit of a task: one that held the row of a task while it waits for
that of another one would wait for ever when the other does the same.
"""

from uuid import UUID

from sqlalchemy import case, null, update
from sqlmodel import and_, col

from gateway.events.requests import request
from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.sync.tasks import place_of


async def ask_for(runtime: Runtime, instance_id: UUID, *kinds: TaskKind) -> None:
    """Makes tasks due now; one that is under way starts once more when it ends."""
    for kind in kinds:
        async with runtime.database.write(SYSTEM) as session:
            await request(session, runtime.clock, instance_ids=[instance_id], kinds=[kind])
    runtime.events.bell.ring()


async def plan(runtime: Runtime, instance_id: UUID, kind: TaskKind, *, seconds: float | None, unless_within: float = 0) -> None:
    """Makes a task start within so many seconds, or rest until it is asked for when that is null.

    One that is planned `unless_within` seconds from now stays as planned. One that is under way, pauses after a failure or was
    asked for is left alone.
    """
    async with runtime.database.write(SYSTEM) as session:
        is_free = and_(col(SyncTask.owner).is_(None), col(SyncTask.failures) == 0, col(SyncTask.requested_at).is_(None))
        task = update(SyncTask).where(place_of(instance_id, kind), is_free)
        if seconds is None:
            await session.exec(task.values(due_at=null(), next_at=null()))
            return
        latest = times.later(session, runtime.clock, seconds=seconds)
        is_sooner = and_(
            col(SyncTask.due_at).is_not(None), col(SyncTask.due_at) <= times.later(session, runtime.clock, seconds=unless_within)
        )
        moment = case((is_sooner, col(SyncTask.due_at)), else_=latest)
        await session.exec(task.values(due_at=moment, next_at=moment))
