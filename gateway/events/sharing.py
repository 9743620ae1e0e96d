"""Questions that many ask at the same time, answered once."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

LONGEST_SECONDS = 60.0
"""So old an answer may be that somebody is given; older ones are not kept."""

Answer = TypeVar("Answer")


class Sharing:
    """Answers for whoever asks the same at the same time, and shortly after; a bounded number of them is kept."""

    def __init__(self, *, maximum: int, time: Callable[[], float] | None = None) -> None:
        self._maximum = maximum
        self._time = time
        self._answers: OrderedDict[Hashable, tuple[float, asyncio.Task[Any]]] = OrderedDict()

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[Answer]], *, seconds: float) -> Answer:
        """The answer to a question, at most so many seconds old; what it raises, everybody who waits for it gets.

        Whoever gives up waiting takes nothing from the others.
        """
        now = self._time() if self._time is not None else asyncio.get_running_loop().time()
        asked_at, task = self._answers.get(key, (0.0, None))
        if task is None or (task.done() and (asked_at + seconds <= now or _has_failed(task))):
            task = asyncio.ensure_future(_answer(ask))
            # Looked at even where everybody has given up waiting.
            task.add_done_callback(_has_failed)
            self._answers[key] = (now, task)
            self._answers.move_to_end(key)
            self._forget(now)
        return cast(Answer, await asyncio.shield(task))

    def _forget(self, now: float) -> None:
        """Lets go of the oldest answers: of what is too much, and of what nobody may be given any more."""
        while True:
            asked_at, task = next(iter(self._answers.values()))
            if len(self._answers) <= self._maximum and (asked_at + LONGEST_SECONDS > now or not task.done()):
                return
            self._answers.popitem(last=False)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [task for _, task in self._answers.values()]
        self._answers.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    return await ask()


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None
