"""The runs of pulls and full syncs, as people see them. Each function is one step within a commit of the task."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import GatewayError
from gateway.models import SyncConclusion, SyncKind, SyncRun, SyncStatus, TaskKind
from gateway.sync.tasks import Task, told

KIND_OF_RUN = {TaskKind.PULL: SyncKind.PULL_UPDATES, TaskKind.FULL: SyncKind.FULL_SYNC}


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A run as it stands in this commit."""

    run_id: UUID
    is_held: bool
    is_cancelled: bool
    """Whether somebody asked to end it."""
    is_released: bool
    """Whether somebody let it delete however many records are missing."""


async def begin(task: Task, session: AsyncSession) -> RunState:
    """The run that the task's work counts for: the interrupted one, else the oldest that somebody asked for, else a new one."""
    kind = KIND_OF_RUN[task.kind]
    of_instance = (col(SyncRun.instance_id) == task.instance_id) & (col(SyncRun.kind) == kind.value)
    waiting = select(SyncRun.id).where(of_instance, col(SyncRun.status) == SyncStatus.QUEUED.value).order_by(col(SyncRun.id)).limit(1)
    run_id = task.run_id or (await session.exec(waiting)).first()
    if run_id is None:
        return await _new(task, session, kind)
    await task.keep_run(session, run_id)
    started_at = func.coalesce(col(SyncRun.started_at), await task.now(session))
    return await _change(task, session, {"status": SyncStatus.IN_PROGRESS.value, "started_at": started_at})


async def _new(task: Task, session: AsyncSession, kind: SyncKind) -> RunState:
    now = await task.now(session)
    run = SyncRun(
        instance_id=task.instance_id,
        customer_id=task.customer_id,
        kind=kind.value,
        status=SyncStatus.IN_PROGRESS.value,
        created_at=now,
        started_at=now,
    )
    session.add(run)
    await task.keep_run(session, run.id)
    return RunState(run_id=run.id, is_held=False, is_cancelled=False, is_released=False)


async def count(
    task: Task, session: AsyncSession, *, records: int = 0, events: int = 0, pages: int = 0, missing: int | None = None
) -> RunState:
    """Adds to the run's counters, and tells what people asked of it meanwhile; `missing` replaces what was counted before."""
    values: dict[str, Any] = {
        "record_count": col(SyncRun.record_count) + records,
        "event_count": col(SyncRun.event_count) + events,
        "page_count": col(SyncRun.page_count) + pages,
    }
    return await _change(task, session, values if missing is None else {**values, "missing_count": missing})


async def hold(task: Task, session: AsyncSession, *, missing: int) -> RunState:
    """The run waits for somebody who releases it, or for a listing that misses less."""
    return await _change(task, session, {"status": SyncStatus.HELD.value, "missing_count": missing})


async def end(task: Task, session: AsyncSession, conclusion: SyncConclusion, *, error: GatewayError | None = None) -> None:
    """The run is over, and the task's next work counts for another one."""
    now = await task.now(session)
    outcome = {"conclusion": conclusion.value, "error": told(error) if error is not None else None}
    await _change(task, session, {"status": SyncStatus.COMPLETED.value, "completed_at": now, **outcome})
    await task.keep_run(session, None)


async def _change(task: Task, session: AsyncSession, values: dict[str, Any]) -> RunState:
    changed = update(SyncRun).where(col(SyncRun.id) == task.run_id).values(**values)
    told_of = changed.returning(col(SyncRun.id), col(SyncRun.status), col(SyncRun.is_cancelled), col(SyncRun.is_released))
    run_id, status, is_cancelled, is_released = (await session.exec(told_of.execution_options(synchronize_session=False))).one()
    return RunState(run_id=run_id, is_held=status == SyncStatus.HELD.value, is_cancelled=is_cancelled, is_released=is_released)
