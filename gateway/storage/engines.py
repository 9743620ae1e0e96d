"""The two databases, set up so that neither loses an update or an acknowledged commit."""

import asyncio
from functools import partial
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import Any

from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from gateway.errors import ConfigurationError
from gateway.storage import sqlite_driver

WRITE = "gateway_write"
"""The execution option that makes an engine's transactions write from their first statement on SQLite."""
NO_TRANSACTION = "gateway_no_transaction"
"""The execution option that leaves each of an engine's statements to itself on SQLite."""

_SQLITE_BUSY_MILLISECONDS = 5_000
_PAUSE_MILLISECONDS = 10
_WRITE_AHEAD_LOG = "PRAGMA journal_mode = WAL"
_POSTGRESQL_CONNECT: dict[str, Any] = {
    "timeout": 10,
    # A link that died without a word is noticed by this time-out or by the kernel, whichever comes first.
    "command_timeout": 60,
    "server_settings": {
        "application_name": "gateway",
        "timezone": "UTC",
        # Compiling costs more than running for statements as short as ours.
        "jit": "off",
        "tcp_keepalives_idle": "30",
        "tcp_user_timeout": "30000",
        "idle_in_transaction_session_timeout": "60000",
    },
}


def parse_url(url: str) -> URL:
    """The URL in parts.

    Raises ConfigurationError, without repeating the URL, when it cannot be read or names a database that the gateway does not run on.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("GATEWAY_DATABASE_URL is not a database URL, such as sqlite+aiosqlite:///gateway.db.") from None

    if parsed.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ConfigurationError(
            f"GATEWAY_DATABASE_URL names {parsed.drivername!r}. Use sqlite+aiosqlite:///file.db or postgresql+asyncpg://user:password@host/name."
        )
    if is_sqlite(parsed):
        _check_file(parsed)
    return parsed


def is_sqlite(url: URL) -> bool:
    """Whether the database is a SQLite file."""
    return url.get_backend_name() == "sqlite"


def file_of(url: URL) -> Path:
    """The file of a SQLite database."""
    return Path(url.database or "")


def create_engine(url: URL, **options: Any) -> AsyncEngine:
    """An engine on which a transaction is what it claims to be; nothing is opened yet."""
    options = {"hide_parameters": True, **options}  # Customers' values stay out of messages and logs.
    if not is_sqlite(url):
        # No ping before each use: it costs a round trip, and after a lost link only one error per pool is seen.
        return create_async_engine(url, connect_args=_POSTGRESQL_CONNECT, pool_size=10, max_overflow=5, pool_recycle=1_800, **options)

    # Sessions and connections roll back what they began when they close; the pool would only do it once more.
    driver = partial(sqlite_driver.connect, str(file_of(url).absolute()))
    engine = create_async_engine(url, pool_reset_on_return=None, async_creator=driver, **options)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def postgresql_options(url: URL, **server_settings: str) -> dict[str, Any]:
    """How asyncpg itself is told to connect to a database, set up like the engine's connections; for one apart from the pool."""
    options = _dialect_of(url).create_connect_args(url)[1]
    named = {**_POSTGRESQL_CONNECT["server_settings"], **server_settings}
    return {**options, **_POSTGRESQL_CONNECT, "server_settings": named}


def _dialect_of(url: URL) -> Any:
    return url.get_dialect()()


def _check_file(url: URL) -> None:
    if url.database in (None, "", ":memory:") or url.query:
        raise ConfigurationError("GATEWAY_DATABASE_URL names no file. SQLite needs one, such as sqlite+aiosqlite:///gateway.db.")
    folder = file_of(url).parent
    if not folder.is_dir():
        raise ConfigurationError(f"GATEWAY_DATABASE_URL names a file in {str(folder)!r}, which is not a folder. Create the folder first.")


def _set_pragmas(connection: Any, record: object) -> None:
    # The driver must not begin transactions by itself: it would begin them only at the first write, after the reads
    # that the write depends on, and updates would be lost without an error.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_SQLITE_BUSY_MILLISECONDS}")
    _use_write_ahead_log(cursor)
    # NORMAL could forget the last commits when the power fails: a subscriber's cursor would then be ahead of the log.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _use_write_ahead_log(cursor: Any) -> None:
    # SQLite does not wait for its busy_timeout where another connection writes into a file that has no such log yet.
    for _ in range(_SQLITE_BUSY_MILLISECONDS // _PAUSE_MILLISECONDS):
        try:
            cursor.execute(_WRITE_AHEAD_LOG)
        except OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY:
                raise
            await_only(asyncio.sleep(_PAUSE_MILLISECONDS / 1000))
        else:
            return
    cursor.execute(_WRITE_AHEAD_LOG)


def _begin(connection: DatabaseConnection) -> None:
    options = connection.get_execution_options()
    if not options.get(NO_TRANSACTION):
        # A writer takes its lock before it reads, so that nobody changes what it read.
        driver: Any = connection.connection.driver_connection
        driver.begin("BEGIN IMMEDIATE" if options.get(WRITE) else "BEGIN")
