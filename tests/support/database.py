"""Databases for tests, migrated and empty."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway.storage.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database.connect(f"sqlite+aiosqlite:///{tmp_path}/gateway.db")
    await database.migrate()
    yield database
    await database.close()


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that the database ran inside the block, those that only begin or end transactions left out."""
    statements: list[str] = []

    def record(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", record)
