"""Questions that many ask are answered once, for a while."""

import asyncio

import pytest

from gateway.events.sharing import LONGEST_SECONDS, Sharing


class Questions:
    """Counts how often each was answered, at a time that stands still."""

    def __init__(self, *, maximum=10):
        self.now = 0.0
        self.asked = []
        self.sharing = Sharing(maximum=maximum, time=lambda: self.now)

    async def ask(self, key, *, seconds=10.0, answer=None):
        async def work():
            self.asked.append(key)
            return await answer if answer is not None else len(self.asked)

        return await self.sharing.get(key, work, seconds=seconds)


async def test_an_answer_serves_for_its_time_and_no_longer():
    questions = Questions()
    answers = [await questions.ask("a")]
    questions.now = 9.9
    answers += [await questions.ask("a"), await questions.ask("b")]
    questions.now = 10.0
    answers += [await questions.ask("a")]

    assert answers == [1, 1, 2, 3]


async def test_whoever_asks_while_it_is_answered_waits_for_that_answer_and_takes_it_from_nobody_by_leaving():
    questions, answer = Questions(), asyncio.get_running_loop().create_future()
    first, second = (asyncio.ensure_future(questions.ask("a", seconds=0, answer=answer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    answer.set_result("there")

    assert await second == "there"
    assert questions.asked == ["a"]


async def test_what_failed_is_told_to_all_who_waited_and_asked_again_by_the_next():
    questions, answer = Questions(), asyncio.get_running_loop().create_future()
    waiting = [asyncio.ensure_future(questions.ask("a", answer=answer)) for _ in range(2)]
    await asyncio.sleep(0)
    answer.set_exception(ConnectionResetError())

    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [ConnectionResetError] * 2
    assert await questions.ask("a") == 2


async def test_so_many_answers_are_kept_and_none_that_is_too_old_for_everybody():
    questions = Questions(maximum=3)
    for key in "abcd":
        await questions.ask(key)
    kept = [list(questions.sharing._answers)]
    questions.now = LONGEST_SECONDS
    await questions.ask("e")
    kept += [list(questions.sharing._answers)]

    assert kept == [["b", "c", "d"], ["e"]]


async def test_what_is_under_way_ends_when_it_is_closed():
    questions, answer = Questions(), asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(questions.ask("a", answer=answer))
    while not questions.asked:  # noqa: ASYNC110 - it is begun then, which a while on the clock does not say
        await asyncio.sleep(0)
    await questions.sharing.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert answer.cancelled()
