"""Databases for tests, migrated and empty."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.storage.database import Database


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "gateway.db"
    asyncio.run(_migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """The URL of a migrated, empty SQLite database."""
    shutil.copy(migrated_file, tmp_path / "gateway.db")
    return f"sqlite+aiosqlite:///{tmp_path}/gateway.db"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[str]:
    """The URL of a migrated, empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield sqlite_url
        return
    async with request.getfixturevalue("postgres_server").migrated_database() as url:
        yield url


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """A migrated, empty SQLite database."""
    database = Database.connect(sqlite_url)
    yield database
    await database.close()


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that the database ran inside the block; what begins and ends transactions is none of them."""
    statements: list[str] = []

    def record(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", record)


async def _migrate(url: str) -> None:
    database = Database.connect(url)
    await database.migrate()
    await database.close()
