"""What listens to the event log in this process, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.clock import Clock
from gateway.errors import trace_of
from gateway.events.bell import Bell
from gateway.events.leases import Leases
from gateway.events.shared_bell import SharedBell
from gateway.events.sharing import Sharing
from gateway.events.tail import Tail
from gateway.storage import engines
from gateway.storage.database import Database

_KEPT_ANSWERS = 10_000
_PAUSE_SECONDS = 1.0

_log = structlog.get_logger("gateway.events")


class Events:
    """The bell, the log's tail and the leases of those who listen. One per process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.bell: Bell = Bell() if engines.is_sqlite(database.engine.url) else SharedBell(database.engine)
        self.tail = Tail(database, self.bell)
        self.leases = Leases(database, clock, self.bell)
        self.sharing = Sharing(maximum=_KEPT_ANSWERS)
        """Questions that many listeners ask of the database, answered once for all of them."""


@asynccontextmanager
async def open_events(database: Database, clock: Clock) -> AsyncIterator[Events]:
    """The parts on a migrated database, at work until the block ends."""
    events = Events(database, clock)
    at_work = [asyncio.ensure_future(kept_going(work)) for work in (events.bell.run, events.tail.run, events.leases.run)]
    try:
        yield events
    finally:
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)
        await events.tail.close()
        await events.leases.close()
        await events.sharing.close()


async def kept_going(work: Callable[[], Awaitable[None]], *, pause_seconds: float = _PAUSE_SECONDS) -> None:
    """Does it until cancelled. After a defect, which the log tells, it is begun again: whoever listens would else wait for ever."""
    while True:
        (end,) = await asyncio.gather(work(), return_exceptions=True)
        if end is None:
            return
        _log.error("What listens to changes ended in a defect, and begins again", error=trace_of(end))
        await asyncio.sleep(pause_seconds)
