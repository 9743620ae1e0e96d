"""The one source of time."""

import asyncio
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol


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


class Deadline:
    """Ends what the task waits for inside of it once its time is over, by a TimeoutError; by the loop's clock.

    As `asyncio.timeout`, which takes three times the steps: each answer of the gateway passes several of them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.is_over = False
        """Whether its time was over before what is inside of it had ended."""

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task can be held to a deadline.")
        self._task: asyncio.Task[Any] = task
        self._cancelling = task.cancelling()
        self._timer = task.get_loop().call_later(self._seconds, self._end)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        # Whoever else has cancelled the task meanwhile is obeyed.
        if self.is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self.is_over = True
        self._task.cancel()
