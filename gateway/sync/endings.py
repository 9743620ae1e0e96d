"""How the work of a task begins and ends, whatever it is."""

from datetime import datetime

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import GatewayError, InternalError
from gateway.models import SyncConclusion, TaskKind
from gateway.runtime import Runtime
from gateway.sync import followed, interest, requests, runs, schedule, sweep
from gateway.sync.followed import Followed
from gateway.sync.pages import CancelledRunError, Work
from gateway.sync.tasks import Task

_log = structlog.get_logger("gateway.sync")
_WITH_RUNS = (TaskKind.PULL, TaskKind.FULL)
_MOST_ATTEMPTS_OF_A_RUN = 10


async def begin(work: Work) -> runs.RunState:
    """The run that the work counts for. Raises CancelledRunError when somebody has asked to end it before it began."""
    async with work.task.commit() as session:
        state = await runs.begin(work.task, session)
    if state.is_cancelled:
        raise CancelledRunError("The run was cancelled.")
    return state


def next_at(runtime: Runtime, subject: Followed, kind: TaskKind, *, now: datetime) -> datetime | None:
    """When a pull or a full sync starts again by its interval; null where what somebody is interested in takes none."""
    interval = subject.interval_seconds(runtime, kind)
    return schedule.next_time(now, interval_seconds=interval, chance=schedule.chance()) if interval is not None else None


async def finish_well(runtime: Runtime, task: Task, session: AsyncSession, at: datetime | None) -> None:
    """Ends the task well, as the last step of a commit, and tells those who are interested."""
    await interest.tell_success(session, runtime.clock, instance_id=task.instance_id, kind=task.kind)
    await task.finish(session, at)


async def cancelled(runtime: Runtime, task: Task) -> None:
    """Ends the task whose run somebody asked to end; it starts again by its interval."""
    subject = await followed.read(runtime, task.instance_id)
    await _forget_stage(task)
    async with task.commit() as session:
        await runs.end(task, session, SyncConclusion.CANCELLED)
        is_followed = subject is not None and bool(subject.subscriptions)
        now = await task.now(session)
        await task.finish(session, next_at(runtime, subject, task.kind, now=now) if is_followed and subject is not None else None)


async def moved_on(runtime: Runtime, task: Task) -> None:
    """Ends the task whose instance points elsewhere by now, or which nobody is interested in: SETUP finds out what follows."""
    await requests.ask_for(runtime, task.instance_id, TaskKind.SETUP)
    await _forget_stage(task)
    async with task.commit() as session:
        if task.run_id is not None:
            await runs.end(task, session, SyncConclusion.CANCELLED)
        await task.finish(session, None)


async def failed(runtime: Runtime, task: Task, error: GatewayError, *, has_moved: bool) -> None:
    """Ends the task with an error: it is tried again after a pause, the longer the more often it failed without coming any further."""
    shown = _shown(task, error)
    pause = schedule.pause_seconds(error, failures=0 if has_moved else task.failures, chance=schedule.chance())
    goes_on = task.kind is TaskKind.FULL and error.is_retriable and bool(task.progress) and task.failures < _MOST_ATTEMPTS_OF_A_RUN
    if not goes_on:
        await _forget_stage(task)
    async with task.commit() as session:
        if task.kind in _WITH_RUNS and not goes_on:
            if task.run_id is None:
                await runs.begin(task, session)
            await runs.end(task, session, SyncConclusion.FAILURE, error=shown)
        if task.kind is TaskKind.FULL and not goes_on:
            await task.save(session, progress=None)
        await interest.tell_failure(session, runtime.clock, instance_id=task.instance_id, error=shown)
        await task.record_failure(session, shown, pause_seconds=pause)


def _shown(task: Task, error: GatewayError) -> GatewayError:
    """The error as people may see it; a defect is for the log."""
    if not isinstance(error, InternalError):
        return error
    _log.error("sync_defect", instance_id=str(task.instance_id), kind=task.kind.value, exception=error.message)
    return InternalError("The gateway or its connector has a defect here. Its log says more.")


async def _forget_stage(task: Task) -> None:
    if task.kind in _WITH_RUNS and task.run_id is not None:
        await sweep.forget_stage(task, task.run_id)
