"""One subscriber's way through the event log: from its cursor, or from the baseline, to what is recorded now."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from uuid import UUID

import structlog

from gateway.events import log
from gateway.events.batches import Batch
from gateway.events.log import LogMeta, Topic
from gateway.events.tail import Listener
from gateway.models import DataSourceInstance
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services.standing import Standing
from gateway.storage.faults import UNREACHABLE

CHECK_SECONDS = 30.0
"""How long a stream may go on after its instance can no longer be synced, and until an instance that is new is listened to."""
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

_log = structlog.get_logger("gateway.services")


class ChangeStream:
    """Batches of a topic, with the interest of a listener in the instances they are of; to be entered before and left afterwards."""

    def __init__(
        self, runtime: Runtime, topic: Topic, *, key: Hashable, ask: Callable[[], Awaitable[Standing]], check_seconds: float = CHECK_SECONDS
    ) -> None:
        self._runtime = runtime
        self._topic = topic
        self._key = key
        self._ask = ask
        self._check_seconds = check_seconds
        self._checked_at = asyncio.get_running_loop().time()
        self._held: set[UUID] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "ChangeStream":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def batches(self, after: str | None) -> AsyncGenerator[Batch, None]:
        """Batches without end. The first comes once the baseline stands, or at once where there is something after the cursor."""
        if after is None:
            await self._hold((await self._standing(seconds=0)).instances)
            await self._baselines()
            # What the baseline holds and what came since, whoever reads the records now reads as well.
            meta = await self._log_meta()
            self._runtime.operation.era.end()
            yield _empty(meta.log_id, meta.end)
            listener = await self._listen(meta.end)
        else:
            meta = await self._log_meta()
            position = meta.position_of(after, field=["after"])
            await self._hold((await self._standing(seconds=0)).instances)
            listener = await self._listen(position)
            first = await self._resumed(listener, meta.log_id)
            self._runtime.operation.era.end()
            yield first
        while True:
            batch = await listener.next(seconds=self._check_seconds)
            if batch is not None:
                yield batch
            await self._check()

    async def _listen(self, position: int) -> Listener:
        return await self._stack.enter_async_context(self._runtime.events.tail.subscribed(self._topic, position))

    async def _resumed(self, listener: Listener, log_id: UUID) -> Batch:
        """What follows the cursor; an empty batch where nothing does, once the baseline stands."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            batch = await listener.next(seconds=pause)
            if batch is not None:
                return batch
            if await self._stands(seconds=_FIRST_PAUSE_SECONDS):
                return _empty(log_id, listener.position)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    async def _baselines(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            seen = self._runtime.events.bell.count
            if await self._stands(seconds=_FIRST_PAUSE_SECONDS):
                return
            await asyncio.sleep(pause)
            await self._runtime.events.bell.wait(seen, seconds=_LONGEST_PAUSE_SECONDS)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    async def _stands(self, *, seconds: float) -> bool:
        try:
            standing = await self._standing(seconds=seconds)
            await self._hold(standing.instances)
        except UNREACHABLE as error:
            _log.warning("A stream could not be checked", error=type(error).__name__)
            return False
        return standing.has_baselines

    async def _check(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._checked_at >= self._check_seconds:
            self._checked_at = now
            await self._stands(seconds=self._check_seconds / 2)

    async def _standing(self, *, seconds: float) -> Standing:
        return await self._runtime.events.sharing.get(self._key, self._ask, seconds=seconds)

    async def _hold(self, instances: Iterable[DataSourceInstance]) -> None:
        for instance in instances:
            if instance.id not in self._held:
                await self._stack.enter_async_context(self._runtime.events.leases.held(instance, self._topic.types))
                self._held.add(instance.id)

    async def _log_meta(self) -> LogMeta:
        async with self._runtime.database.read_once(SYSTEM) as session:
            return await log.log_meta(session)


def _empty(log_id: UUID, position: int) -> Batch:
    return Batch(log_id=log_id, events=(), start=position, end=position)
