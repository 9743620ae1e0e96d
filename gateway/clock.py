"""The one source of time."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the gateway sees it; tests pass one that they move themselves."""

    def now(self) -> datetime:
        """The time, aware and in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and deadlines."""

    async def sleep(self, seconds: float) -> None:
        """Returns after that many seconds."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time of the machine's clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment before the process began."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Returns after that many seconds, and lets others run meanwhile."""
        await asyncio.sleep(seconds)
