"""The one source of time."""

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
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

    now = staticmethod(partial(datetime.now, UTC))
    """The time of the machine's clock."""
    monotonic = staticmethod(time.monotonic)
    """Seconds since some moment before the process began."""

    async def sleep(self, seconds: float) -> None:
        """Returns after that many seconds, and lets others run meanwhile."""
        await asyncio.sleep(seconds)


class Deadline:
    """Ends what the task waits for inside of it once its time is over, by a TimeoutError; by the loop's clock.

    As `asyncio.timeout`, which takes many times the steps: each answer of the gateway passes several of them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.is_over = False
        """Whether its time was over before what is inside of it had ended."""

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("Only a task can be held to a deadline.")
        self._task: asyncio.Task[Any] = task
        self._cancelling = task.cancelling()
        self._row = row = _rows.get((loop, self._seconds)) or _new_row(loop, self._seconds)
        row.over_at[self] = over_at = loop.time() + self._seconds
        if not row.is_watched:
            row.watch(over_at)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._row.over_at.pop(self, None)
        # Whoever else has cancelled the task meanwhile is obeyed.
        if self.is_over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def end(self) -> None:
        """Ends what is inside of it."""
        self.is_over = True
        self._task.cancel()


_TICK_SECONDS = 0.001
# Loops count in thousandths of a second, and take a time that is nearer for now.


class _Row:
    """Deadlines of one length that are not over: they will be in the order in which they began, so that one timer does for them all.

    A timer for each takes more steps than all else that a deadline does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.over_at: dict[Deadline, float] = {}
        """When, by the loop's clock."""
        self.is_watched = False

    def watch(self, until: float) -> None:
        """Ends those that are over at a time, and goes on as long as there are others."""
        self.is_watched = True
        self._loop.call_at(until, self._end_those_over)

    def _end_those_over(self) -> None:
        self.is_watched = False
        over, now = [], self._loop.time()
        for deadline, over_at in self.over_at.items():
            if over_at - now > _TICK_SECONDS:
                self.watch(over_at)
                break
            over.append(deadline)
        for deadline in over:
            del self.over_at[deadline]
            deadline.end()


_rows: dict[tuple[asyncio.AbstractEventLoop, float], _Row] = {}
"""By their loops and lengths. Of a row that is forgotten the deadlines end all the same; the next of that length begin another."""
_MOST_ROWS = 64


def _new_row(loop: asyncio.AbstractEventLoop, seconds: float) -> _Row:
    for known in list(_rows):
        if known[0].is_closed() or len(_rows) >= _MOST_ROWS:
            _rows.pop(known, None)
    row = _rows[loop, seconds] = _Row(loop)
    return row


class Alarm:
    """Calls somebody at a time of the loop that is put off again and again, and seldom comes.

    A timer for each putting off would take more steps than all else that a connection does: there is one, which is set anew
    where it rings too early.
    """

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._time = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_rings_at = math.inf

    def set(self, at: float) -> None:
        """Calls at that time, and no more at the one before."""
        self._time = at
        if at < self._timer_rings_at:
            self._start_timer()

    def stop(self) -> None:
        """Calls no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_rings_at = None, math.inf

    def _start_timer(self) -> None:
        self.stop()
        self._timer = self._loop.call_at(self._time, self._ring)
        self._timer_rings_at = self._time

    def _ring(self) -> None:
        self._timer_rings_at = math.inf
        if self._time - self._loop.time() > _TICK_SECONDS:
            self._start_timer()
        else:
            self.stop()
            self._call()
