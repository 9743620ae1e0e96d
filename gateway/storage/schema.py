"""The schema of the database, brought up to date by Alembic from inside the package."""

from functools import cache
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import ConfigurationError
from gateway.storage import engines

REVISION_TABLE = "schema_revision"
"""Where Alembic notes which migration came last."""

_UNREACHABLE = (OSError, TimeoutError, DBAPIError)


async def upgrade(engine: AsyncEngine) -> None:
    """Applies the migrations that are missing, all or none, one process at a time.

    Raises ConfigurationError when the database cannot be reached, or belongs to a newer gateway.
    """
    # Mostly none is missing: then the connection that is opened to see it serves whoever comes next.
    if not await _is_current(engine):
        await _migrate(engine.url)


async def _is_current(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as connection:
            if await _revision(connection) != head():
                return False
            await connection.run_sync(_check_references)
    except DBAPIError:
        # There is no such table yet; whatever else it may be shows again, and is told, where the migrations begin.
        return False
    except _UNREACHABLE as error:
        raise _unusable(engine.url, error) from error
    return True


async def _migrate(url: URL) -> None:
    engine = engines.create_engine(url)
    if engines.is_sqlite(url):
        event.listen(engine.sync_engine, "connect", _leave_foreign_keys_open)
    try:
        async with engine.execution_options(**{engines.WRITE: True}).begin() as connection:
            await _lock(connection)
            await connection.run_sync(_upgrade)
    except CommandError as error:
        raise _foreign_schema() from error
    except _UNREACHABLE as error:
        raise _unusable(url, error) from error
    finally:
        await engine.dispose()


async def check(engine: AsyncEngine) -> None:
    """Returns when the database answers and its schema is the one this gateway works with; raises ConfigurationError when not."""
    try:
        async with engine.connect() as connection:
            found = await _revision(connection)
    except _UNREACHABLE as error:
        raise _unusable(engine.url, error) from error
    if found != head():
        raise _foreign_schema()


async def _revision(connection: AsyncConnection) -> str | None:
    found = await connection.execute(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608
    return found.scalar_one_or_none()


@cache
def head() -> str | None:
    """The newest migration of this gateway."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "gateway.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: DatabaseConnection) -> None:
    # Another process may have come first. Alembic reads every migration even where none is missing, which takes long.
    if MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE}).get_current_revision() != head():
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    _check_references(connection)


def _check_references(connection: DatabaseConnection) -> None:
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise ConfigurationError(f"A migration would leave rows of {broken[0][0]!r} without what they refer to. Nothing was changed.")


def _leave_foreign_keys_open(connection: Any, record: object) -> None:
    # SQLite alters a table by replacing it, which would break every reference to it; they are checked at the end instead.
    connection.execute("PRAGMA foreign_keys = OFF").close()


async def _lock(connection: AsyncConnection) -> None:
    # SQLite took its lock at BEGIN IMMEDIATE. CREATE TABLE IF NOT EXISTS would be no substitute: it races.
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('gateway-migrate', 0))"))


def _foreign_schema() -> ConfigurationError:
    return ConfigurationError(
        "The database's schema is not this gateway's. Run `gateway migrate`, or install the gateway that last migrated it."
    )


def _unusable(url: URL, error: BaseException) -> ConfigurationError:
    if engines.is_sqlite(url):
        # SQLite's own words name no values; those of a server may.
        reason = getattr(error, "orig", None) or error
        return ConfigurationError(
            f"The database {url.database!r} cannot be used ({reason}). Name a file that is a gateway's database, or none yet, "
            "in a folder that this process may write to."
        )
    return ConfigurationError(f"The database cannot be used ({type(error).__name__}). Check GATEWAY_DATABASE_URL and that the server runs.")
