"""What is remembered of reads is never older than the file."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from sqlmodel import select

from gateway.models import Customer
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from gateway.storage.recent import RecentReads
from tests.support.database import recorded_statements

NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def names(database: Database) -> list[str | None]:
    async def read() -> list[str | None]:
        async with database.read_once(SYSTEM) as session:
            return [row.name for row in await session.exec(select(Customer).order_by(Customer.external_id))]

    return await database.remembered("names", read)


async def add(database: Database, name: str) -> None:
    async with database.write(SYSTEM) as session:
        session.add(Customer(external_id=name, name=name, created_at=NOW, updated_at=NOW))


async def test_nothing_is_read_again_while_nothing_is_committed_where_the_database_can_tell(database):
    await add(database, "a")

    assert await names(database) == ["a"]
    with recorded_statements(database) as statements:
        assert await names(database) == ["a"]

    assert len(statements) == (0 if database.engine.url.get_backend_name() == "sqlite" else 1)


async def test_what_was_read_is_known_without_reading_until_something_is_committed(database, database_url):
    other = Database.connect(database_url)

    assert database.recent("names") is None
    assert await names(database) == []
    assert database.recent("names") == ([] if database.engine.url.get_backend_name() == "sqlite" else None)
    await add(other, "a")
    assert database.recent("names") is None
    await other.close()


async def test_every_commit_is_seen_at_once_whoever_makes_it(database, database_url):
    other = Database.connect(database_url)

    assert await names(database) == []
    await add(database, "a")
    assert await names(database) == ["a"]
    await add(other, "b")
    assert await names(database) == ["a", "b"]
    assert await names(other) == ["a", "b"]
    await other.close()


async def test_what_is_undone_or_not_committed_yet_is_not_seen(database):
    assert await names(database) == []
    async with database.write(SYSTEM) as session:
        session.add(Customer(external_id="a", name="a", created_at=NOW, updated_at=NOW))
        await session.flush()
        assert await names(database) == []

    assert await names(database) == ["a"]


class SlowRead:
    """A read that goes on until it may end."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> str:
        self.begun.set()
        await self.may_end.wait()
        return "before"


async def read_later() -> str:
    return "after"


async def test_a_read_that_a_commit_overtakes_is_forgotten(database):
    slow = SlowRead()
    task = asyncio.create_task(database.remembered("key", slow))
    await slow.begun.wait()
    await add(database, "a")
    await names(database)
    slow.may_end.set()

    assert await task == "before"
    assert await database.remembered("key", read_later) == "after"


async def test_a_read_that_began_before_the_file_was_away_is_forgotten(tmp_path):
    file, slow = tmp_path / "file.db", SlowRead()
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("CREATE TABLE one (it INTEGER)")
    recent = RecentReads(file)
    task = asyncio.create_task(recent.read("key", slow))
    await slow.begun.wait()
    # Versions of a connection that is opened anew begin anew, so that the same number means another state.
    recent.close()
    away = file.rename(tmp_path / "away.db")
    await recent.read("other", read_later)
    away.rename(file)
    with closing(sqlite3.connect(file)) as writer, writer:
        writer.execute("INSERT INTO one VALUES (1)")
    await recent.read("other", read_later)
    slow.may_end.set()

    assert await task == "before"
    assert await recent.read("key", read_later) == "after"
    recent.close()


async def test_what_is_not_there_is_looked_for_again_as_its_key_may_be_anything(database):
    looks = []

    async def find() -> None:
        looks.append(1)

    for _ in range(2):
        assert await database.remembered("x" * 1_000_000, find) is None

    assert len(looks) == 2


async def test_where_there_is_no_file_everything_is_read(tmp_path):
    recent, reads = RecentReads(tmp_path / "none.db"), []

    async def read() -> int:
        reads.append(1)
        return len(reads)

    assert [await recent.read("key", read), await recent.read("key", read)] == [1, 2]
    assert list(tmp_path.iterdir()) == []


async def test_a_commit_is_seen_from_the_next_turn_of_the_event_loop_on(tmp_path):
    file = tmp_path / "file.db"
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("CREATE TABLE one (it INTEGER)")
        recent = RecentReads(file)
        await recent.read("key", read_later)
        seen = []
        # Whatever a commit sets off is queued after it, and so after the end of the turn in which the file was looked at before.
        asyncio.get_running_loop().call_soon(lambda: seen.append(recent.known("key")))
        with writer:
            writer.execute("INSERT INTO one VALUES (1)")
        assert recent.known("key") == "after"
        await asyncio.sleep(0)

    assert (seen, recent.known("key")) == ([None], None)
    recent.close()
