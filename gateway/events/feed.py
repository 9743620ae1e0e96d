"""What happened of one topic lately, in memory."""

import asyncio
from bisect import bisect_right
from collections import deque

from gateway.errors import CursorExpiredError
from gateway.events.batches import Batch
from gateway.events.log import Topic


class Feed:
    """The latest batches of a topic, shared by its listeners."""

    def __init__(self, topic: Topic, start: int | None) -> None:
        self.topic = topic
        self.start = start
        """All that came after this position is here; null before the log is followed."""
        self.listeners = 0
        self._batches: deque[Batch] = deque()
        self._waiting: set[asyncio.Future[bool]] = set()
        self._is_lost = False

    def lose(self) -> None:
        """Says that the log is no longer the one that it is of."""
        self._is_lost = True
        self._wake()

    def require_log(self) -> None:
        """Raises CursorExpiredError once the log is another one."""
        if self._is_lost:
            raise CursorExpiredError("The event log is another one than before. Read the records again, then subscribe anew.")

    def begin(self, position: int) -> None:
        """Says from where on the log is followed."""
        self.start = position
        self._wake()

    def add(self, batch: Batch) -> None:
        """Takes the batch that follows, and wakes everybody who waits for it."""
        if self.start is not None:
            self._batches.append(batch)
            self._wake()

    def forget(self, batch: Batch) -> None:
        """Lets go of its oldest batch."""
        if self._batches and self._batches[0] is batch:
            self._batches.popleft()
            self.start = batch.end

    def after(self, position: int) -> Batch | None:
        """The first batch after a position that is not before `start`; null where none came yet."""
        index = bisect_right(self._batches, position, key=lambda batch: batch.end)
        return self._batches[index].after(position) if index < len(self._batches) else None

    async def grown(self, seconds: float) -> bool:
        """Returns once something came; false where nothing did within so many seconds."""
        # A time-out context and an event cost three times as much, for each listener and batch.
        loop = asyncio.get_running_loop()
        growth: asyncio.Future[bool] = loop.create_future()
        alarm = loop.call_later(seconds, _settle, growth, False)
        self._waiting.add(growth)
        try:
            return await growth
        finally:
            alarm.cancel()
            self._waiting.discard(growth)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for growth in waiting:
            _settle(growth, True)


def _settle(growth: asyncio.Future[bool], has_grown: bool) -> None:
    if not growth.done():
        growth.set_result(has_grown)
