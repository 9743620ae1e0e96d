"""The driver's thread is asked once for each statement, and nothing stays open there."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.storage import sqlite_driver
from gateway.storage.database import Database

PATIENCE_SECONDS = 20.0


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite_driver.Connection]:
    """A connection to a file with the table `letters`, which holds a, b and c."""
    connection = await sqlite_driver.connect(str(tmp_path / "letters.db"))
    await connection.cursor().execute("CREATE TABLE letters (letter TEXT PRIMARY KEY)")
    await connection.cursor().executemany("INSERT INTO letters VALUES (?)", [("a",), ("b",), ("c",)])
    await connection.commit()
    yield connection
    await connection.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_each_statement_is_one_errand_of_the_thread(database: Database, caplog: pytest.LogCaptureFixture):
    async with database.engine.connect() as connection:
        with caplog.at_level(logging.DEBUG, logger="aiosqlite"):
            assert (await connection.execute(sa.text("VALUES (1), (2)"))).all() == [(1,), (2,)]
            await connection.execute(sa.text("CREATE TABLE letters (letter TEXT)"))
            await connection.execute(sa.text("INSERT INTO letters VALUES (:letter)"), [{"letter": "a"}, {"letter": "b"}])
            await connection.commit()

    assert len([record for record in caplog.records if record.message.startswith("executing")]) == 4  # COMMIT is one of them.


async def test_an_outcome_tells_its_columns_its_counts_and_its_rows_in_their_order(connection: sqlite_driver.Connection):
    read = await connection.cursor().execute("SELECT letter, upper(letter) AS large FROM letters ORDER BY letter")
    assert [name for name, *_ in read.description] == ["letter", "large"]
    assert await read.fetchone() == ("a", "A")
    assert await read.fetchmany(1) == [("b", "B")]
    assert await read.fetchall() == [("c", "C")]
    assert (await read.fetchone(), await read.fetchmany(), await read.fetchall()) == (None, [], [])

    written = await connection.cursor().execute("UPDATE letters SET letter = letter || '2' WHERE letter > 'a' RETURNING letter")
    assert (sorted([row async for row in written]), written.rowcount) == ([("b2",), ("c2",)], 2)

    many = await connection.cursor().executemany("DELETE FROM letters WHERE letter = ?", [("a",), ("b2",), ("z",)])
    assert (many.description, many.rowcount, await many.fetchall()) == (None, 2, [])


async def test_a_statement_that_fails_is_not_left_open(connection: sqlite_driver.Connection, tmp_path: Path):
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await connection.cursor().execute("INSERT INTO letters SELECT 'd' UNION ALL SELECT 'a'")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.cursor().execute("SELECT * FROM numbers")
    await connection.rollback()

    other = await sqlite_driver.connect(str(tmp_path / "letters.db"))
    await other.cursor().execute("DELETE FROM letters")
    await other.commit()
    await other.close()
    assert await (await connection.cursor().execute("SELECT * FROM letters")).fetchall() == []


async def test_rows_that_nobody_fetches_keep_nobody_from_writing(connection: sqlite_driver.Connection, tmp_path: Path):
    await connection.cursor().execute("SELECT * FROM letters")

    other = await sqlite_driver.connect(str(tmp_path / "letters.db"))
    await other.cursor().execute("DELETE FROM letters")
    await other.commit()
    await other.close()


async def test_a_transaction_begins_with_its_first_statement(connection: sqlite_driver.Connection, tmp_path: Path):
    other = await sqlite_driver.connect(str(tmp_path / "letters.db"))
    await other.cursor().execute("PRAGMA busy_timeout = 0")

    connection.begin("BEGIN IMMEDIATE")
    assert not connection.in_transaction
    assert await (await connection.cursor().execute("SELECT count(*) FROM letters")).fetchall() == [(3,)]
    assert connection.in_transaction
    other.begin("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await other.cursor().execute("SELECT 1")
    await other.rollback()

    await connection.rollback()
    other.begin("BEGIN IMMEDIATE")
    await other.cursor().execute("DELETE FROM letters")
    await other.commit()
    await other.close()


@pytest.mark.parametrize("end", [sqlite_driver.Connection.commit, sqlite_driver.Connection.rollback])
async def test_a_transaction_without_a_statement_never_begins(
    connection: sqlite_driver.Connection, end: Callable[[sqlite_driver.Connection], Awaitable[None]]
):
    connection.begin("BEGIN IMMEDIATE")
    await end(connection)
    await connection.cursor().execute("SELECT 1")

    assert not connection.in_transaction


async def test_what_cannot_be_opened_is_refused_as_the_driver_refuses_it(tmp_path: Path):
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await sqlite_driver.connect(str(tmp_path / "nowhere" / "letters.db"))


async def test_whoever_gives_up_before_it_is_open_leaves_no_thread(tmp_path: Path):
    before = set(threading.enumerate())
    opening = asyncio.create_task(sqlite_driver.connect(str(tmp_path / "letters.db")))
    await asyncio.sleep(0)
    (thread,) = set(threading.enumerate()) - before

    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not thread.is_alive()


async def test_whoever_closes_what_is_stopped_meanwhile_waits_until_it_has_ended(connection: sqlite_driver.Connection):
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    connection.stop()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await closing
    connection._thread.join(PATIENCE_SECONDS)
    assert not connection._thread.is_alive()
