import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import Clock
from gateway.testing import FakeClock


def test_time_stands_still_until_it_is_advanced():
    clock: Clock = FakeClock(now=datetime(2026, 5, 1, tzinfo=UTC))
    assert (clock.now(), clock.monotonic()) == (datetime(2026, 5, 1, tzinfo=UTC), 0)

    clock.advance(90.5)

    assert (clock.now(), clock.monotonic()) == (datetime(2026, 5, 1, 0, 1, 30, 500_000, tzinfo=UTC), 90.5)


def test_time_never_goes_back():
    clock = FakeClock()

    with pytest.raises(ValueError, match="cannot go back by 1 seconds"):
        clock.advance(-1)

    assert clock.monotonic() == 0


async def test_a_sleep_moves_the_clock_and_is_recorded():
    clock = FakeClock()
    start = clock.now()

    await clock.sleep(30)
    await clock.sleep(0)
    await clock.sleep(0.5)

    assert clock.sleeps == [30, 0, 0.5]
    assert clock.now() - start == timedelta(seconds=30.5)


async def test_a_waiting_sleep_ends_when_the_clock_was_moved_that_far():
    clock = FakeClock(sleep_waits=True)
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as tasks:
        for seconds in (30, 10, 20):
            tasks.create_task(sleep(seconds))
        await asyncio.sleep(0)

        clock.advance(9)
        await asyncio.sleep(0)
        assert woken == []

        clock.advance(11)
        await asyncio.sleep(0)
        assert woken == [10, 20]

        clock.advance(100)

    assert woken == [10, 20, 30]
    assert clock.sleeps == [30, 10, 20]


async def test_a_cancelled_sleep_does_not_disturb_the_clock():
    clock = FakeClock(sleep_waits=True)
    sleeping = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)

    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    clock.advance(10)

    assert clock.monotonic() == 10
