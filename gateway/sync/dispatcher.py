"""Finds what is due, and offers it to the job engine: again and again, as nothing else knows."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, case, func
from sqlmodel import col, select

from gateway.models import SyncTask, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import times
from gateway.sync.claims import ONE_AT_A_TIME, is_busy
from gateway.sync.jobs import Job, JobEngine

_POLL_SECONDS = 0.5
_GAP_SECONDS = 0.1
"""Between two looks: the bell may ring a hundred times a second."""
_MOST_OF_A_KIND = 150
"""So many tasks of a kind are offered at most: what is asked for now waits for no long backlog, and the queue stays short."""


async def dispatch(runtime: Runtime, engine: JobEngine, *, room_for_full: Callable[[], int]) -> None:
    """Offers what is due until it is cancelled: soon after the bell rang, and else twice a second.

    Of full syncs, which may take long, no more than there is room for. Raises when the database cannot be reached.
    """
    bell = runtime.events.bell
    while True:
        seen = bell.count
        await engine.offer(await due(runtime, most_full=room_for_full()))
        await asyncio.sleep(_GAP_SECONDS)
        await bell.wait(seen, seconds=_POLL_SECONDS)


async def due(runtime: Runtime, *, most_full: int) -> list[Job]:
    """The tasks that could be claimed now, the longest due first; of those that wait for each other only the first.

    Of each kind no more than are good for a while, so that none keeps the others from being offered.
    """
    async with runtime.database.read_once(SYSTEM) as session:
        now, passed = times.now_of_each_run(session, runtime.clock)
        rows = (await session.exec(_due(now), params={**passed, "most_full": min(most_full, _MOST_OF_A_KIND)})).all()
    return [Job(instance_id, TaskKind(kind), fence) for instance_id, kind, fence in rows]


@cache
def _due(moment: ColumnElement[datetime]) -> Any:
    """Those that are due at a moment, `most_full` full syncs among them. Made once: that takes much longer than to run it."""
    now = select(moment).scalar_subquery()  # Asked once, so that the index serves.
    waits = col(SyncTask.kind).in_([kind.value for kind in ONE_AT_A_TIME])
    group = case((waits, col(SyncTask.connection_id)), else_=col(SyncTask.instance_id))
    place = func.row_number().over(partition_by=(col(SyncTask.kind), group), order_by=col(SyncTask.due_at)).label("place")
    columns: tuple[Any, ...] = (SyncTask.instance_id, SyncTask.kind, SyncTask.fence, SyncTask.due_at, place)
    first = select(*columns).where(col(SyncTask.due_at) <= now, ~(waits & is_busy(now))).subquery()
    rank = func.row_number().over(partition_by=first.c.kind, order_by=first.c.due_at).label("rank")
    ranked = select(first, rank).where(first.c.place == 1).subquery()
    most = case((ranked.c.kind == TaskKind.FULL.value, bindparam("most_full", type_=Integer)), else_=_MOST_OF_A_KIND)
    return select(ranked.c.instance_id, ranked.c.kind, ranked.c.fence).where(ranked.c.rank <= most).order_by(ranked.c.due_at)
