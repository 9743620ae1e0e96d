"""Requests under way, each for everybody who waits for the same answer."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Outcome = TypeVar("Outcome")


@dataclass(slots=True)
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
        self._is_abandoned = False
        self._waiting: set[asyncio.Future[Outcome]] = set()
        self._loop = asyncio.get_running_loop()
        # A task of its own: whoever began it may leave before the others.
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._land)

    @property
    def can_be_joined(self) -> bool:
        """Whether there is still an answer to wait for."""
        return not self._is_abandoned and not self._task.done()

    async def outcome(self) -> Outcome:
        """What came of it. Cancelling it ends the request where nobody else waits, and returns once it has ended."""
        waiter: asyncio.Future[Outcome] = self._loop.create_future()
        self._waiting.add(waiter)
        try:
            return await waiter
        finally:
            self._waiting.discard(waiter)
            if not self._waiting and not self._task.done():
                self._is_abandoned = True
                self._task.cancel()
                await asyncio.wait([self._task])

    def _land(self, task: "asyncio.Task[Outcome]") -> None:
        # Its fault belongs to those who wait; where the last one has left, nobody is to be told of it.
        fault = None if task.cancelled() else task.exception()
        for waiter in self._waiting:
            if waiter.done():
                continue
            if task.cancelled():
                waiter.cancel()
            elif fault is not None:
                waiter.set_exception(fault)
                # Counts as told: whoever is cancelled in this very turn looks at it no more.
                waiter.exception()
            else:
                waiter.set_result(task.result())
