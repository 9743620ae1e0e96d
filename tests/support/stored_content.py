"""All that a database holds, to the byte, and how an open database comes to hold it again."""

import io
import sqlite3
from collections.abc import Hashable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlmodel import SQLModel

import gateway.models  # noqa: F401  # Makes all tables known.
from gateway.storage.database import Database

_PATIENCE_SECONDS = 5.0
_VERSIONS, _WITHOUT_LOG = slice(18, 20), b"\x01\x01"
"""Where a file says that it has a write-ahead log (https://sqlite.org/fileformat.html); what is in memory cannot have one."""


@dataclass(frozen=True)
class Content:
    """What a database held at one moment."""

    key: Hashable
    """Equal for what is equal."""
    tables: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Of a PostgreSQL: the rows of each table that has any."""
    sequences: Mapping[str, tuple[int, bool]] = field(default_factory=dict, repr=False)
    file: bytes = field(default=b"", repr=False)
    """Of a SQLite: the whole of it."""


async def read_content(database: Database, *, to_be_written: bool = True) -> Content:
    """What the database holds; without what `write_content` takes where it is not to be written."""
    if database.engine.dialect.name == "sqlite":
        return _read_sqlite(database, to_be_written=to_be_written)
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        tables = {}
        for name in _tables():
            rows = io.BytesIO()
            if not (await driver.copy_from_table(name, output=rows, format="binary")).endswith(" 0"):
                tables[name] = rows.getvalue()
        names = [name for (name,) in await driver.fetch("SELECT sequencename FROM pg_sequences")]
        sequences = {name: tuple(await driver.fetchrow(f'SELECT last_value, is_called FROM "{name}"')) for name in names}
    return Content(("postgresql", tuple(tables.items()), tuple(sequences.items())), tables=tables, sequences=sequences)


async def write_content(database: Database, before: Content, content: Content) -> None:
    """The database, which held `before`, holds the content from now on. Nobody else may use it meanwhile."""
    if content.file:
        _write_sqlite(database, content.file)
        return
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        statements = [f'DELETE FROM "{name}"' for name in reversed(_tables()) if name in before.tables]
        for name, (value, is_called) in content.sequences.items():
            statements.append(f"SELECT setval('\"{name}\"', {value}, {str(is_called).lower()})")
        async with driver.transaction():
            await driver.execute("; ".join(statements))
            for name in _tables():
                if name in content.tables:
                    await driver.copy_to_table(name, source=io.BytesIO(content.tables[name]), format="binary")


def _read_sqlite(database: Database, *, to_be_written: bool) -> Content:
    with closing(_opened(database)) as there:
        rows = tuple((name, tuple(there.execute(f'SELECT * FROM "{name}"'))) for name in (*_tables(), "sqlite_sequence"))
        if not to_be_written:
            return Content(("sqlite", rows))
        with closing(sqlite3.connect(":memory:")) as kept:
            there.backup(kept)
            file = bytearray(kept.serialize())
    file[_VERSIONS] = _WITHOUT_LOG
    return Content(("sqlite", rows), file=bytes(file))


def _write_sqlite(database: Database, file: bytes) -> None:
    with closing(sqlite3.connect(":memory:")) as kept, closing(_opened(database)) as there:
        kept.deserialize(file)
        kept.backup(there)


def _opened(database: Database) -> sqlite3.Connection:
    connection = sqlite3.connect(str(database.engine.url.database), timeout=_PATIENCE_SECONDS, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


@cache
def _tables() -> list[str]:
    """Those that others refer to come first."""
    return [table.name for table in SQLModel.metadata.sorted_tables]
