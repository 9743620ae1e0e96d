"""Requests under way, each for everybody who waits for the same answer."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")


@dataclass
class Progress:
    """How far a request is, for whoever waits for it."""

    deadline: float
    """By the clock's `monotonic`: no attempt begins later. It is the latest of those who wait."""
    is_waiting_for_answer: bool = False
    may_have_been_received: bool = False
    """Whether the app may have acted on an attempt that ended without an answer."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the app may have the request, should nobody wait any longer."""
        return self.is_waiting_for_answer or self.may_have_been_received


class Flight(Generic[Outcome]):
    """One request under way. Who no longer wants to wait leaves the others alone; the last one to leave ends it."""

    def __init__(self, work: Coroutine[Any, Any, Outcome], *, progress: Progress, started: int, era: int) -> None:
        self.progress = progress
        self.started = started
        """How many writes had ended in the process when it started."""
        self.era = era
        """How many eras had ended."""
        self.is_abandoned = False
        self._waiting = 0
        self._task = asyncio.create_task(work)
        # Its fault belongs to those who wait; where the last one has left, nobody is to be told of it.
        self._task.add_done_callback(_retrieve)

    @property
    def can_be_joined(self) -> bool:
        """Whether there is still an answer to wait for."""
        return not self.is_abandoned and not self._task.done()

    def when_done(self, told: Callable[[], None]) -> None:
        """Tells when it has ended, whatever came of it."""
        self._task.add_done_callback(lambda _: told())

    async def outcome(self) -> Outcome:
        """What came of it. Cancelling it ends the request where nobody else waits, and returns once it has ended."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting and not self._task.done():
                self.is_abandoned = True
                self._task.cancel()
                await asyncio.wait([self._task])


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
