"""What happened of one topic lately, in memory."""

import asyncio
from bisect import bisect_right
from collections import deque

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
        self._has_grown = asyncio.Event()

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
        has_grown = self._has_grown
        try:
            async with asyncio.timeout(seconds):
                return await has_grown.wait()
        except TimeoutError:
            return False

    def _wake(self) -> None:
        self._has_grown.set()
        self._has_grown = asyncio.Event()
