"""Rows as they change: looked at when the bell rings, and told when they are others than last time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from typing import TypeVar
from uuid import UUID

import structlog
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import DataSourceInstance, EventSubscription, Principal, SyncRun, SyncTask
from gateway.runtime import Runtime
from gateway.services import selection
from gateway.services.instance_context import read_context
from gateway.storage.faults import UNREACHABLE

_POLL_SECONDS = 2.0
_TOGETHER_SECONDS = 0.2
"""What changes within this time is told as one change."""
_LONGEST_PAUSE_SECONDS = 1.6

Row = TypeVar("Row", bound=SQLModel)
Sight = tuple[Row, Hashable]
"""A row, and all that is told of it when it changes."""

_log = structlog.get_logger("gateway.services")


def instance(runtime: Runtime, principal: Principal, id: UUID) -> AsyncGenerator[DataSourceInstance, None]:
    """An instance now, and each time it or what it depends on has changed. Raises NotFoundError once it is gone."""

    async def look() -> Sight[DataSourceInstance]:
        async with runtime.database.read(principal) as session:
            row = await selection.by_id(session, DataSourceInstance, id, field=["by"])
            return row, await _dependencies(session, row)

    return _watched(runtime, ("instance", principal, id), look)


def run(runtime: Runtime, principal: Principal, id: UUID) -> AsyncGenerator[SyncRun, None]:
    """A run now, and each time it has got on. Raises NotFoundError once it is gone."""

    async def look() -> Sight[SyncRun]:
        async with runtime.database.read(principal) as session:
            row = await selection.by_id(session, SyncRun, id, field=["id"])
            return row, repr(sorted(row.model_dump().items()))

    return _watched(runtime, ("run", principal, id), look)


async def _watched(runtime: Runtime, key: Hashable, look: Callable[[], Awaitable[Sight[Row]]]) -> AsyncGenerator[Row, None]:
    bell, told, pause = runtime.events.bell, None, _TOGETHER_SECONDS
    while True:
        seen = bell.count
        try:
            row, sight = await runtime.events.sharing.get(key, look, seconds=_TOGETHER_SECONDS)
        except UNREACHABLE as error:
            _log.warning("A stream could not look at its row", error=type(error).__name__)
        else:
            if sight != told:
                told, pause = sight, _TOGETHER_SECONDS
                yield row
        has_rung = await bell.wait(seen, seconds=_POLL_SECONDS) != seen
        # Others who look at the same do so within this time: none of them gets an answer from before the ring.
        await asyncio.sleep(pause)
        # A bell that rings all the time, and for others, is answered less often.
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS) if has_rung else _TOGETHER_SECONDS


async def _dependencies(session: AsyncSession, row: DataSourceInstance) -> Hashable:
    context = await read_context(session, row)
    rows = (row, context.connection, context.integration, context.root, context.customization)
    subscription, task = EventSubscription, SyncTask
    subscriptions = select(subscription.type, subscription.status, subscription.error, col(subscription.expires_at).is_(None))
    tasks = select(task.kind, task.error).where(task.instance_id == row.id).order_by(task.kind)
    return (
        tuple((each.id, each.revision, each.updated_at) for each in rows if each is not None),
        repr((await session.exec(subscriptions.where(subscription.instance_id == row.id).order_by(subscription.type))).all()),
        repr((await session.exec(tasks)).all()),
    )
