import asyncio

import pytest

from gateway.connectors.turns import Turns


async def started(turns: Turns, names: list[str], name: str) -> asyncio.Task[None]:
    async def wait() -> None:
        await turns.wait()
        names.append(name)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


async def test_as_many_turns_are_taken_as_there_are():
    turns = Turns(2)

    assert [turns.take() for _ in range(3)] == [True, True, False]


async def test_a_turn_that_is_given_back_goes_to_whoever_has_waited_longest_and_to_nobody_who_comes_meanwhile():
    turns, names = Turns(1), []
    turns.take()
    tasks = [await started(turns, names, name) for name in "ab"]

    turns.give_back()

    assert not turns.take()
    await tasks[0]
    assert names == ["a"]
    turns.give_back()
    await tasks[1]
    turns.give_back()
    assert (names, turns.take()) == (["a", "b"], True)


@pytest.mark.parametrize("is_given_first", [True, False])
async def test_one_who_waits_and_is_cancelled_leaves_the_turn_to_the_next(is_given_first):
    turns, names = Turns(1), []
    turns.take()
    first, second = [await started(turns, names, name) for name in "ab"]

    if is_given_first:
        turns.give_back()
        first.cancel()
    else:
        first.cancel()
        turns.give_back()
    await asyncio.gather(first, return_exceptions=True)
    await second

    assert names == ["b"]
    assert not turns.take()


async def test_a_block_has_its_turn_until_it_ends_whatever_ends_it():
    turns = Turns(1)

    async def fail() -> None:
        async with turns:
            raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await fail()

    assert turns.take()
