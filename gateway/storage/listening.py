"""A connection to PostgreSQL apart from the pool, for what lasts: hearing notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.storage import engines

FAULTS: tuple[type[Exception], ...] = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the connection raises when the server is away."""
_CLOSE_SECONDS = 1.0


class Connection(Protocol):
    """What is used of asyncpg's connection, which brings no types."""

    async def execute(self, query: str) -> str:
        """Runs a statement."""

    async def add_listener(self, channel: str, callback: Any) -> None:
        """Calls back with the connection, the sender's process id, the channel and the payload."""

    def add_termination_listener(self, callback: Any) -> None:
        """Calls back with the connection when it ends."""

    def is_closed(self) -> bool:
        """Whether it has ended."""


@asynccontextmanager
async def connection(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """A connection of its own to the engine's database; what it commits may be lost in a crash, so it is not for writing."""
    opened = await asyncpg.connect(**engines.postgresql_options(engine.url, synchronous_commit="off"))
    try:
        yield opened
    finally:
        # A link that died without a word must not keep anybody waiting.
        try:
            await opened.close(timeout=_CLOSE_SECONDS)
        except FAULTS:
            opened.terminate()
        except asyncio.CancelledError:
            opened.terminate()
            raise
