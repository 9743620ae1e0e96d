"""The bell wakes whoever waits, here and in other processes, and only says that something may have happened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.events.bell import Bell
from gateway.events.shared_bell import SharedBell
from gateway.storage.database import Database
from tests.support.chaos_proxy import chaos_proxy

LONG = 30.0
"""Seconds that a test fails after rather than passes."""


@pytest.fixture
async def postgres_url(postgres_server) -> AsyncIterator[str]:
    async with postgres_server.migrated_database() as url:
        yield url


@asynccontextmanager
async def replica(url: str, **timing: float) -> AsyncIterator[SharedBell]:
    """The bell of a process that is up and hears the others."""
    database = Database.connect(url)
    bell = SharedBell(database.engine, **timing)
    at_work = asyncio.ensure_future(bell.run())
    await bell.wait(0, seconds=LONG)  # It rings once itself as soon as it listens.
    yield bell
    at_work.cancel()
    await asyncio.gather(at_work, return_exceptions=True)
    await database.close()


async def heard(bell: Bell, ringing: Bell) -> bool:
    """Whether a ring of the one wakes the other, though the link may have to be made anew first."""
    seen = bell.count
    for _ in range(100):
        ringing.ring()
        if await bell.wait(seen, seconds=0.2) != seen:
            return True
    return False


async def test_everybody_who_waits_is_woken_by_one_ring():
    bell = Bell()
    waiting = [asyncio.ensure_future(bell.wait(0, seconds=LONG)) for _ in range(3)]
    await asyncio.sleep(0)

    bell.ring()

    assert await asyncio.gather(*waiting) == [1, 1, 1]


async def test_a_ring_before_the_wait_is_not_missed():
    bell = Bell()
    seen = bell.count
    bell.ring()

    assert await bell.wait(seen, seconds=LONG) == 1


async def test_a_wait_ends_by_itself_as_a_ring_may_get_lost():
    assert await Bell().wait(0, seconds=0) == 0


async def test_a_ring_is_heard_in_other_processes_and_at_once_in_its_own(postgres_url):
    async with replica(postgres_url) as mine, replica(postgres_url) as other:
        await mine.wait(1, seconds=0.5)  # The other one rang when it came.
        before, elsewhere = mine.count, other.count

        mine.ring()

        assert mine.count == before + 1
        assert await other.wait(elsewhere, seconds=LONG) == elsewhere + 1
        assert await mine.wait(before + 1, seconds=0.2) == before + 1, "its own ring came back to it"


async def test_many_rings_are_heard_elsewhere_as_few_and_the_last_one_is_never_swallowed(postgres_url):
    async with replica(postgres_url) as mine, replica(postgres_url) as other:
        await asyncio.sleep(0.1)
        before = other.count
        for _ in range(1_000):
            mine.ring()
        first = await other.wait(before, seconds=LONG)
        mine.ring()

        assert await other.wait(first, seconds=LONG) > before
        assert other.count - before <= 3


async def test_a_broken_link_is_made_anew_and_says_that_something_may_have_been_missed(postgres_url):
    async with chaos_proxy(postgres_url) as (proxy, url), replica(url) as mine, replica(postgres_url) as other:
        await asyncio.sleep(0.1)
        seen = mine.count

        proxy.drop()

        assert await mine.wait(seen, seconds=LONG) > seen
        assert await heard(mine, other)
        assert await heard(other, mine)


async def test_a_link_that_went_silent_is_noticed_and_replaced(postgres_url):
    timing = {"check_seconds": 0.3, "answer_seconds": 0.3}
    async with chaos_proxy(postgres_url) as (proxy, url), replica(url, **timing) as mine, replica(postgres_url) as other:
        await asyncio.sleep(0.1)
        proxy.silence()

        assert await heard(mine, other)
        assert await heard(other, mine)


async def test_a_server_that_is_away_for_a_while_is_waited_for(postgres_url):
    async with chaos_proxy(postgres_url) as (proxy, url), replica(url) as mine, replica(postgres_url) as other:
        proxy.go_down()
        await asyncio.sleep(1.2)
        mine.ring()
        proxy.come_back()

        assert await heard(mine, other)
        assert await heard(other, mine)
