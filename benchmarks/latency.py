"""How long a change takes from its commit to a subscriber: in another process on PostgreSQL, within one on SQLite.

    python benchmarks/latency.py [--changes 1000] [--rate 50] [--database postgresql+asyncpg://user:password@host/name]

Each commit holds one change, seen as the sync engine sees it. Without `--database` a PostgreSQL is started for the run, which
writes through to the disk. Times are of the machine's monotonic clock, which its processes share.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlmodel import update

from gateway.clock import SystemClock
from gateway.events.events import open_events
from gateway.events.log import Topic
from gateway.events.observations import Observation, ObservedPlace, observe
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, EventMethod, Integration, Record, SyncState
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.storage.database import Database
from tests.support.postgres import packaged_binaries, started, system_binaries

NOW = datetime.now(UTC)
TIMES = {"created_at": NOW, "updated_at": NOW}


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50, help="commits a second")
    parser.add_argument("--database")
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.listen is not None:
        url, instance_id = json.loads(given.listen)
        asyncio.run(listen_alone(url, UUID(instance_id), given.changes))
        return
    with tempfile.TemporaryDirectory() as folder:
        report("within one process, SQLite", asyncio.run(within_one(f"sqlite+aiosqlite:///{folder}/gateway.db", given.changes, given.rate)))
    with postgres(given.database) as url:
        report("in another process, PostgreSQL", asyncio.run(in_another(url, given.changes, given.rate)))


@contextlib.contextmanager
def postgres(url: str | None) -> Iterator[str]:
    """The address of a PostgreSQL: the given one, or one for this run."""
    if url is not None:
        yield url
        return
    with started(system_binaries() or packaged_binaries(), is_durable=True) as server:
        yield server.url.render_as_string(hide_password=False)


async def within_one(url: str, changes: int, rate: float) -> list[float]:
    """Milliseconds of each change, with the writer and the subscriber in this process."""
    database = Database.connect(url)
    await database.migrate()
    place = await prepare(database)
    async with open_events(database, SystemClock()) as events:
        listening = asyncio.ensure_future(arrivals(events, place.instance_id, changes))
        await asyncio.sleep(0.5)
        committed = await write(database, events, place, changes, rate)
        arrived = await listening
    await database.close()
    return latencies(committed, arrived)


async def in_another(url: str, changes: int, rate: float) -> list[float]:
    """The same with the subscriber in a process of its own."""
    database = Database.connect(url)
    await database.migrate()
    place = await prepare(database)
    arguments = ["--changes", str(changes), "--listen", json.dumps([url, str(place.instance_id)])]
    subscriber = await asyncio.create_subprocess_exec(sys.executable, __file__, *arguments, stdout=asyncio.subprocess.PIPE)
    assert subscriber.stdout is not None
    await subscriber.stdout.readline()
    async with open_events(database, SystemClock()) as events:
        await events.bell.wait(0, seconds=10)
        committed = await write(database, events, place, changes, rate)
        output = await subscriber.stdout.read()
        await subscriber.wait()
    await database.close()
    return latencies(committed, json.loads(output))


async def listen_alone(url: str, instance_id: UUID, changes: int) -> None:
    """Says when it listens, and at the end when each change arrived."""
    database = Database.connect(url)
    async with open_events(database, SystemClock()) as events:
        listening = asyncio.ensure_future(arrivals(events, instance_id, changes))
        await events.bell.wait(0, seconds=10)
        await asyncio.sleep(0.5)
        print("ready", flush=True)
        print(json.dumps(await listening))
    await database.close()


async def arrivals(events, instance_id: UUID, changes: int) -> dict[str, int]:
    """When each change arrived, by the id of its record."""
    arrived: dict[str, int] = {}
    async with events.tail.subscribed(Topic(instance_id=instance_id), 0) as listener:
        async for batch in listener:
            now = time.monotonic_ns()
            arrived.update({event.record_id: now for event in batch.events})
            if len(arrived) == changes:
                break
    return arrived


async def write(database: Database, events, place: ObservedPlace, changes: int, rate: float) -> dict[str, int]:
    """When each change was committed, by the id of its record."""
    committed: dict[str, int] = {}
    for number in range(changes):
        await asyncio.sleep(random.expovariate(rate))
        record = Record(external_id=str(number), fields={"name": f"record {number}", "text": "x" * 500})
        async with database.write(SYSTEM) as session:
            seen = [Observation(external_id=record.external_id, record=record)]
            await observe(session, place=place, observations=seen, since_tick=number, method=EventMethod.PULL, now=datetime.now(UTC))
        committed[record.external_id] = time.monotonic_ns()
        events.bell.ring()
    return committed


async def prepare(database: Database) -> ObservedPlace:
    """An instance in its first generation."""
    customer = Customer(external_id=str(time.time_ns()), **TIMES)
    integration = Integration(key=f"app{time.time_ns()}", name="App", connector_key="app", **TIMES)
    source = DataSource(key=f"tasks{time.time_ns()}", **TIMES)
    owner = {"customer_id": customer.id, "integration_id": integration.id}
    connection = Connection(**owner, name="App", auth_method="none", credentials=b"", **TIMES)
    instance = DataSourceInstance(customer_id=customer.id, connection_id=connection.id, data_source_id=source.id, **TIMES)
    place = ObservedPlace(instance_id=instance.id, connection_id=connection.id, generation=1)
    for rows in ([customer, integration, source], [connection], [instance], sync_rows(instance)):
        async with database.write(SYSTEM) as session:
            session.add_all(rows)
    async with database.write(SYSTEM) as session:
        await session.exec(update(SyncState).where(SyncState.instance_id == place.instance_id).values(generation=1))
    return place


def latencies(committed: dict[str, int], arrived: dict[str, int]) -> list[float]:
    """Milliseconds from each commit to its arrival; a subscriber may see a commit before its writer hears of it."""
    assert committed.keys() == arrived.keys(), "a change was lost"
    return [max(0, arrived[name] - at) / 1e6 for name, at in committed.items()]


def report(name: str, milliseconds: list[float]) -> None:
    """One line."""
    ordered = sorted(milliseconds)
    p99 = ordered[int(len(ordered) * 0.99)]
    print(f"{name}: {len(ordered)} changes, p50 {statistics.median(ordered):.1f} ms, p99 {p99:.1f} ms, longest {ordered[-1]:.1f} ms")


if __name__ == "__main__":
    main()
