"""The migrations make the tables that the models declare, once, on both databases, however many processes try."""

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlmodel import SQLModel, select

from gateway.errors import ConfigurationError
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, Integration, SyncState, SyncTask
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.storage import schema
from gateway.storage.database import Database
from tests.events.observing import TIMES
from tests.storage import world as worlds

MIGRATE = """
import gc
gc.disable()  # Three processes that import all of it take long enough.
import asyncio, sys
from gateway.storage.database import Database
from tests.storage import world as worlds

async def migrate():
    database = Database.connect(sys.argv[1])
    await asyncio.to_thread(sys.stdin.readline)
    await database.migrate()
    await database.check()
    await database.close()

asyncio.run(migrate())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/empty.db"
        return
    async with request.getfixturevalue("postgres_server").empty_database() as url:
        yield url


def differences(connection: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
    return compare_metadata(context, SQLModel.metadata)


def is_ours(name: str | None, kind: str, parents: object) -> bool:
    return kind != "table" or name != schema.REVISION_TABLE


# SQLAlchemy cannot read an index on an expression back from SQLite; the test below compares that one.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_autogenerate_finds_nothing_to_do(database: Database):
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_has_exactly_the_tables_and_indexes_that_the_models_would_create(database: Database, tmp_path: Path):
    declared = sa.create_engine(f"sqlite:///{tmp_path}/declared.db")
    SQLModel.metadata.create_all(declared)
    indexes = sa.text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name")

    with declared.connect() as there:
        expected = [tuple(row) for row in there.execute(indexes)]
    declared.dispose()
    async with database.engine.connect() as here:
        migrated = [tuple(row) for row in await here.execute(indexes) if row.tbl_name != schema.REVISION_TABLE]

    assert migrated == expected


async def test_names_and_nullability_are_alike_on_both_databases(database: Database):
    def columns(connection: sa.Connection) -> dict[str, dict[str, bool]]:
        inspector = sa.inspect(connection)
        names = [name for name in inspector.get_table_names() if name != schema.REVISION_TABLE]
        return {name: {column["name"]: column["nullable"] for column in inspector.get_columns(name)} for name in names}

    async with database.engine.connect() as connection:
        found = await connection.run_sync(columns)

    assert found == {
        table.name: {column.name: bool(column.nullable) for column in table.columns} for table in SQLModel.metadata.tables.values()
    }


async def test_processes_that_migrate_at_once_all_succeed(empty_url: str):
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, empty_url, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]

    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    assert [(process.returncode, end[1].decode()) for process, end in zip(processes, ends, strict=True)] == [(0, "")] * 3


async def test_tasks_that_migrate_at_once_all_succeed_and_a_second_time_changes_nothing(empty_url: str):
    databases = [Database.connect(empty_url) for _ in range(3)]

    await asyncio.gather(*(database.migrate() for database in databases))
    await databases[0].migrate()

    for database in databases:
        await database.check()
        await database.close()


async def test_a_new_file_that_another_process_writes_into_at_this_moment_is_waited_for(tmp_path: Path):
    file = tmp_path / "gateway.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE theirs (id INTEGER)")
    database = Database.connect(f"sqlite+aiosqlite:///{file}")

    migrating = asyncio.create_task(database.migrate())
    await asyncio.sleep(0.1)
    assert not migrating.done()
    other.execute("ROLLBACK")
    other.close()
    await migrating

    await database.check()
    await database.close()


async def test_a_database_without_the_schema_is_told(empty_url: str):
    database = Database.connect(empty_url)
    with pytest.raises(ConfigurationError, match=r"The database .*cannot be used|schema is not this gateway's"):
        await database.check()
    await database.close()


@pytest.mark.parametrize(("content", "reason"), [(b"no database at all", "file is not a database"), (None, "unable to open database file")])
async def test_a_file_that_is_no_database_is_told_by_its_name_and_left_as_it_is(tmp_path: Path, content: bytes | None, reason: str):
    file = tmp_path / "notes.txt"
    file.mkdir() if content is None else file.write_bytes(content)
    database = Database.connect(f"sqlite+aiosqlite:///{file}")

    with pytest.raises(ConfigurationError) as refusal:
        await database.migrate()
    await database.close()
    # The driver leaves behind the thread of a connection that never came about; it still speaks to this test's loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)

    assert refusal.value.message == (
        f"The database '{file}' cannot be used ({reason}). Name a file that is a gateway's database, or none yet, "
        "in a folder that this process may write to."
    )
    assert content is None or file.read_bytes() == content


async def test_the_schema_of_a_newer_gateway_is_left_alone(database: Database):
    async with database.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE schema_revision SET version_num = '9999'"))

    for action in (database.migrate, database.check):
        with pytest.raises(ConfigurationError, match="schema is not this gateway's"):
            await action()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_row_that_refers_to_nothing_stops_a_migration_on_sqlite(database: Database):
    await worlds.build(database)
    async with database.engine.connect() as connection:
        await connection.exec_driver_sql("COMMIT")
        await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        await connection.exec_driver_sql("DELETE FROM data_source")
        await connection.exec_driver_sql("BEGIN")

    with pytest.raises(ConfigurationError, match="would leave rows of 'data_source_instance' without"):
        await database.migrate()


def migrate_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "gateway.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def told(row: SQLModel) -> str:
    return str(sorted(row.model_dump().items()))


async def store(database: Database, *rows: SQLModel) -> None:
    for row in rows:
        async with database.write(SYSTEM) as session:
            session.add(row)


async def test_instances_of_before_there_were_events_are_as_if_they_were_made_today(empty_url: str):
    database = Database.connect(empty_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(migrate_to, "0001")
    # What is configured is kept as it was then.
    customer = Customer(external_id="acme", **TIMES)
    integration = Integration(key="app", name="App", connector_key="app", **TIMES)
    source = DataSource(key="tasks", **TIMES)
    ids = {"customer_id": customer.id, "integration_id": integration.id}
    connection_ = Connection(**ids, name="App", auth_method="none", credentials=b"", **TIMES)
    instance = DataSourceInstance(customer_id=customer.id, connection_id=connection_.id, data_source_id=source.id, **TIMES)
    expected = {told(row) for row in sync_rows(instance)}
    await store(database, customer, integration, source, connection_, instance)

    await database.migrate()

    async with database.read(SYSTEM) as session:
        rows = [*(await session.exec(select(SyncState))).all(), *(await session.exec(select(SyncTask))).all()]
    assert (len(rows), {told(row) for row in rows}) == (5, expected)
    await database.close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str):
    database = Database.connect(empty_url)
    async with database.engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE data_source_instance (id INTEGER)"))

    with pytest.raises(ConfigurationError):
        await database.migrate()

    async with database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names()) == ["data_source_instance"]
    await database.close()


def test_migrations_are_data_of_the_package():
    migrations = resources.files("gateway.storage.migrations")
    for name in ("env.py", "script.py.mako", "versions/0001_configuration.py", f"versions/{schema.head()}_change_events.py"):
        assert migrations.joinpath(name).is_file()
