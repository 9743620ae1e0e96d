"""A worker: it does what is due, for as long as its block runs, and survives what happens to the database meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog

from gateway.errors import trace_of
from gateway.models import TaskKind
from gateway.runtime import Runtime
from gateway.storage import engines
from gateway.storage.faults import is_outage
from gateway.sync import claims, performing, work
from gateway.sync.dispatcher import dispatch
from gateway.sync.housekeeping import keep_house
from gateway.sync.jobs import Job, JobEngine
from gateway.sync.performing import Perform
from gateway.sync.pgqueuer_jobs import opened_engine

_TIDY_SECONDS = 60.0
_HOUSEKEEPING_SECONDS = 600.0
_PAUSE_SECONDS = 1.0
_RENEWALS_IN_A_LEASE = 3
_SHARE_FOR_OTHERS = 4
"""One slot of so many is not for full syncs, which may take long."""
_log = structlog.get_logger("gateway.sync")


@asynccontextmanager
async def running_worker(runtime: Runtime, *, perform: Perform = work.perform) -> AsyncIterator[None]:
    """Does due tasks of every instance while the block runs; what is under way at its end is given back for others to go on with."""
    if engines.is_sqlite(runtime.database.engine.url):
        await claims.recover(runtime)
    worker = Worker(runtime, perform=perform)
    always = [worker.hand_out, worker.renew_leases, worker.keep_house]
    loops = [asyncio.create_task(_supervised(duty)) for duty in always]
    try:
        yield
    finally:
        await _cancel(loops)
        await _cancel(worker.under_way)


class Worker:
    """The tasks that this process does at a time."""

    def __init__(self, runtime: Runtime, *, perform: Perform) -> None:
        self.owner = uuid4().hex
        self._runtime = runtime
        self._perform = perform
        self._slots = asyncio.Semaphore(runtime.settings.sync_concurrency)
        self._most_full = max(1, runtime.settings.sync_concurrency - max(1, runtime.settings.sync_concurrency // _SHARE_FOR_OTHERS))
        self._jobs: dict[asyncio.Task[None], Job] = {}

    @property
    def under_way(self) -> list[asyncio.Task[None]]:
        """What is being done."""
        return list(self._jobs)

    def start(self, job: Job) -> asyncio.Task[None]:
        """Begins a job, and gives what is done when the job is; one for which there is no room is over at once, and offered again."""
        task = asyncio.create_task(self._do(job) if job.kind is not TaskKind.FULL or self._room_for_full() > 0 else _nothing())
        self._jobs[task] = job
        task.add_done_callback(self._jobs.pop)
        return task

    async def hand_out(self) -> None:
        """Takes what is due from tables to jobs and does it, with one engine; raises when that fails."""
        async with opened_engine(self._runtime.settings) as engine, asyncio.TaskGroup() as group:
            group.create_task(engine.run(self.start))
            group.create_task(dispatch(self._runtime, engine, room_for_full=self._room_for_full))
            group.create_task(_tidy(engine))

    async def renew_leases(self) -> None:
        """Keeps the tasks of this process, for as long as it is alive."""
        while True:
            await asyncio.sleep(self._runtime.settings.sync_lease_seconds / _RENEWALS_IN_A_LEASE)
            await claims.renew(self._runtime, list(self._jobs.values()), owner=self.owner)

    async def keep_house(self) -> None:
        """Lets nothing grow for ever."""
        while True:
            # Replicas that started together do not do it together.
            await asyncio.sleep(_HOUSEKEEPING_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            await keep_house(self._runtime)

    async def _do(self, job: Job) -> None:
        async with self._slots:
            await performing.do(self._runtime, job, owner=self.owner, perform=self._perform)

    def _room_for_full(self) -> int:
        return self._most_full - sum(job.kind is TaskKind.FULL for job in self._jobs.values())


async def _supervised(duty: Callable[[], Awaitable[None]]) -> None:
    """Does it again whenever it ends, until cancelled."""
    while True:
        (outcome,) = await asyncio.gather(duty(), return_exceptions=True)
        for error in _errors(outcome):
            if is_outage(error):
                _log.warning("worker_interrupted", error=type(error).__name__)
            else:
                _log.error("worker_defect", exception=trace_of(error))
        await asyncio.sleep(_PAUSE_SECONDS)


def _errors(outcome: BaseException | None) -> Iterator[BaseException]:
    if isinstance(outcome, BaseExceptionGroup):
        for error in outcome.exceptions:
            yield from _errors(error)
    elif outcome is not None:
        yield outcome


async def _tidy(engine: JobEngine) -> None:
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        await engine.tidy()


async def _nothing() -> None:
    pass


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
