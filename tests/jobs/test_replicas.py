"""Processes that stop, die and lose their database, on a PostgreSQL of their own."""

import asyncio
import itertools
import os
import random
import signal
import subprocess
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlmodel import col, func, or_, select

from gateway.config import Settings
from gateway.events import bodies
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
from tests.support.changing_app import Truth
from tests.support.clockwork_app import Clockwork
from tests.support.postgres import PostgresServer, packaged_binaries, started, system_binaries
from tests.support.sync_tasks import ask, row_of

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("replicas")]

PATIENCE_SECONDS = 300
LEASE_SECONDS = 4.0
PULL_SECONDS = 30
PAGES = 40
CONNECTIONS = 20
INSTANCES_OF_EACH = 5
CHANGES = 30
"""In each app: ten of each type, over as long as replicas are killed."""
KILLS = 5
SECONDS_BETWEEN_KILLS = 10.0
MOST_SECONDS_LATE = 60.0
"""After the last kill, however busy the machine is, nothing is overdue by more than a lease."""


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
    zombie = replica.start(settings, log=log, begun=begun, pages=PAGES)
    heir: subprocess.Popen[bytes] | None = None
    try:
        await ask(runtime, instance)
        before = await until_pages(runtime, instance, 3)
        zombie.send_signal(signal.SIGSTOP)
        heir = replica.start(settings, log=tmp_path / "heir.log", begun=begun, pages=PAGES)
        await until_pages(runtime, instance, len(before) + 5)

        zombie.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "sync_taken_over" not in log.read_text():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
        by = await until_pages(runtime, instance, PAGES)
    finally:
        for process in (zombie, *([heir] if heir else [])):
            process.kill()
            process.wait()

    first, last = by[0], by[-1]
    assert first != last
    assert by == [first] * by.count(first) + [last] * by.count(last)
    assert len(by) == PAGES
    # A machine that stands still for a lease adds to it.
    assert (await row_of(runtime, instance.id)).fence >= 2


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
    """Kills a server process, which PostgreSQL answers with an end of all the others and a recovery; returns when others have ended."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection, other = await asyncpg.connect(address), await asyncpg.connect(address)
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    connection.terminate()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not other.is_closed():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)


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
        self.types: Counter[str] = Counter()
        self.wrong: list[RecordedEvent] = []
        self._last: dict[UUID, tuple[int, str]] = defaultdict(lambda: (0, ""))

    def take(self, event: RecordedEvent) -> None:
        seq, record_id = self._last[event.instance_id]
        if event.seq != seq + 1 or event.record_id <= record_id:
            self.wrong.append(event)
        self._last[event.instance_id] = (event.seq, event.record_id)
        self.types[event.type.value] += 1


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


async def seconds_late(runtime: Runtime) -> float:
    """How long something is overdue, at the first look at which it is no longer than a lease; at the last look, where there is none."""
    end = runtime.clock.now() + timedelta(seconds=MOST_SECONDS_LATE)
    while (late := await overdue_seconds(runtime)) > LEASE_SECONDS and runtime.clock.now() < end:  # noqa: ASYNC110 - it happens in other processes
        await asyncio.sleep(0.1)
    return late


def under(owner: str) -> Any:
    """Counts the tasks that somebody is at."""
    return select(func.count()).select_from(SyncTask).where(SyncTask.owner == owner)


async def pull_once_more(runtime: Runtime, followed: list[DataSourceInstance]) -> None:
    """Returns when each instance was asked for once more, and its pull has ended."""
    await ask(runtime, *followed)
    is_awaited = or_(col(SyncTask.requested_at).is_not(None), col(SyncTask.owner).is_not(None))
    await until(runtime, select(func.count()).select_from(SyncTask).where(SyncTask.kind == "PULL", is_awaited), 0)


class Replicas:
    """Two processes that sync, of which one is killed in the middle of its work again and again."""

    def __init__(self, runtime: Runtime, settings: dict[str, Any], *, folder: Path, begun: Path) -> None:
        self.interrupted = 0
        """How many tasks those who were killed had under way."""
        self._runtime = runtime
        self._start = lambda log: replica.start(settings, log=log, begun=begun, most_changes=CHANGES)
        self._logs = (folder / f"{number}.log" for number in itertools.count())
        self._running = [self._another(), self._another()]

    async def kill_one(self) -> None:
        """Kills one of them while it is at a task, and starts another a while later."""
        number = random.randrange(2)
        process, log = self._running[number]
        owner = await self._at_work(log)
        process.kill()
        process.wait()
        self.interrupted += await scalar(self._runtime, under(owner))
        await asyncio.sleep(SECONDS_BETWEEN_KILLS / 4)
        self._running[number] = self._another()

    def end(self) -> None:
        """Kills both."""
        for process, _ in self._running:
            process.kill()
            process.wait()

    async def _at_work(self, log: Path) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (owner := replica.owner_of(log)) is None or not await scalar(self._runtime, under(owner)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return owner

    def _another(self) -> "tuple[subprocess.Popen[bytes], Path]":
        log = next(self._logs)
        return self._start(log), log


async def test_two_replicas_that_are_killed_lose_nothing_and_tell_nothing_twice(runtime, settings, tmp_path, begun):
    followed = await instances(runtime, connections_count=CONNECTIONS, of_each=INSTANCES_OF_EACH)
    for instance in followed:
        await event_subscriptions.subscribe(runtime, SYSTEM, by=DataSourceInstanceSelector(id=instance.id))
    deliveries = Deliveries()
    listening = asyncio.create_task(listen(runtime, deliveries))
    expected = {kind: len(followed) * CHANGES // 3 for kind in ("CREATED", "UPDATED", "DELETED")}
    replicas = Replicas(runtime, settings, folder=tmp_path, begun=begun)
    try:
        stands = select(func.count()).select_from(SyncGeneration).where(col(SyncGeneration.baseline_at).is_not(None))
        await until(runtime, stands, len(followed))
        start = runtime.clock.now()
        begun.write_text(f"{start.timestamp()}")
        for number in range(1, KILLS + 1):
            await replicas.kill_one()
            rest = start + number * timedelta(seconds=SECONDS_BETWEEN_KILLS) - runtime.clock.now()
            await asyncio.sleep(rest.total_seconds())
        late = await seconds_late(runtime)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while deliveries.types.total() < sum(expected.values()):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
        await pull_once_more(runtime, followed)  # Which finds nothing new.
        await until(runtime, select(func.count()).select_from(Event), deliveries.types.total())
    finally:
        replicas.end()
        listening.cancel()
        await asyncio.wait({listening})

    assert (await written(runtime), dict(deliveries.types), deliveries.wrong) == (expected, expected, [])
    assert replicas.interrupted > 0
    assert late <= LEASE_SECONDS
    assert await held(runtime) == {instance.id: Clockwork(most_changes=CHANGES).go_on_to(CHANGES) for instance in followed}
    assert await failed(runtime) == []


async def written(runtime: Runtime) -> dict[str, int]:
    """How many events of each type there are."""
    async with runtime.database.read(SYSTEM) as session:
        return {str(kind): count for kind, count in (await session.exec(select(Event.type, func.count()).group_by(col(Event.type)))).all()}


async def held(runtime: Runtime) -> dict[UUID, Truth]:
    """What the gateway takes for there in each instance."""
    found: dict[UUID, Truth] = defaultdict(dict)
    async with runtime.database.read(SYSTEM) as session:
        rows = (await session.exec(select(Snapshot).where(col(Snapshot.hash).is_not(None)))).all()
    for row in rows:
        assert row.body is not None
        found[row.instance_id][row.record_id] = bodies.fields_of(row.body)
    return found


async def failed(runtime: Runtime) -> list[SyncTask]:
    async with runtime.database.read(SYSTEM) as session:
        return list((await session.exec(select(SyncTask).where(SyncTask.failures > 0))).all())
