"""One task from its claim to its end, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from gateway.errors import FencedError, GatewayError, InternalError, trace_of
from gateway.runtime import Runtime
from gateway.storage.faults import is_outage
from gateway.sync import claims, endings
from gateway.sync.jobs import Job
from gateway.sync.tasks import Task

Perform = Callable[[Runtime, Task], Awaitable[None]]
"""Does a task: commits what it finds through it, and ends it with `finish`, `hold` or `fail`.

An error that it raises instead is recorded, and the task goes on after a pause; FencedError ends it without a word.
"""

_RETRY_SECONDS = 1.0
_PATIENCE_SECONDS = 10.0
"""So long a worker that ends waits for a database that is away."""
_log = structlog.get_logger("gateway.sync")


async def do(runtime: Runtime, job: Job, *, owner: str, perform: Perform) -> None:
    """Claims a task, does it and ends it; returns at once when it is not to be had.

    Cancelled, it gives the task back. Raises nothing of what goes wrong with the task, which is recorded or logged.
    """
    (claimed,) = await asyncio.gather(claims.claim(runtime, job.instance_id, job.kind, owner=owner), return_exceptions=True)
    if isinstance(claimed, BaseException):
        _tell(job, claimed)
    elif claimed is not None:
        await _do(runtime, claimed, job, perform)


async def _do(runtime: Runtime, task: Task, job: Job, perform: Perform) -> None:
    try:
        (outcome,) = await asyncio.gather(perform(runtime, task), return_exceptions=True)
        (ending,) = await asyncio.gather(_end(task, outcome), return_exceptions=True)
    except asyncio.CancelledError:
        await _give_back(task)
        raise
    if isinstance(ending, BaseException):
        _tell(job, ending)


async def _end(task: Task, outcome: BaseException | None) -> None:
    if outcome is None and not task.is_ended:
        outcome = InternalError(f"The task {task.kind} was neither finished nor failed.")
    if outcome is None:
        return
    if isinstance(outcome, FencedError):
        raise outcome
    if is_outage(outcome) or isinstance(outcome, asyncio.CancelledError):
        _log.warning("sync_interrupted", instance_id=str(task.instance_id), kind=task.kind, error=type(outcome).__name__)
        await _give_back(task, pause_seconds=_RETRY_SECONDS)
        return
    await _fail(task, outcome)


async def _fail(task: Task, outcome: BaseException) -> None:
    # The text of a defect goes to the log, and nowhere else.
    error = outcome if isinstance(outcome, GatewayError) else InternalError(trace_of(outcome))
    await endings.failed(task.runtime, task, error, has_moved=False)


async def _give_back(task: Task, *, pause_seconds: float = 0) -> None:
    """Lets others go on, if the database answers again soon; else they do when the lease ends."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                (outcome,) = await asyncio.gather(task.release(pause_seconds=pause_seconds), return_exceptions=True)
                if outcome is None or not is_outage(outcome):
                    return
                await asyncio.sleep(_RETRY_SECONDS)


def _tell(job: Job, error: BaseException) -> None:
    if isinstance(error, FencedError):
        _log.info("sync_taken_over", instance_id=str(job.instance_id), kind=job.kind)
    elif is_outage(error):
        _log.warning("sync_unreachable", instance_id=str(job.instance_id), kind=job.kind, error=type(error).__name__)
    else:
        _log.error("sync_defect", instance_id=str(job.instance_id), kind=job.kind, exception=trace_of(error))
