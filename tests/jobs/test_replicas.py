"""Processes that stop, die and lose their database, on a PostgreSQL of their own."""

import asyncio
import os
import random
import signal
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlmodel import col, func, select

from gateway.config import Settings
from gateway.events.log import RecordedEvent, Topic
from gateway.models import DataSourceInstance, Event, Snapshot, SyncGeneration, SyncTask
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime, open_runtime
from gateway.services import connections, customers, data_source_instances, data_sources, event_subscriptions, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput
from gateway.storage import times
from gateway.storage.encryption import Cipher
from gateway.sync.worker import running_worker
from tests.support import replica
from tests.support.clockwork_app import Clockwork
from tests.support.postgres import PostgresServer, packaged_binaries, started, system_binaries
from tests.support.sync_tasks import ask, row_of

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

PATIENCE_SECONDS = 300
LEASE_SECONDS = 4.0
PULL_SECONDS = 20
CONNECTIONS = 20
INSTANCES_OF_EACH = 5
MOST_RECORDS = 30
KILLS = 5
SECONDS_BETWEEN_KILLS = 12.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL that nobody else uses: it crashes here."""
    with started(system_binaries() or packaged_binaries()) as server:
        yield server


@pytest.fixture
async def settings(server: PostgresServer) -> AsyncIterator[dict[str, Any]]:
    async with server.empty_database() as url:
        yield {
            "database_url": url,
            "token_secret": "t" * 32,
            "encryption_keys": Cipher.generate_key_ring(),
            "sync_lease_seconds": LEASE_SECONDS,
            "minimum_pull_updates_interval_seconds": 1,
        }


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    return tmp_path / "begun"


@pytest.fixture
async def runtime(settings: dict[str, Any], begun: Path) -> AsyncIterator[Runtime]:
    async with open_runtime(Settings(**settings), connectors=[Clockwork(begun=begun)]) as runtime:
        yield runtime


async def instances(runtime: Runtime, *, connections_count: int, of_each: int) -> list[DataSourceInstance]:
    row = await customers.see(runtime, external_id="acme", name=None, fields=None)
    await integrations.create(runtime, SYSTEM, key="changing", name=None, connector_key="changing", parameters=None)
    await data_sources.create(
        runtime, SYSTEM, key="items", pointer=PointerInput(path="/data/items"), pull_updates_interval_seconds=PULL_SECONDS
    )
    made = []
    for _ in range(connections_count):
        connection = await connections.create(
            runtime,
            SYSTEM,
            integration_key="changing",
            name=None,
            parameters=None,
            auth_method=None,
            credentials=None,
            customer_external_id=row.external_id,
        )
        for number in range(of_each):
            instance, _ = await data_source_instances.create(
                runtime,
                SYSTEM,
                connection=ConnectionSelector(id=connection.id),
                data_source=DataSourceSelector(key="items"),
                instance_key=f"{number}",
            )
            made.append(instance)
    return made


async def scalar(runtime: Runtime, statement: Any) -> Any:
    async with runtime.database.read_once(SYSTEM) as session:
        return (await session.exec(statement)).one()


async def until(runtime: Runtime, statement: Any, value: object, *, seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while await scalar(runtime, statement) != value:  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)


async def pages_of(runtime: Runtime, instance: DataSourceInstance) -> list[str]:
    """Who committed each page."""
    return list(((await row_of(runtime, instance.id)).progress or {}).get("by", ()))


async def until_pages(runtime: Runtime, instance: DataSourceInstance, count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(by := await pages_of(runtime, instance)) < count:  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.05)
    return by


async def test_a_worker_that_was_stopped_and_wakes_commits_nothing(runtime, settings, tmp_path, begun):
    [instance] = await instances(runtime, connections_count=1, of_each=1)
    log = tmp_path / "zombie.log"
    zombie = replica.start(settings, log=log, begun=begun, pages=60)
    heir: subprocess.Popen[bytes] | None = None
    try:
        await ask(runtime, instance)
        before = await until_pages(runtime, instance, 3)
        zombie.send_signal(signal.SIGSTOP)
        heir = replica.start(settings, log=tmp_path / "heir.log", begun=begun, pages=60)
        await until_pages(runtime, instance, len(before) + 5)

        zombie.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "sync_taken_over" not in log.read_text():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
        by = await until_pages(runtime, instance, 60)
    finally:
        for process in (zombie, *([heir] if heir else [])):
            process.kill()
            process.wait()

    first, last = by[0], by[-1]
    assert first != last
    assert by == [first] * by.count(first) + [last] * by.count(last)
    assert len(by) == 60
    assert (await row_of(runtime, instance.id)).fence == 2


async def test_work_goes_on_after_a_crash_of_the_database(runtime, settings, server):
    [instance] = await instances(runtime, connections_count=1, of_each=1)

    async with running_worker(runtime, perform=replica.turning(40)):
        await ask(runtime, instance)
        await until_pages(runtime, instance, 3)
        await crash(settings["database_url"])
        by = await until_pages(await _reachable(runtime), instance, 40)

        # The queue was emptied by the crash, and is made again out of our tables.
        await ask(runtime, instance)
        await until(runtime, select(SyncTask.due_at).where(SyncTask.instance_id == instance.id, SyncTask.kind == "PULL"), None)

    assert len(by) == 40
    assert len(set(by)) == 1


async def crash(url: str) -> None:
    """Kills a server process, which PostgreSQL answers with an end of all the others and a recovery."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    connection.terminate()


async def _reachable(runtime: Runtime) -> Runtime:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            (outcome,) = await asyncio.gather(scalar(runtime, select(1)), return_exceptions=True)
            if outcome == 1:
                return runtime
            await asyncio.sleep(0.1)


class Deliveries:
    """What a listener was given, checked as it comes: each instance's events in order, none twice, none left out."""

    def __init__(self) -> None:
        self.count = 0
        self.wrong: list[RecordedEvent] = []
        self._last: dict[UUID, tuple[int, str]] = defaultdict(lambda: (0, ""))

    def take(self, event: RecordedEvent) -> None:
        seq, record_id = self._last[event.instance_id]
        if event.seq != seq + 1 or event.record_id <= record_id:
            self.wrong.append(event)
        self._last[event.instance_id] = (event.seq, event.record_id)
        self.count += 1


async def listen(runtime: Runtime, deliveries: Deliveries) -> None:
    async with runtime.events.tail.subscribed(Topic(), 0) as listener:
        async for batch in listener:
            for event in batch.events:
                deliveries.take(event)


async def overdue_seconds(runtime: Runtime) -> float:
    """For how long the task that is due the longest has been so."""
    async with runtime.database.read(SYSTEM) as session:
        now = await times.read(session, runtime.clock)
        oldest = (await session.exec(select(func.min(SyncTask.due_at)))).one()
    return (now - oldest).total_seconds() if oldest is not None else 0.0


async def until_none_is_overdue(runtime: Runtime) -> None:
    """Returns once nothing is due for longer than a lease, which is so at once where the machine is not too busy with other things."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await overdue_seconds(runtime) > LEASE_SECONDS:  # noqa: ASYNC110 - it happens in other processes
            await asyncio.sleep(0.1)


async def test_two_replicas_that_are_killed_lose_nothing_and_tell_nothing_twice(runtime, settings, tmp_path, begun):
    followed = await instances(runtime, connections_count=CONNECTIONS, of_each=INSTANCES_OF_EACH)
    for instance in followed:
        await event_subscriptions.subscribe(runtime, SYSTEM, by=DataSourceInstanceSelector(id=instance.id))
    deliveries = Deliveries()
    listening = asyncio.create_task(listen(runtime, deliveries))
    expected = len(followed) * MOST_RECORDS
    logs = iter(tmp_path / f"{number}.log" for number in range(2 + KILLS))

    def another() -> "subprocess.Popen[bytes]":
        return replica.start(settings, log=next(logs), begun=begun, most_records=MOST_RECORDS)

    replicas = [another(), another()]
    try:
        stands = select(func.count()).select_from(SyncGeneration).where(col(SyncGeneration.baseline_at).is_not(None))
        await until(runtime, stands, len(followed))
        begun.write_text(f"{runtime.clock.now().timestamp()}")
        for _ in range(KILLS):
            victim = random.randrange(2)
            replicas[victim].kill()
            replicas[victim].wait()
            await asyncio.sleep(SECONDS_BETWEEN_KILLS / 4)
            replicas[victim] = another()
            await asyncio.sleep(SECONDS_BETWEEN_KILLS * 3 / 4)
            await until_none_is_overdue(runtime)
        written = select(func.count()).select_from(Event)
        await until(runtime, written, expected)
        await until(runtime, select(func.count()).select_from(Snapshot), expected)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while deliveries.count < expected:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.2 * PULL_SECONDS)  # Each is pulled once more, which finds nothing new.
        await until_none_is_overdue(runtime)
        total = await scalar(runtime, written)
    finally:
        for process in replicas:
            process.kill()
            process.wait()
        listening.cancel()
        await asyncio.wait({listening})

    assert (total, deliveries.count, deliveries.wrong) == (expected, expected, [])
    assert await failed(runtime) == []


async def failed(runtime: Runtime) -> list[SyncTask]:
    async with runtime.database.read(SYSTEM) as session:
        return list((await session.exec(select(SyncTask).where(SyncTask.failures > 0))).all())
