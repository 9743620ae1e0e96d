"""The job engine on PgQueuer: its tables on PostgreSQL, shared by replicas; its memory beside SQLite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.errors import FailingListenerError
from pgqueuer.models import Job as QueuedJob

from gateway.config import Settings
from gateway.models import TaskKind
from gateway.storage import engines
from gateway.sync import pgqueuer_tables
from gateway.sync.jobs import Job, JobEngine, Start
from gateway.sync.pgqueuer_tables import TABLES, WatchedDriver

_ENTRYPOINT = "sync"
_URGENT = (TaskKind.SETUP,)
"""What goes before the others, as it is short and all else follows from it. Among the others the first is first: none would starve."""
_POLL = timedelta(seconds=1)
"""How soon a job is found whose notice got lost."""
_LARGEST_BATCH = 10
_PROBE_SECONDS = 30.0
_ANSWER = timedelta(seconds=10)
_CLOSE_SECONDS = 2.0
_KEPT = timedelta(minutes=10)


@asynccontextmanager
async def opened_engine(settings: Settings) -> AsyncIterator[JobEngine]:
    """An engine with connections of its own, for one run; its tables are made or brought up to date before.

    Raises when the queue cannot be reached.
    """
    url = engines.parse_url(settings.database_url)
    if engines.is_sqlite(url):
        memory = pgqueuer_tables.queries_in_memory()
        queue = PgQueuer(connection=memory.driver, channel=TABLES.channel, queries=memory)
        yield PgQueuerEngine(queue, settings, ended=asyncio.Event(), tidy=memory.clear_queue_log, give_up=lambda: None)
        return

    await pgqueuer_tables.install(url)
    pool = await asyncpg.create_pool(**pgqueuer_tables.options(url), min_size=2, max_size=4)
    try:
        ended = asyncio.Event()
        driver = WatchedDriver(pool, on_failure=ended.set)
        queue = PgQueuer(connection=driver, channel=TABLES.channel, queries=pgqueuer_tables.queries_over(driver))
        forget = partial(pgqueuer_tables.forget_log, pool, older_than=_KEPT)
        yield PgQueuerEngine(queue, settings, ended=ended, tidy=forget, give_up=pool.terminate)
    finally:
        # Closing would wait for links that may be dead.
        pool.terminate()


class PgQueuerEngine:
    """A PgQueuer for as long as its store answers."""

    def __init__(
        self, queue: PgQueuer, settings: Settings, *, ended: asyncio.Event, tidy: Callable[[], Awaitable[None]], give_up: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._concurrency = settings.sync_concurrency
        # What a worker that died had picked is free again before its leases end, so that the tables alone decide.
        self._heartbeat = timedelta(seconds=settings.sync_lease_seconds / 2)
        self._ended = ended
        self._tidy = tidy
        self._give_up = give_up

    async def offer(self, jobs: Sequence[Job]) -> None:
        """Queues jobs, but for those that wait or are under way anywhere already. Raises when the queue cannot be reached."""
        keys = [job.key for job in jobs]
        if keys:
            await self._queue.qm.queries.enqueue(
                [_ENTRYPOINT] * len(keys),
                [key.encode() for key in keys],
                [int(job.kind in _URGENT) for job in jobs],
                dedupe_key=list(keys),
                on_conflict="skip",
            )

    async def run(self, start: Start) -> None:
        """Starts jobs, no more at a time than the process may have, until it is cancelled; it leaves those under way to who started them.

        Raises when the queue cannot be reached: take another engine then.
        """

        @self._queue.entrypoint(_ENTRYPOINT)
        async def do(job: QueuedJob) -> None:
            work = start(Job.from_key((job.payload or b"").decode()))
            await _either(work, self._ended)

        batch = max(1, min(_LARGEST_BATCH, self._concurrency // 2))
        running = asyncio.create_task(
            self._queue.qm.run(
                dequeue_timeout=_POLL,
                batch_size=batch,
                max_concurrent_tasks=max(self._concurrency, 2 * batch),
                heartbeat_timeout=self._heartbeat,
                # Nobody looks at its statistics.
                log_aggregation_interval=timedelta(0),
            )
        )
        probing = asyncio.create_task(self._probe())
        # After a failure a job is over for the queue once it begins: it would start all there are.
        failing = asyncio.create_task(_until(self._ended))
        try:
            await asyncio.wait({running, probing, failing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(running, probing)
        for task in (running, probing):
            if not task.cancelled():
                task.result()
        raise ConnectionError("The job queue ended.")

    async def tidy(self) -> None:
        """Forgets what the queue remembers of jobs that are over."""
        await self._tidy()

    async def _probe(self) -> None:
        """Ends when the link on which notices come is dead: it would look healthy for ever."""
        while True:
            await asyncio.sleep(_PROBE_SECONDS)
            try:
                await self._queue.qm.listener_healthy(timeout=_ANSWER)
            except FailingListenerError as error:
                raise ConnectionError("The link on which notices of jobs come is dead.") from error

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        self._ended.set()
        self._queue.shutdown.set()
        tasks[-1].cancel()
        _, hanging = await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
        if hanging:
            self._give_up()
            for task in hanging:
                task.cancel()
            await asyncio.wait(hanging)


async def _either(work: asyncio.Future[None], ended: asyncio.Event) -> None:
    """Returns when the work is done, or nobody waits for it any more; the work itself goes on."""
    waiting = asyncio.ensure_future(_until(ended))
    try:
        await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _until(ended: asyncio.Event) -> None:
    await ended.wait()
