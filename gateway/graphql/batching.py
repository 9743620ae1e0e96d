"""The loader that all others build on: aiodataloader, made safe against cancellation."""

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import ContextVar
from inspect import ismethod
from typing import Any, Generic, TypeVar
from weakref import WeakMethod

from aiodataloader import DataLoader

from gateway.errors import InternalError

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Asked = TypeVar("Asked")

_under_way: ContextVar[set[asyncio.Task[Any]] | None] = ContextVar("_under_way", default=None)
"""The readings of the operation that runs here, where somebody ends them with it."""


class _Futures(dict[Any, "Future[Any]"]):
    """Futures by key. One that was cancelled counts as absent, so that its key is loaded again."""

    def get(self, key: Any, default: Any = None) -> Any:
        future = super().get(key, default)
        return default if future is not None and future.cancelled() else future


class Loader(DataLoader[Key, Value], Generic[Key, Value]):
    """Collects the keys of one turn of the event loop, reads them together, and remembers what was read.

    `batch(*arguments, keys)` gives the values of keys, in their order; a key whose value is an exception fails alone.
    Made for one operation, inside its event loop. It does not hold the object that `batch` is a method of: loaders and those who have them
    would hold each other, and all that an operation has read would stay until garbage is searched for.
    """

    max_batch_size = 1000

    def __init__(self, batch: Callable[..., Awaitable[Any]], *arguments: object) -> None:
        self._futures = _Futures()
        super().__init__(cache_map=self._futures, loop=asyncio.get_running_loop())
        self._batch = WeakMethod(batch) if ismethod(batch) else lambda: batch
        self._arguments = arguments

    def load(self, key: Key) -> "Future[Value]":
        """The value of a key, read together with the others of this turn."""
        future = super().load(key)
        if future.done():
            return future
        # Every waiter gets the same future: without the shield, one that is cancelled would cancel it for all.
        shielded = asyncio.shield(future)
        shielded.add_done_callback(_take_note)
        return shielded

    def reading(self, key: Key) -> "Future[Value]":
        """The same for those who never cancel it: all who ask for a key share this one."""
        # As the library does, by way of several functions: most of what is asked for is there.
        known = dict.get(self._futures, key)
        return known if known is not None and not known.cancelled() else super().load(key)

    def do_resolve_reject(self, key: Key, future: "Future[Value]") -> None:
        """What the library calls for a key that is not being read yet."""
        future.add_done_callback(_take_note)
        super().do_resolve_reject(key, future)

    async def batch_load_fn(self, keys: list[Key]) -> list[Any]:
        """What the library calls; whatever ends the reading, the waiters hear of it."""
        _note_reading()
        try:
            return [_raisable(value) for value in await self._values(keys)]
        except BaseException as fault:
            # The library passes on an Exception only: anything else would leave the waiters waiting for ever.
            if isinstance(fault, Exception):
                raise
            raise _raisable(fault) from fault

    async def _values(self, keys: list[Key]) -> Sequence[Value | BaseException]:
        values: Sequence[Value | BaseException] = await self._owned()(*self._arguments, keys)
        return values

    def _owned(self) -> Callable[..., Awaitable[Any]]:
        batch = self._batch()
        if batch is None:
            raise InternalError("What was to read this has ended with its operation.")
        return batch


class EachLoader(Loader[Key, Value]):
    """A loader whose keys are each read by itself, at the same time; `read(key)` gives the value, and one that fails fails alone."""

    def __init__(self, read: Callable[[Key], Awaitable[Value]]) -> None:
        super().__init__(read)

    async def _values(self, keys: list[Key]) -> Sequence[Value | BaseException]:
        return await each(self._owned(), keys)


class EndingReadings:
    """Whatever loaders read for what runs in the block ends with it: who waits for a reading does not end it, as others may wait."""

    def __enter__(self) -> None:
        """Begins to note what is read."""
        self._readings: set[asyncio.Task[Any]] = set()
        self._token = _under_way.set(self._readings)

    def __exit__(self, *_error: object) -> None:
        """Ends what is still being read."""
        _under_way.reset(self._token)
        for reading in tuple(self._readings):
            reading.cancel()


def _note_reading() -> None:
    readings, reading = _under_way.get(), asyncio.current_task()
    if readings is not None and reading is not None:
        readings.add(reading)
        reading.add_done_callback(readings.discard)


def _take_note(future: "Future[Any]") -> None:
    # Whoever asked may be cancelled before it hears of a failure, because a field beside it failed: nothing for the loop to log.
    if not future.cancelled():
        future.exception()


def _raisable(value: Any) -> Any:
    if isinstance(value, BaseException) and not isinstance(value, Exception):
        return InternalError(f"Reading was ended by {type(value).__name__}.")
    return value


async def each(read: Callable[[Asked], Awaitable[Value]], keys: Sequence[Asked]) -> list[Value | BaseException]:
    """What is read for each key by itself, at the same time; one that fails fails alone."""
    return await asyncio.gather(*map(read, keys), return_exceptions=True)


class ByIdentity(Generic[Value]):
    """A value that is no key by itself, as one: equal only to the same object, which it keeps alive."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.value is self.value
