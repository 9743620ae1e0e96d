"""The loaders: one batch a turn, one read a key, and nobody suffers from another's cancellation."""

import asyncio
import gc
from collections.abc import Sequence

import pytest

from gateway.errors import ConflictError, InternalError, NotFoundError
from gateway.graphql.batching import ByIdentity, EndingReadings, Loader


class Batches:
    """Doubles numbers, remembers its batches, and does what the test says first."""

    def __init__(self) -> None:
        self.keys: list[list[int]] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: BaseException | None = None

    async def read(self, keys: list[int]) -> Sequence[int | BaseException]:
        self.keys.append(keys)
        self.begun.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [NotFoundError("There is no zero.") if key == 0 else key * 2 for key in keys]


@pytest.fixture
async def batches() -> Batches:
    return Batches()


@pytest.fixture
async def loader(batches: Batches) -> Loader[int, int]:
    return Loader(batches.read)


async def test_the_keys_of_one_turn_are_read_at_once_and_each_once(batches: Batches, loader: Loader[int, int]):
    assert await asyncio.gather(*(loader.load(key) for key in (3, 1, 3, 2))) == [6, 2, 6, 4]
    assert await loader.load(1) == 2
    assert batches.keys == [[3, 1, 2]]


async def test_a_key_that_fails_fails_alone(loader: Loader[int, int]):
    found = await asyncio.gather(loader.load(0), loader.load(1), return_exceptions=True)

    assert isinstance(found[0], NotFoundError)
    assert found[1] == 2


async def test_a_failure_that_nobody_waits_for_any_more_is_not_reported_by_the_loop(batches: Batches):
    loader = Loader(batches.read)
    # The library drops what a field has asked for when a field beside it fails.
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    batches.gate.clear()
    dropped = loader.load(0)
    loader.load(-1).cancel()
    await batches.begun.wait()
    batches.gate.set()
    batches.fault = ConflictError("It changed meanwhile.")
    await asyncio.wait([dropped])
    # The error leads to where it was raised, and so to everything.
    del dropped, loader, batches.fault
    gc.collect()

    assert reported == []


async def test_a_waiter_that_is_cancelled_takes_nobody_with_it(batches: Batches, loader: Loader[int, int]):
    batches.gate.clear()
    first, second = (asyncio.ensure_future(loader.load(1)) for _ in range(2))
    await batches.begun.wait()

    first.cancel()
    batches.gate.set()

    assert await second == 2
    assert await loader.load(1) == 2
    assert first.cancelled()
    assert batches.keys == [[1]]


async def test_a_read_that_fails_whole_is_tried_again(batches: Batches, loader: Loader[int, int]):
    batches.fault = OSError("The disk is gone.")
    with pytest.raises(OSError, match="The disk is gone"):
        await loader.load(1)
    batches.fault = None

    assert await loader.load(1) == 2


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), GeneratorExit()])
async def test_a_read_that_is_cut_off_leaves_nobody_waiting(batches: Batches, loader: Loader[int, int], fault: BaseException):
    batches.fault = fault

    for waiter in await asyncio.gather(loader.load(1), loader.load(2), return_exceptions=True):
        assert isinstance(waiter, InternalError)
        assert type(fault).__name__ in waiter.message

    batches.fault = None
    assert await loader.load(1) == 2


async def test_a_cancelled_value_counts_as_a_failed_one():
    async def read(keys: list[int]) -> Sequence[BaseException]:
        return await asyncio.gather(*(asyncio.sleep(0, asyncio.CancelledError()) for _ in keys))

    with pytest.raises(InternalError, match="CancelledError"):
        await Loader(read).load(1)


async def test_a_future_that_was_cancelled_is_read_anew(batches: Batches, loader: Loader[int, int]):
    batches.gate.clear()
    waiting = loader.load(1)
    loader._cache[1].cancel()
    batches.gate.set()

    assert await loader.load(1) == 2
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_read_that_returns_too_few_values_is_refused_rather_than_mixed_up():
    async def read(keys: list[int]) -> Sequence[int]:
        return [1]

    with pytest.raises(TypeError):
        await asyncio.gather(*(Loader(read).load(key) for key in (1, 2)), (loader := Loader(read)).load(1), loader.load(2))


async def test_large_batches_are_split(batches: Batches, loader: Loader[int, int]):
    await asyncio.gather(*(loader.load(key) for key in range(1, 2502)))

    assert [len(keys) for keys in batches.keys] == [1000, 1000, 501]


def test_identity_is_that_of_the_object_and_keeps_it_alive():
    one, same_text = ["a"], ["a"]

    assert ByIdentity(one) == ByIdentity(one)
    assert hash(ByIdentity(one)) == hash(ByIdentity(one))
    assert ByIdentity(one) != ByIdentity(same_text)
    assert ByIdentity(one).value is one


def test_a_loader_is_made_inside_an_event_loop():
    with pytest.raises(RuntimeError, match="no running event loop"):
        Loader(Batches.read)


async def test_what_is_read_for_an_operation_that_ends_early_ends_with_it(batches: Batches, loader: Loader[int, int]):
    batches.gate.clear()
    before = asyncio.all_tasks()

    async def operation() -> None:
        with EndingReadings():
            await asyncio.gather(loader.load(1), loader.load(2))

    asking = asyncio.create_task(operation())
    await batches.begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await asyncio.sleep(0)

    assert (asking.cancelled(), batches.keys) == (True, [[1, 2]])
    assert asyncio.all_tasks() == before
    batches.gate.set()
    with EndingReadings():
        assert await loader.load(3) == 6
