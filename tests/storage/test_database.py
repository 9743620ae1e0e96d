"""Units of work: nothing is lost, nothing is half done, and what cannot be used is said so."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import col, select

from gateway.errors import ConfigurationError, ConflictError, InternalError, InvalidError
from gateway.models import Connection, Customer, DataSourceInstance
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.storage import world as worlds


async def scalar(database: Database, statement: str) -> Any:
    async with database.engine.connect() as connection:
        return (await connection.execute(sa.text(statement))).scalar_one()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_sqlite_connection_keeps_what_it_acknowledged(database: Database):
    pragmas = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")

    # As the gateway makes them: what tests use above them is told to leave files unsynced.
    links = [await database.engine.raw_connection() for _ in range(2)]
    for link in links:
        driver = link.driver_connection
        settings = [(await (await driver.execute(f"PRAGMA {pragma}")).fetchone())[0] for pragma in pragmas]
        assert settings == ["wal", 2, 5_000, 1]  # 2 is FULL.
        link.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_postgresql_connection_notices_a_dead_link_and_a_read_session_is_read_only(database: Database):
    assert await scalar(database, "SHOW jit") == "off"
    assert await scalar(database, "SHOW application_name") == "gateway"
    assert await scalar(database, "SHOW idle_in_transaction_session_timeout") == "1min"
    async with database.read(SYSTEM) as session:
        assert (await session.exec(sa.text("SHOW transaction_read_only"))).scalar_one() == "on"
    async with database.write(SYSTEM) as session:
        assert (await session.exec(sa.text("SHOW transaction_read_only"))).scalar_one() == "off"
    assert await scalar(database, "SHOW transaction_read_only") == "off"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_twenty_tasks_that_read_then_write_lose_no_update_on_sqlite(database: Database):
    await worlds.store(database, counter := worlds.customer("counter"))

    async def count_up(times: int) -> None:
        for _ in range(times):
            async with database.write(SYSTEM) as session:
                customer = await session.get_one(Customer, counter.id)
                await asyncio.sleep(0)
                customer.fields = {"count": customer.fields.get("count", 0) + 1}

    await asyncio.gather(*(count_up(50) for _ in range(20)))

    async with database.read(SYSTEM) as session:
        assert (await session.get_one(Customer, counter.id)).fields == {"count": 1_000}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_databases_on_one_sqlite_file_lose_no_update(database: Database, database_url: str):
    # As two processes would: they share no lock but the file's own.
    other = Database.connect(database_url)
    await worlds.store(database, counter := worlds.customer("counter"))

    async def count_up(through: Database) -> None:
        for _ in range(25):
            async with through.write(SYSTEM) as session:
                customer = await session.get_one(Customer, counter.id)
                customer.fields = {"count": customer.fields.get("count", 0) + 1}

    await asyncio.gather(count_up(database), count_up(other))
    await other.close()

    async with database.read(SYSTEM) as session:
        assert (await session.get_one(Customer, counter.id)).fields == {"count": 50}


async def test_ten_tasks_that_change_one_versioned_row_either_change_it_or_are_told(database: Database):
    world = await worlds.build(database)

    async def append(mark: str) -> int:
        done = 0
        for _ in range(10):
            try:
                async with database.write(SYSTEM) as session:
                    connection = await session.get_one(Connection, world.mine.connection.id)
                    connection.name += mark
            except ConflictError:
                continue
            done += 1
        return done

    counts = await asyncio.gather(*(append(mark) for mark in "abcdefghij"))

    async with database.read(SYSTEM) as session:
        connection = await session.get_one(Connection, world.mine.connection.id)
    written = connection.name.removeprefix("mine")
    assert [written.count(mark) for mark in "abcdefghij"] == counts
    assert connection.revision == 1 + sum(counts)
    assert sum(counts) >= 1
    if database.engine.dialect.name == "sqlite":
        assert sum(counts) == 100


async def test_a_row_that_changed_since_it_was_read_is_a_conflict_and_stays(database: Database):
    world = await worlds.build(database)
    stale = world.mine.connection
    async with database.write(SYSTEM) as session:
        (await session.get_one(Connection, row := stale.id)).name = "renamed"

    async def rename() -> None:
        async with database.write(SYSTEM) as session:
            session.add(stale)
            stale.name = "too late"

    with pytest.raises(ConflictError, match="Read it again, then repeat"):
        await rename()

    async with database.read(SYSTEM) as session:
        kept = await session.get_one(Connection, row)
        assert (kept.name, kept.revision) == ("renamed", 2)


async def test_deleting_a_row_that_changed_since_it_was_read_deletes_nothing(database: Database):
    world = await worlds.build(database)
    stale = world.mine.instance
    async with database.write(SYSTEM) as session:
        (await session.get_one(DataSourceInstance, row := stale.id)).generation = 2

    async def delete() -> None:
        async with database.write(SYSTEM) as session:
            session.add(worlds.customer("undone"))
            await session.delete(stale)

    with pytest.raises(ConflictError):
        await delete()

    async with database.read(SYSTEM) as session:
        assert (await session.get_one(DataSourceInstance, row)).generation == 2
        assert (await session.exec(select(Customer).where(col(Customer.external_id) == "undone"))).all() == []


async def test_a_unit_of_work_is_undone_whole_when_its_block_raises(database: Database):
    async def fail() -> None:
        async with database.write(SYSTEM) as session:
            session.add(worlds.customer("first"))
            await session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    async with database.read(SYSTEM) as session:
        assert (await session.exec(select(Customer))).all() == []
    await worlds.store(database, worlds.customer("first"))


async def test_an_error_of_the_database_does_not_show_the_values(database: Database):
    await worlds.store(database, worlds.customer("first"))
    again = worlds.customer("first")
    again.name = "pass-word"

    with pytest.raises(sa.exc.IntegrityError) as fault:
        await worlds.store(database, again)

    assert "pass-word" not in str(fault.value)


async def test_a_cancelled_unit_of_work_is_undone_and_lets_the_next_one_in(database: Database):
    started = asyncio.Event()

    async def hang() -> None:
        async with database.write(SYSTEM) as session:
            session.add(worlds.customer("first"))
            await session.flush()
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await worlds.store(database, worlds.customer("first"))


async def test_a_reader_sees_what_was_committed_while_another_writes(database: Database):
    async with database.write(SYSTEM) as writing:
        writing.add(worlds.customer("unseen"))
        await writing.flush()
        async with database.read(SYSTEM) as reading:
            assert (await reading.exec(select(Customer))).all() == []


async def test_a_read_session_sees_one_moment(database: Database):
    async with database.read(SYSTEM) as session:
        assert (await session.exec(select(Customer))).all() == []
        await worlds.store(database, worlds.customer("later"))
        assert (await session.exec(select(Customer))).all() == []


async def test_a_session_for_one_statement_refuses_a_second_one_and_every_write(database: Database):
    await worlds.store(database, worlds.customer("first"))

    async with database.read_once(SYSTEM) as session:
        assert (await session.exec(select(Customer.external_id))).all() == ["first"]
        with pytest.raises(InternalError, match="may see another moment"):
            await session.exec(select(Customer.external_id))
        session.add(worlds.customer("second"))
        with pytest.raises(InternalError, match="does not write"):
            await session.flush()

    async with database.read(SYSTEM) as session:
        assert (await session.exec(select(Customer.external_id))).all() == ["first"]


async def test_a_session_for_one_statement_needs_no_transaction(database: Database):
    begun = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *arguments: begun.append(arguments[2]))
    async with database.read_once(SYSTEM) as session:
        await session.exec(select(Customer.external_id))
        link = await (await session.connection()).get_raw_connection()
        driver = link.driver_connection
        assert not (driver.in_transaction if database.engine.dialect.name == "sqlite" else driver.is_in_transaction())

    assert [statement.split()[0] for statement in begun] == ["SELECT"]


@pytest.mark.parametrize("session_of", [Database.read, Database.read_once, Database.write])
async def test_no_session_leaves_a_transaction_to_the_next_user_of_its_link(database: Database, session_of: Any):
    links = []
    for fault in (None, LookupError()):
        with contextlib.suppress(LookupError):
            async with session_of(database, SYSTEM) as session:
                await session.exec(select(Customer))
                links.append((await (await session.connection()).get_raw_connection()).driver_connection)
                if fault is not None:
                    raise fault
        driver = links[-1]
        assert not (driver.in_transaction if database.engine.dialect.name == "sqlite" else driver.is_in_transaction())

    assert links[0] is links[1]


async def test_a_unit_of_work_inside_another_is_refused_and_both_are_undone(database: Database):
    async def nest() -> None:
        async with database.write(SYSTEM) as outer:
            outer.add(worlds.customer("outer"))
            await worlds.store(database, worlds.customer("inner"))

    with pytest.raises(InternalError, match="began inside another"):
        await nest()

    async with database.read(SYSTEM) as session:
        assert (await session.exec(select(Customer))).all() == []
    await worlds.store(database, worlds.customer("after"))


async def test_rows_stay_readable_after_their_session(database: Database):
    await worlds.store(database, stored := worlds.customer("first"))
    assert stored.external_id == "first"
    async with database.read(SYSTEM) as session:
        read = (await session.exec(select(Customer))).one()
    assert (read.name, read.fields, read.created_at) == ("first", {}, worlds.NOW)


async def test_values_come_back_as_they_were_on_both_databases(database: Database):
    fields = {"text": "ä🎉\n", "big": 2**53 - 1, "float": 1.5, "none": None, "nested": [{"a": [True, False]}], "": ""}
    stored = worlds.customer("ä🎉'\"; DROP TABLE customer; --")
    stored.fields = fields
    await worlds.store(database, stored)

    async with database.read(SYSTEM) as session:
        read = await session.get_one(Customer, stored.id)
        found = (await session.exec(select(Customer).where(col(Customer.external_id) == stored.external_id))).one()

    assert (read.external_id, read.fields, found.id) == (stored.external_id, fields, stored.id)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_text_that_postgresql_cannot_store_is_the_callers_to_put_right(database: Database):
    for text in ("a\0b", "a\ud800b"):
        with pytest.raises(InvalidError, match="cannot be stored") as refusal:
            await worlds.store(database, worlds.customer(text))
        assert refusal.value.__cause__ is None
        with pytest.raises(InvalidError, match="cannot be stored"):
            async with database.read(SYSTEM) as session:
                await session.exec(select(Customer).where(col(Customer.external_id) == text))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_text_that_sqlite_cannot_store_is_the_callers_to_put_right(database: Database):
    with pytest.raises(InvalidError, match="cannot be stored"):
        await worlds.store(database, worlds.customer("a\ud800b"))


async def test_foreign_keys_hold(database: Database):
    world = await worlds.build(database)
    with pytest.raises(sa.exc.IntegrityError):
        async with database.write(SYSTEM) as session:
            await session.delete(await session.get_one(Connection, world.mine.connection.id))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("nonsense", "GATEWAY_DATABASE_URL is not a database URL"),
        ("", "GATEWAY_DATABASE_URL is not a database URL"),
        ("mysql+aiomysql://user:pass-word@host/name", "GATEWAY_DATABASE_URL names 'mysql+aiomysql'"),
        ("postgresql://user:pass-word@host/name", "GATEWAY_DATABASE_URL names 'postgresql'"),
        ("postgresql+asyncpg://user:pass-word@host:port/name", "GATEWAY_DATABASE_URL is not a database URL"),
        ("sqlite+aiosqlite://", "GATEWAY_DATABASE_URL names no file"),
        ("sqlite+aiosqlite:///:memory:", "GATEWAY_DATABASE_URL names no file"),
        ("sqlite+aiosqlite:///file:a?mode=memory&uri=true", "GATEWAY_DATABASE_URL names no file"),
        ("sqlite+aiosqlite:////nowhere/at/all/gateway.db", "a file in '/nowhere/at/all', which is not a folder"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str, problem: str):
    with pytest.raises(ConfigurationError) as refusal:
        Database.connect(url)

    assert problem in refusal.value.message
    assert "pass-word" not in refusal.value.message


async def test_a_server_that_does_not_answer_is_told_without_its_password(unused_tcp_port: int):
    database = Database.connect(f"postgresql+asyncpg://user:pass-word@127.0.0.1:{unused_tcp_port}/gateway")

    for action in (database.migrate, database.check):
        with pytest.raises(ConfigurationError, match="The database cannot be used") as refusal:
            await action()
        assert "pass-word" not in refusal.value.message
    await database.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path):
    (tmp_path / "gateway.db").write_bytes(b"not a database, surely" * 100)
    database = Database.connect(f"sqlite+aiosqlite:///{tmp_path}/gateway.db")

    for action in (database.migrate, database.check):
        with pytest.raises(ConfigurationError, match=r"cannot be used \(file is not a database\)"):
            await action()
    await database.close()
