"""Whoever is cancelled, at whatever moment, gives its connection back and leaves nothing running."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator
from functools import partial
from itertools import count, product
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.storage import world as worlds

PATIENCE_SECONDS = 20.0


class Cancelled:
    """Work that is cancelled at some of its waits, by their numbers: as it begins to wait, or late, when what it waits for is there."""

    def __init__(self, work: Coroutine[Any, Any, None], *, at: Collection[int], is_late: bool) -> None:
        self._work = work
        self._at = at
        self._is_late = is_late
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        go_on: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                awaited = go_on()
            except StopIteration:
                return
            is_now = self.waits in self._at
            self.waits += 1
            go_on = yield from self._waited(awaited, is_now=is_now)

    def _waited(self, awaited: Any, *, is_now: bool) -> Generator[Any, Any, Callable[[], Any]]:
        task = asyncio.current_task()
        assert task is not None
        if is_now and not self._is_late:
            task.cancel()
        try:
            yield awaited
        except asyncio.CancelledError as error:
            return partial(self._work.throw, error)
        if is_now and self._is_late:
            return partial(self._work.throw, asyncio.CancelledError())
        return partial(self._work.send, None)


async def read(database: Database) -> None:
    async with database.read(SYSTEM) as session:
        await session.exec(sa.text("SELECT 1"))


async def read_once(database: Database) -> None:
    async with database.read_once(SYSTEM) as session:
        await session.exec(sa.text("SELECT 1"))


async def write(database: Database) -> None:
    async with database.write(SYSTEM) as session:
        session.add(row := worlds.customer("passing"))
        await session.flush()
        await session.delete(row)


async def check(database: Database) -> None:
    await database.check()


@pytest.mark.parametrize("work", [read, read_once, write, check])
async def test_a_connection_is_given_back_whenever_its_user_is_cancelled(
    database: Database, work: Callable[[Database], Coroutine[Any, Any, None]], caplog: pytest.LogCaptureFixture
):
    # Once, and again while it clears away.
    for times, is_late in product((1, 2), (False, True)):
        for first in count():
            await database.engine.dispose()
            cancelled = Cancelled(work(database), at=range(first, first + times), is_late=is_late)
            await _ended(cancelled)
            assert await _left_running() == set(), (first, times, is_late)
            assert database.engine.pool.checkedout() == 0, (first, times, is_late)
            if first >= cancelled.waits:
                break
        assert first > 5
    gc.collect()
    assert "non-checked-in" not in caplog.text


async def _ended(work: Awaitable[None]) -> None:
    async def run() -> None:
        await work

    (end,) = await asyncio.gather(asyncio.ensure_future(run()), return_exceptions=True)
    assert end is None or isinstance(end, asyncio.CancelledError), end


async def _left_running() -> set[asyncio.Task[Any]]:
    """The tasks that do not end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return (await asyncio.wait(others, timeout=PATIENCE_SECONDS))[1] if others else set()
