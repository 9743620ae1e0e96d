"""What a task waits for ends at its deadline, and an alarm that is put off rings at its last time."""

import asyncio

import pytest

from gateway.clock import Alarm, Deadline


async def test_what_is_waited_for_when_the_time_is_over_ends_with_a_timeout():
    deadline = Deadline(0)

    with pytest.raises(TimeoutError), deadline:
        await asyncio.Event().wait()

    assert deadline.is_over
    assert asyncio.current_task().cancelling() == 0


async def test_what_ends_before_leaves_the_task_alone_afterwards():
    deadline = Deadline(0.01)

    with deadline:
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)

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
    loop, ended = asyncio.get_running_loop(), []

    async def wait(name: str, *, after: float, event: asyncio.Event) -> None:
        await asyncio.sleep(after)
        begun = loop.time()
        try:
            with Deadline(0.1):
                await event.wait()
        except TimeoutError:
            ended.append((name, loop.time() - begun))

    happens = asyncio.Event()
    loop.call_later(0.05, happens.set)
    never = asyncio.Event()
    await asyncio.gather(
        wait("in time", after=0, event=happens), wait("first", after=0.02, event=never), wait("second", after=0.08, event=never)
    )

    assert [name for name, _ in ended] == ["first", "second"]
    assert all(0.095 <= seconds < 1 for _, seconds in ended)


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
    start = loop.time()
    later, sooner, stopped = (Alarm(lambda name=name: rung.append((name, loop.time() - start))) for name in ("later", "sooner", "stopped"))

    later.set(start + 0.01)
    later.set(start + 0.1)
    sooner.set(start + 60)
    sooner.set(start + 0.05)
    stopped.set(start + 0.02)
    stopped.stop()
    await asyncio.sleep(0.2)

    assert [name for name, _ in rung] == ["sooner", "later"]
    assert [after >= least for (_, after), least in zip(rung, (0.045, 0.095), strict=True)] == [True, True]


async def test_an_alarm_that_has_rung_or_was_stopped_can_be_set_again():
    rung = []
    alarm = Alarm(lambda: rung.append(len(rung)))

    for _ in range(2):
        alarm.set(asyncio.get_running_loop().time())
        await asyncio.sleep(0.02)
        alarm.stop()

    assert rung == [0, 1]
