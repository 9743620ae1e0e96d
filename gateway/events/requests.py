"""Asking for work on instances: whoever has a reason writes it down here, and a worker finds it."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import case, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from gateway.clock import Clock
from gateway.models import SyncTask, TaskKind
from gateway.storage import times


async def request(
    session: AsyncSession, clock: Clock, *, instance_ids: Collection[UUID] | SelectOfScalar[UUID], kinds: Collection[TaskKind]
) -> None:
    """Makes tasks of instances due now, in the caller's unit of work; one that is under way starts once more when it ends.

    A pause after a failure ends by it. Ring the bell after the commit.
    """
    now = times.now(session, clock)
    tasks = update(SyncTask).where(col(SyncTask.instance_id).in_(instance_ids), col(SyncTask.kind).in_([kind.value for kind in kinds]))
    due_at = case((col(SyncTask.owner).is_(None), now), else_=col(SyncTask.due_at))
    await session.exec(tasks.values(requested_at=now, due_at=due_at))
