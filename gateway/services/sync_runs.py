"""Sync runs: asked for, ended, let go on. What they do, the sync engine decides."""

from typing import Any
from uuid import UUID

from sqlalchemy import update as update_rows
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import ConflictError, InvalidError, UnsupportedError
from gateway.events.requests import request as request_tasks
from gateway.models import (
    ChangeType,
    EventSubscription,
    Principal,
    SyncConclusion,
    SyncKind,
    SyncRun,
    SyncStatus,
    SyncTask,
    TaskKind,
)
from gateway.runtime import Runtime
from gateway.services import detection, elements, selection
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.selectors import DataSourceInstanceSelector

TASKS = {SyncKind.PULL_UPDATES: TaskKind.PULL, SyncKind.FULL_SYNC: TaskKind.FULL}
"""Which task does a run of a kind."""

_BY = ["input", "by"]
_KIND = ["input", "kind"]
_ID = ["input", "id"]


async def request(runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector, kind: SyncKind) -> SyncRun:
    """The run that begins as soon as its turn comes: a new one that is queued, or the one that waits already or goes on by this.

    Raises NotFoundError, NoCollectionSelectedError; InvalidError for what is archived, and where nobody is subscribed; UnsupportedError
    where the collection has no updates to pull.
    """
    async with runtime.database.write(principal) as session:
        context = await read_context(session, await selection.instance(session, principal, by, field=_BY))
        await _require_synced(session, runtime, context, kind)
        # First of all: it keeps the task from being claimed, and another request from queueing a run of its own.
        await _request(session, runtime, context.instance.id, kind)
        run = await _waiting(session, context.instance.id, kind)
        if run is None:
            instance = context.instance
            run = SyncRun(instance_id=instance.id, customer_id=instance.customer_id, kind=kind.value, created_at=runtime.clock.now())
            session.add(run)
    runtime.events.bell.ring()
    return run


async def cancel(runtime: Runtime, principal: Principal, *, id: UUID) -> SyncRun:
    """The run, which has ended, or ends before it reads another page; what it has recorded stays. Safe to repeat.

    Raises NotFoundError; ConflictError for a run that ended before.
    """
    async with runtime.database.write(principal) as session:
        run = await selection.by_id(session, SyncRun, id, field=_ID)
        if run.conclusion == SyncConclusion.CANCELLED.value:
            return run
        now = runtime.clock.now()
        ended = {"status": SyncStatus.COMPLETED.value, "conclusion": SyncConclusion.CANCELLED.value, "completed_at": now}
        is_idle = await _is_idle(session, run)
        if is_idle and run.status in (SyncStatus.HELD.value, SyncStatus.IN_PROGRESS.value):
            # Whoever goes on with it finds that it is to end.
            await _request(session, runtime, run.instance_id, SyncKind(run.kind))
        if not await _changed(session, run, {"is_cancelled": True, **ended}, SyncStatus.QUEUED) and not await _changed(
            session, run, {"is_cancelled": True}, SyncStatus.IN_PROGRESS, SyncStatus.HELD
        ):
            raise ConflictError("The run has ended already.", field=_ID)
        await session.refresh(run)
    runtime.events.bell.ring()
    return run


async def release(runtime: Runtime, principal: Principal, *, id: UUID) -> SyncRun:
    """The run that was held, which lists the collection once more and then tells every record that is missing as deleted. Safe to repeat.

    Raises NotFoundError; ConflictError for a run that is not held.
    """
    async with runtime.database.write(principal) as session:
        run = await selection.by_id(session, SyncRun, id, field=_ID)
        await _request(session, runtime, run.instance_id, SyncKind(run.kind))
        if not await _changed(session, run, {"is_released": True}, SyncStatus.HELD):
            raise ConflictError(f"The run is not held, it is {run.status}: there is nothing to release.", field=_ID)
        await session.refresh(run)
    runtime.events.bell.ring()
    return run


async def _require_synced(session: AsyncSession, runtime: Runtime, context: InstanceContext, kind: SyncKind) -> None:
    context.require_in_use(field=_BY)
    elements.pointer_of(runtime, context.settings(runtime), context.integration)
    statement = select(EventSubscription).where(EventSubscription.instance_id == context.instance.id)
    now = runtime.clock.now()
    if not any(row.is_live(now) for row in await session.exec(statement)):
        raise InvalidError("Nobody is interested in changes of this instance, so it is not synced. Subscribe to them first.", field=_BY)
    if kind is SyncKind.PULL_UPDATES and not detection.detection_of(runtime, context, frozenset(ChangeType)).uses_pull:
        message = "The collection does not tell what changed, so it can only be read whole. Ask for a FULL_SYNC."
        raise UnsupportedError(message, field=_KIND)


async def _request(session: AsyncSession, runtime: Runtime, instance_id: UUID, kind: SyncKind) -> None:
    await request_tasks(session, runtime.clock, instance_ids=[instance_id], kinds=[TASKS[kind]])


async def _waiting(session: AsyncSession, instance_id: UUID, kind: SyncKind) -> SyncRun | None:
    """The run that the request leads to: one that was interrupted, failed or is held and goes on; else one that is queued."""
    task = select(SyncTask.run_id).where(SyncTask.instance_id == instance_id, SyncTask.kind == TASKS[kind].value)
    run_id = (await session.exec(task.where(col(SyncTask.owner).is_(None)))).first()
    runs = select(SyncRun).where(SyncRun.instance_id == instance_id, SyncRun.kind == kind.value)
    if run_id is not None:
        run = (await session.exec(runs.where(SyncRun.id == run_id, SyncRun.status != SyncStatus.COMPLETED.value))).first()
        if run is not None:
            return run
    return (await session.exec(runs.where(SyncRun.status == SyncStatus.QUEUED.value).order_by(col(SyncRun.id)).limit(1))).first()


async def _is_idle(session: AsyncSession, run: SyncRun) -> bool:
    statement = select(SyncTask.owner).where(SyncTask.instance_id == run.instance_id, SyncTask.kind == TASKS[SyncKind(run.kind)].value)
    return (await session.exec(statement)).first() is None


async def _changed(session: AsyncSession, run: SyncRun, values: dict[str, Any], *statuses: SyncStatus) -> bool:
    """Whether the run was in one of these states, and has the values now."""
    in_state = col(SyncRun.status).in_([status.value for status in statuses])
    statement = update_rows(SyncRun).where(col(SyncRun.id) == run.id, in_state).values(**values)
    return (await session.exec(statement, execution_options={"synchronize_session": False})).rowcount == 1
