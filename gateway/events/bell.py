"""The bell: it says that something may have happened, never what. The tables hold the truth."""

import asyncio
from contextlib import suppress


class Bell:
    """Wakes whoever waits, when somebody in this process rings."""

    def __init__(self) -> None:
        self._count = 0
        self._rung = asyncio.Event()

    @property
    def count(self) -> int:
        """How often it was rung so far: what a waiter has seen before it looked at the tables."""
        return self._count

    def ring(self) -> None:
        """Wakes everybody who waits. To be called after the commit, never before."""
        self.wake()

    def wake(self) -> None:
        """Wakes everybody who waits in this process, and nobody else."""
        self._count += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seen: int, *, seconds: float) -> int:
        """Returns the count once it is another than `seen`, or after so many seconds: a ring may get lost on its way."""
        if self._count == seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
        return self._count

    async def run(self) -> None:
        """What it takes to be heard elsewhere: here nothing, as nobody else is there."""
