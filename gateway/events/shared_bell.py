"""The bell of several processes, over PostgreSQL's notifications."""

import asyncio
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.events.bell import Bell
from gateway.storage import listening
from gateway.storage.listening import Connection

_CHANNEL = "gateway_bell"
_COALESCED_SECONDS = 0.01
"""The others hear of it no oftener, however often it is rung: all commits of the server wait for one that notifies."""
_CHECK_SECONDS = 10.0
_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.5

_log = structlog.get_logger("gateway.events")


class SharedBell(Bell):
    """Wakes whoever waits in any process of the database.

    In this process at once; in others by a notification, without a word and after the commit. While the connection for it is
    down, nothing is heard from others: waiters look by themselves when their time is over.
    """

    def __init__(self, engine: AsyncEngine, *, check_seconds: float = _CHECK_SECONDS, answer_seconds: float = _ANSWER_SECONDS) -> None:
        super().__init__()
        self._engine = engine
        self._check_seconds = check_seconds
        self._answer_seconds = answer_seconds
        self._has_work = asyncio.Event()
        self._is_lost = False

    def ring(self) -> None:
        """Wakes everybody who waits, in every process. To be called after the commit, never before."""
        self.wake()
        self._has_work.set()

    async def run(self) -> None:
        """Listens and tells, on a connection of its own, until cancelled; a connection that is lost is replaced."""
        while True:
            try:
                async with listening.connection(self._engine) as connection:
                    await self._serve(connection)
            except listening.FAULTS as error:
                if not self._is_lost:
                    _log.warning("The connection that listens for changes was lost", error=type(error).__name__)
                self._is_lost = True
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve(self, connection: Connection) -> None:
        connection.add_termination_listener(self._lose)
        await connection.add_listener(_CHANNEL, self._hear)
        self._is_lost = False
        # Rings while nobody listened are unheard in both directions.
        self.ring()
        while not connection.is_closed():
            try:
                async with asyncio.timeout(self._check_seconds):
                    await self._has_work.wait()
            except TimeoutError:
                # A listener on a dead link looks healthy for ever.
                await self._execute(connection, "SELECT 1")
                continue
            self._has_work.clear()
            await self._execute(connection, f"NOTIFY {_CHANNEL}")
            await asyncio.sleep(_COALESCED_SECONDS)

    def _hear(self, connection: Any, sender: int, channel: str, payload: object) -> None:
        if sender != connection.get_server_pid():
            self.wake()

    def _lose(self, connection: Any) -> None:
        self._has_work.set()

    async def _execute(self, connection: Connection, statement: str) -> None:
        async with asyncio.timeout(self._answer_seconds):
            await connection.execute(statement)
