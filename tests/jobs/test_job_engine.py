import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from gateway.config import Settings
from gateway.models import TaskKind
from gateway.storage.encryption import Cipher
from gateway.storage.faults import is_outage
from gateway.sync.jobs import Job
from gateway.sync.pgqueuer_jobs import opened_engine

PATIENCE_SECONDS = 20


def job(number: int, kind: TaskKind = TaskKind.PULL, *, fence: int = 0) -> Job:
    return Job(UUID(int=number), kind, fence)


class Started:
    """What an engine started, in order; each job is over at once unless `gate` is closed."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks: list[asyncio.Task[None]] = []

    def __call__(self, job: Job) -> asyncio.Task[None]:
        self.jobs.append(job)
        self.tasks.append(asyncio.create_task(self._work()))
        return self.tasks[-1]

    async def _work(self) -> None:
        await self.gate.wait()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.jobs) < count:  # noqa: ASYNC110 - the engine says nothing
                await asyncio.sleep(0.01)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring())


async def fetch(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


def test_a_job_is_the_same_after_it_was_written():
    assert Job.from_key(job(7, TaskKind.FULL, fence=3).key) == job(7, TaskKind.FULL, fence=3)


async def test_what_is_offered_again_before_it_is_over_is_started_once(settings):
    started = Started()
    started.gate.clear()
    async with opened_engine(settings) as engine:
        await engine.offer([job(1), job(2), job(1)])
        running = asyncio.create_task(engine.run(started))
        await engine.offer([job(1)])
        await started.until(2)
        await engine.offer([job(1), job(2), job(3)])
        await started.until(3)
        running.cancel()
        await asyncio.wait({running})

    assert Counter(started.jobs) == {job(1): 1, job(2): 1, job(3): 1}


async def test_a_task_that_was_claimed_meanwhile_is_another_job(settings):
    started = Started()
    started.gate.clear()
    async with opened_engine(settings) as engine:
        running = asyncio.create_task(engine.run(started))
        await engine.offer([job(1)])
        await started.until(1)
        await engine.offer([job(1, fence=1)])
        await started.until(2)
        running.cancel()
        await asyncio.wait({running})

    assert started.jobs == [job(1), job(1, fence=1)]


async def test_what_is_urgent_comes_first_and_of_the_others_who_was_first(settings):
    started = Started()
    kinds = [TaskKind.FULL, TaskKind.PULL, TaskKind.INBOX, TaskKind.SETUP]
    async with opened_engine(settings) as engine:
        await engine.offer([job(number, kind) for number, kind in enumerate(kinds)])
        running = asyncio.create_task(engine.run(started))
        await started.until(4)
        running.cancel()
        await asyncio.wait({running})

    assert [each.kind for each in started.jobs] == [TaskKind.SETUP, TaskKind.FULL, TaskKind.PULL, TaskKind.INBOX]


async def test_an_engine_that_ends_leaves_what_is_under_way_to_who_started_it(settings):
    started = Started()
    started.gate.clear()
    async with opened_engine(settings) as engine:
        await engine.offer([job(1)])
        running = asyncio.create_task(engine.run(started))
        await started.until(1)
        running.cancel()
        await asyncio.wait({running})

    [work] = started.tasks
    assert (running.cancelled(), work.done()) == (True, False)
    started.gate.set()
    await work


async def test_nothing_is_offered_where_nothing_is_due(settings):
    async with opened_engine(settings) as engine:
        await engine.offer([])
        await engine.tidy()


@pytest.fixture
async def postgresql(postgres_server):
    async with postgres_server.migrated_database() as url:
        yield Settings(database_url=url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring())


async def test_four_processes_may_make_the_tables_at_once_and_a_crash_of_the_server_may_take_them(postgresql):
    async def open_and_close() -> None:
        async with opened_engine(postgresql):
            pass

    await asyncio.gather(*(open_and_close() for _ in range(4)))

    tables = await fetch(
        postgresql.database_url, "SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'gateway_job%' AND relkind = 'r'"
    )
    assert {row["relname"]: row["relpersistence"] for row in tables} == {
        "gateway_job": b"u",
        "gateway_job_log": b"u",
        "gateway_job_schedule": b"u",
        "gateway_job_statistics": b"u",
    }


async def test_the_names_of_the_tables_are_ours_whatever_the_environment_says(postgresql, monkeypatch):
    monkeypatch.setenv("PGQUEUER_PREFIX", "theirs_")
    monkeypatch.setenv("CHANNEL", "theirs")

    async with opened_engine(postgresql) as engine:
        await engine.offer([job(1)])

    [count] = await fetch(postgresql.database_url, "SELECT count(*) FROM gateway_job")
    assert count[0] == 1


async def test_two_replicas_share_the_jobs(postgresql):
    ours, theirs = Started(), Started()
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(opened_engine(postgresql)) for _ in range(2)]
        running = [asyncio.create_task(one.run(ours)), asyncio.create_task(other.run(theirs))]
        await one.offer([job(number) for number in range(60)])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(ours.jobs) + len(theirs.jobs) < 60:  # noqa: ASYNC110 - the engines say nothing
                await asyncio.sleep(0.01)
        for task in running:
            task.cancel()
        await asyncio.wait(running)

    assert Counter([*ours.jobs, *theirs.jobs]) == {job(number): 1 for number in range(60)}


async def test_what_is_remembered_of_jobs_that_are_over_is_forgotten(postgresql):
    started = Started()
    async with opened_engine(postgresql) as engine:
        running = asyncio.create_task(engine.run(started))
        await engine.offer([job(number) for number in range(3)])
        await started.until(3)
        running.cancel()
        await asyncio.wait({running})
        await fetch(postgresql.database_url, "UPDATE gateway_job_log SET created = created - interval '11 minutes' WHERE status = 'queued'")

        await engine.tidy()

    rows = await fetch(postgresql.database_url, "SELECT status::text, count(*) FROM gateway_job_log GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [("picked", 3), ("successful", 3)]


async def test_an_engine_whose_connections_are_lost_says_so_though_jobs_are_under_way(postgresql):
    started = Started()
    started.gate.clear()
    async with opened_engine(postgresql) as engine:
        await engine.offer([job(1)])
        running = asyncio.create_task(engine.run(started))
        await started.until(1)
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway jobs'"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not running.done():
                await fetch(postgresql.database_url, kill)
                await asyncio.wait({running}, timeout=0.2)

    error = running.exception()
    assert error is not None
    assert is_outage(error), repr(error)
    assert not started.tasks[0].done()
    started.gate.set()


async def test_an_engine_that_loses_only_the_link_on_which_notices_come_says_so(postgresql):
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway jobs' AND query LIKE 'LISTEN%'"
    async with opened_engine(postgresql) as engine:
        running = asyncio.create_task(engine.run(Started()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await fetch(postgresql.database_url, kill):
                await asyncio.wait({running}, timeout=0.05)
            await asyncio.wait({running})

    error = running.exception()
    assert error is not None
    assert is_outage(error), repr(error)


async def test_an_engine_of_which_one_statement_failed_ends_instead_of_starting_all_there_is(postgresql):
    started = Started()
    started.gate.clear()
    refused = Job(UUID(int=1), "\0", 0)  # type: ignore[arg-type]  # Which no text in PostgreSQL may hold.
    async with opened_engine(postgresql) as engine:
        await engine.offer([job(number) for number in range(200)])
        running = asyncio.create_task(engine.run(started))
        await started.until(1)
        with pytest.raises(asyncpg.CharacterNotInRepertoireError):
            await engine.offer([refused])
        await asyncio.wait({running}, timeout=PATIENCE_SECONDS)

    assert isinstance(running.exception(), ConnectionError)
    assert len(started.jobs) < 200
    started.gate.set()
