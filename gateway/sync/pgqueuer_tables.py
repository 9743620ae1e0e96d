"""The tables of PgQueuer on PostgreSQL: their names, their making, and a driver that says when they cannot be reached."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.ports.driver import Driver, NotifyCallback
from sqlalchemy.engine import URL

from gateway.storage import engines

TABLES = DBSettings(
    # All of it is made again out of our own tables: a crash of the server may take it.
    durability=Durability.volatile,
    db_schema=None,
    # Every name is given, as PgQueuer reads those that are not from the environment, some under names such as CHANNEL.
    prefix="",
    channel="gateway_jobs",
    function="fn_gateway_job_changed",
    statistics_table="gateway_job_statistics",
    queue_status_type="gateway_job_status",
    queue_table="gateway_job",
    queue_table_log="gateway_job_log",
    trigger="tg_gateway_job_changed",
    schedules_table="gateway_job_schedule",
    widen_id=True,
)
_ANSWER_SECONDS = 10.0
_INSTALLING = 7_266_391_045
"""The number of the lock under which one process at a time makes the tables."""


async def install(url: URL) -> None:
    """Makes the tables, or brings them up to date; safe when several processes do so at once."""
    connection = await asyncpg.connect(**options(url))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _INSTALLING)
        queries = queries_over(AsyncpgDriver(connection))
        await (queries.upgrade() if await queries.schema_is_installed() else queries.install())
    finally:
        # The lock goes with the connection.
        connection.terminate()


def options(url: URL) -> dict[str, Any]:
    """How to connect: so that a link that died is given up after seconds."""
    return {**engines.postgresql_options(url, application_name="gateway jobs"), "command_timeout": _ANSWER_SECONDS}


def queries_over(driver: Driver) -> Queries:
    """PgQueuer's statements for our tables."""
    return Queries(driver, *_builders())


def queries_in_memory() -> InMemoryQueries:
    """The same without tables, for one process."""
    return InMemoryQueries(InMemoryDriver(), *_builders())


def _builders() -> tuple[QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder]:
    return QueryBuilderEnvironment(TABLES), QueryQueueBuilder(TABLES), QuerySchedulerBuilder(TABLES)


async def forget_log(pool: Any, *, older_than: timedelta) -> None:
    """Deletes what PgQueuer wrote of jobs that are over, three rows for each: it keeps them for ever."""
    await pool.execute(f"DELETE FROM {TABLES.queue_table_log} WHERE created < clock_timestamp() - $1::interval", older_than)  # noqa: S608


class WatchedDriver(AsyncpgPoolDriver):
    """A driver that says when a read failed, or the link on which notices come was lost.

    PgQueuer would wait for every job under way before it tells of the one, and would not notice the other.
    """

    def __init__(self, pool: Any, *, on_failure: Callable[[], None]) -> None:
        super().__init__(pool)
        self._on_failure = on_failure

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a query."""
        with ExitStack() as failing:
            failing.callback(self._on_failure)
            rows = await super().fetch(query, *args)
            failing.pop_all()
        return rows

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Has notices of a channel told to the callback."""
        await super().add_listener(channel, callback)
        if self._listener_connection is not None:
            self._listener_connection.add_termination_listener(self._lost)

    def _lost(self, _connection: object) -> None:
        self._on_failure()
