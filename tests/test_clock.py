"""What a task waits for ends at its deadline, and an alarm that is put off rings at its last time."""

import asyncio

import pytest
from aiotools import VirtualClock

from gateway.clock import Alarm, Deadline

TICK = 0.001
"""What the loop calls now: a timer may come that many seconds early."""


@pytest.fixture(autouse=True)
async def virtual_time():
    """Time passes only where nothing is left to do, and then at once: a machine that stands still for a moment changes no result."""
    with VirtualClock().patch_loop():
        yield


async def test_what_is_waited_for_when_the_time_is_over_ends_with_a_timeout():
    deadline = Deadline(0)

    with pytest.raises(TimeoutError), deadline:
        await asyncio.Event().wait()

    assert deadline.is_over
    assert asyncio.current_task().cancelling() == 0


async def test_what_ends_before_leaves_the_task_alone_afterwards():
    deadline = Deadline(10)

    with deadline:
        await asyncio.sleep(9)
    await asyncio.sleep(20)

    assert not deadline.is_over


async def test_an_error_inside_stays_what_it_is():
    deadline = Deadline(60)

    with pytest.raises(LookupError), deadline:
        raise LookupError

    assert not deadline.is_over


async def test_a_timeout_of_something_else_is_not_taken_for_this_one():
    deadline = Deadline(60)

    with pytest.raises(TimeoutError), deadline:
        raise TimeoutError

    assert not deadline.is_over


async def test_of_two_the_one_whose_time_is_over_ends_what_is_inside_of_it():
    outer, inner = Deadline(60), Deadline(0)

    with outer, pytest.raises(TimeoutError), inner:
        await asyncio.Event().wait()

    assert (outer.is_over, inner.is_over) == (False, True)


async def test_of_many_of_one_length_each_ends_at_its_own_time_and_only_who_still_waits():
    loop, ended = asyncio.get_running_loop(), {}

    async def wait(name: str, *, after: float, event: asyncio.Event) -> None:
        await asyncio.sleep(after)
        try:
            with Deadline(10):
                await event.wait()
        except TimeoutError:
            name += ", too late"
        ended[name] = loop.time()

    happens, never = asyncio.Event(), asyncio.Event()
    loop.call_later(5, happens.set)
    async with asyncio.timeout(100):
        await asyncio.gather(
            wait("in time", after=0, event=happens), wait("first", after=2, event=never), wait("second", after=8, event=never)
        )

    assert ended == {"in time": 5, "first, too late": pytest.approx(12, abs=TICK), "second, too late": pytest.approx(18, abs=TICK)}


async def test_whoever_cancels_the_task_at_the_same_moment_is_obeyed():
    async def wait():
        with Deadline(0):
            asyncio.get_running_loop().call_later(0, task.cancel)
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()


async def test_an_alarm_rings_once_at_its_last_time_whether_that_is_later_or_sooner():
    loop, rung = asyncio.get_running_loop(), []
    later, sooner, stopped = (Alarm(lambda name=name: rung.append((name, loop.time()))) for name in ("later", "sooner", "stopped"))

    later.set(1)
    later.set(10)
    sooner.set(60)
    sooner.set(5)
    stopped.set(2)
    stopped.stop()
    await asyncio.sleep(100)

    assert rung == [("sooner", pytest.approx(5, abs=TICK)), ("later", pytest.approx(10, abs=TICK))]


async def test_an_alarm_that_has_rung_or_was_stopped_can_be_set_again():
    rung = []
    alarm = Alarm(lambda: rung.append(len(rung)))

    for _ in range(2):
        alarm.set(asyncio.get_running_loop().time() + 1)
        await asyncio.sleep(2)
        alarm.stop()

    assert rung == [0, 1]
