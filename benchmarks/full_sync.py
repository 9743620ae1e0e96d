"""What a full sync of many records costs: time, CPU, memory, and the longest transaction that writes.

    PYTHONPATH=. python benchmarks/full_sync.py [--records 1000000] [--page 1000] [--database-url postgresql+asyncpg://...]

On SQLite in a folder of its own, and on PostgreSQL where a URL of an empty database is given. The app is a connector in Python whose
records are made as they are asked for, so that what is measured is the gateway's part; what it takes to make them is told apart.
Three syncs: the first takes the baseline, in the second nothing has changed, in the third one record in a hundred has, and as many are
gone and new. CPU is user plus system time of this process, which on PostgreSQL leaves the server's out: it is told apart, from
/proc (Linux only). Memory is the peak of the process above what it held before, in the process that syncs. The bodies of records
are not kept unless `--bodies` asks for it.

A write lasts from its first statement that writes, on SQLite from when it holds the file's lock, until its commit has returned; the
longest is told with what it consists of: the database's part, its commit, and what is left, which is the gateway's. On a machine that
others use a single one says little: `p99` tells an outlier from the rule.
"""

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import select

from gateway.cli import loops
from gateway.config import Settings
from gateway.models import Page, PageRequest, Pointer, Record, SyncKind, SyncRun, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime, open_runtime
from gateway.services import event_subscriptions, sync_runs
from gateway.services.selectors import DataSourceInstanceSelector
from gateway.storage.encryption import Cipher
from gateway.storage.engines import WRITE
from gateway.sync.claims import claim
from gateway.sync.work import perform
from tests.support.changing_app import ChangingApp, ChangingConnector
from tests.support.changing_instance import changing_instance

CHANGED_SHARE = 100
"""One in so many."""


class LargeConnector(ChangingConnector):
    """Gives as many records as it is told to, in no order of their ids, and counts what making them costs."""

    def __init__(self, count: int) -> None:
        super().__init__(ChangingApp())
        self.count = count
        self.age = 0
        self.cpu_seconds = 0.0

    async def records(self, access: Any, collection: Pointer, page: PageRequest, query: Any = None) -> Page[Record]:
        """One page, by position."""
        begun = time.process_time()
        start = page.token or 0
        end = min(start + page.size, self.count)
        items = tuple(self._record(number) for number in range(start, end))
        self.cpu_seconds += time.process_time() - begun
        return Page(items=items, next_token=end if end < self.count else None)

    async def records_by_ids(self, access: Any, collection: Pointer, external_ids: Any) -> dict[str, Record]:
        """None of them: only those are asked for that are gone."""
        return {}

    def _record(self, number: int) -> Record:
        changed = self.age if number % CHANGED_SHARE == 0 else 0
        gone = self.age if number % CHANGED_SHARE == 1 else 0
        key = f"{number * 7_919 % 1_000_003:07d}-{number}" + (f"-{gone}" if gone else "")
        fields = {"id": key, "title": f"Review the report {number}", "state": "open", "priority": changed, "assignee": number % 7}
        return Record(external_id=key, fields={**fields, "labels": ["legal", "urgent"], "due": "2026-11-21T09:30:00Z"})


@dataclass(slots=True)
class Write:
    """One transaction that writes: when it began, and how long it took."""

    begun: float
    executing: float = 0.0
    """How long its statements took, in the database and on the way there."""
    ended: float = 0.0
    """When its commit began."""
    committed: float = 0.0

    @property
    def seconds(self) -> float:
        """From its begin to the end of its commit."""
        return self.committed - self.begun

    def __str__(self) -> str:
        commit = self.committed - self.ended
        return (
            f"{self.seconds:.3f} (statements {self.executing:.3f}, commit {commit:.3f}, other {self.seconds - self.executing - commit:.3f})"
        )


class Writes:
    """The transactions that wrote."""

    def __init__(self, runtime: Runtime) -> None:
        self.done: list[Write] = []
        self._under_way: dict[int, Write] = {}
        self._statement_begun = 0.0
        engine = runtime.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "commit", self._commit)
        event.listen(engine.pool, "checkin", self._end)

    def figures(self) -> list[str]:
        """How many, the 99th percentile, and the longest with its parts; they are forgotten."""
        done, self.done = sorted(self.done, key=lambda write: write.seconds), []
        return [f"{len(done):,}", f"{done[len(done) * 99 // 100].seconds:.3f}", str(done[-1])]

    def _before(self, connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        self._statement_begun = time.perf_counter()
        # SQLite's writer begins with its first statement, whatever that is.
        is_locked = connection.dialect.name == "sqlite" and connection.get_execution_options().get(WRITE)
        if is_locked or statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "WITH")):
            self._under_way.setdefault(id(connection.connection.dbapi_connection), Write(self._statement_begun))

    def _after(self, connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        place, now = id(connection.connection.dbapi_connection), time.perf_counter()
        if place in self._under_way:
            self._under_way[place].executing += now - self._statement_begun

    def _commit(self, connection: Any) -> None:
        write = self._under_way.get(id(connection.connection.dbapi_connection))
        if write is not None:
            write.ended = time.perf_counter()

    def _end(self, dbapi_connection: Any, record: object) -> None:
        write = self._under_way.pop(id(dbapi_connection), None)
        if write is not None and write.ended:
            write.committed = time.perf_counter()
            self.done.append(write)


class Memory:
    """The peak of what the process holds, looked at all the time."""

    def __init__(self) -> None:
        self.idle = self.peak = _resident()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """The peak above what was held before, in megabytes."""
        self._ends.set()
        self._thread.join()
        return (self.peak - self.idle) / 1024**2

    def _look(self) -> None:
        while not self._ends.wait(0.02):
            self.peak = max(self.peak, _resident())


def main() -> None:
    """Prints the figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--page", type=int, default=1_000, help="how many records the app gives at most at once")
    parser.add_argument("--database-url", help="an empty PostgreSQL database, instead of SQLite")
    parser.add_argument("--bodies", action="store_true", help="keep what records hold, as instances do by default")
    given = parser.parse_args()
    print("| sync | events | time s | CPU s | of it the app's | server's CPU s | peak MB | writes | p99 s | longest s |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        url = given.database_url or f"sqlite+aiosqlite:///{Path(folder) / 'gateway.db'}"
        loops.run(_measure(url, given.records, given.page, keeps_bodies=given.bodies))


async def _measure(url: str, count: int, page: int, *, keeps_bodies: bool) -> None:
    connector = LargeConnector(count)
    settings = Settings(database_url=url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), sync_lease_seconds=600)
    async with open_runtime(settings, connectors=[connector]) as runtime:
        principal, instance = await changing_instance(runtime, event_bodies=keeps_bodies)
        by = DataSourceInstanceSelector(id=instance.id)
        await event_subscriptions.subscribe(runtime, principal, by=by)
        # As `gateway serve` and `gateway worker` do.
        loops.settle()
        writes = Writes(runtime)
        for name, age in (("baseline", 0), ("nothing changed", 0), ("some changed, gone and new", 1)):
            connector.age = age
            if name != "baseline":
                await sync_runs.request(runtime, principal, by=by, kind=SyncKind.FULL_SYNC)
            await _print(name, runtime, connector, writes, instance.id)


async def _print(name: str, runtime: Runtime, connector: LargeConnector, writes: Writes, instance_id: Any) -> None:
    memory = Memory()
    connector.cpu_seconds = 0
    writes.done.clear()
    begun, cpu, server = time.perf_counter(), time.process_time(), _server_cpu()
    for kind in (TaskKind.SETUP, TaskKind.FULL, TaskKind.SETUP):
        task = await claim(runtime, instance_id, kind, owner="benchmark")
        if task is not None:
            await perform(runtime, task)
    seconds, cpu, server = time.perf_counter() - begun, time.process_time() - cpu, _server_cpu() - server
    async with runtime.database.read(SYSTEM) as session:
        run = (await session.exec(select(SyncRun).order_by(SyncRun.id.desc()).limit(1))).one()  # type: ignore[attr-defined]
    # What is missing and cannot be asked for by its id is listed a second time.
    if run.conclusion != "SUCCESS" or run.record_count % connector.count:
        raise SystemExit(f"The run did not end well: {run!r}")
    figures = [f"{run.event_count:,}", *(f"{value:.1f}" for value in (seconds, cpu, connector.cpu_seconds, server, memory.stop()))]
    print(f"| {name} | {' | '.join([*figures, *writes.figures()])} |", flush=True)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _server_cpu() -> float:
    """What all servers of PostgreSQL on this machine have used, their ended backends left out."""
    total = 0
    for process in _postgres_processes():
        fields = process.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def _postgres_processes() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with _vanished():
            text = path.read_text()
            if "(postgres" in text:
                yield text


@contextmanager
def _vanished() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, ProcessLookupError):
        return


if __name__ == "__main__":
    main()
