"""What a complete listing did not meet: counted by ranges of keys, held when it is too much, confirmed, and recorded as deleted.

However much is missing, only a few ranges of it are held in memory: it is found once to be counted, and once more to be deleted.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.events.observations import MissingPage, Observation, forgettable, missing, purge_deleted, unstage
from gateway.models.principal import SYSTEM
from gateway.sync import runs
from gateway.sync.confirmation import confirmed
from gateway.sync.pages import CancelledRunError, Work
from gateway.sync.tasks import Task

LEAST_HELD = 50
HELD_SHARE = 0.2
_RECORDS_PER_COMMIT = 1_000
_RANGES_PER_COMMIT = 20
_LOOKED_THROUGH_AT_ONCE = 20_000

KeepKey = Callable[[AsyncSession, str], Awaitable[None]]
"""Writes down up to which key what is missing was deleted, as the last step of a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """How much a listing did not meet."""

    count: int
    live_count: int
    """How many records were there before."""

    @property
    def is_too_much(self) -> bool:
        """Whether so much is missing that it may be the listing that is wrong."""
        return self.count > max(LEAST_HELD, self.live_count * HELD_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What is looked for: the records known since a tick or before that a run did not meet."""

    run_id: UUID
    up_to_tick: int


async def count_missing(work: Work, sweep: Sweep) -> Missing:
    """How many records the run did not meet; its lease is renewed on the way."""
    count, live_count = 0, 0
    async with aclosing(_ranges(work, sweep, after=None)) as pages:
        async for page in pages:
            count, live_count = count + len(page.record_ids), live_count + page.live_count
    return Missing(count=count, live_count=live_count)


async def delete_missing(work: Work, sweep: Sweep, *, after: str | None, confirms: bool, keep: KeepKey) -> None:
    """Records as deleted what the run did not meet beyond the key `after`.

    Where it `confirms`, the app is asked for each of them first, and what it does have is recorded as it is.
    Raises what the app raises, and CancelledRunError after a commit.
    """
    # Read before anything is found missing: what others find changed from then on is left alone.
    since_tick, record_ids = await work.tick(), list[str]()
    async with aclosing(_ranges(work, sweep, after=after)) as pages:
        async for page in pages:
            record_ids += page.record_ids
            # Few of many ranges are gathered: an app is asked for as many at once as it finds.
            if record_ids and (len(record_ids) >= _RECORDS_PER_COMMIT or page.last_key is None):
                await _delete(work, record_ids, since_tick=since_tick, confirms=confirms, keep=keep, last_key=page.last_key)
                since_tick, record_ids = await work.tick(), []


async def _delete(work: Work, record_ids: Sequence[str], *, since_tick: int, confirms: bool, keep: KeepKey, last_key: str | None) -> None:
    for start in range(0, len(record_ids), _RECORDS_PER_COMMIT):
        some = record_ids[start : start + _RECORDS_PER_COMMIT]
        is_last = start + _RECORDS_PER_COMMIT >= len(record_ids)
        tick = since_tick
        if confirms:
            tick = await work.tick()
            observations = await confirmed(work.app, some)
        else:
            observations = [Observation(external_id=record_id, record=None) for record_id in some]
        async with work.task.commit() as session:
            observed = await work.record(session, observations, since_tick=tick)
            state = await runs.count(work.task, session, events=observed.event_count)
            if is_last and last_key is not None:
                await keep(session, last_key)
        if state.is_cancelled:
            raise CancelledRunError("The run was cancelled.")


async def _ranges(work: Work, sweep: Sweep, *, after: str | None) -> AsyncGenerator[MissingPage, None]:
    number = 0
    while number == 0 or after is not None:
        async with work.runtime.database.read(SYSTEM) as session:
            page = await missing(session, place=work.app.place, run_id=sweep.run_id, after=after, up_to_tick=sweep.up_to_tick, met=work.met)
        number, after = number + 1, page.last_key
        yield page
        if number % _RANGES_PER_COMMIT == 0:
            await _keep_lease(work)


async def forget_deleted(work: Work, *, up_to_tick: int) -> None:
    """Forgets the records whose deletion was known before the listing began, and the bodies that are not to be kept any more.

    What it takes to find them holds nobody up.
    """
    after, number = None, 0
    limits: dict[str, Any] = {"up_to_tick": up_to_tick, "keeps_bodies": work.app.keeps_bodies}
    while number == 0 or after is not None:
        async with work.runtime.database.read(SYSTEM) as session:
            page = await forgettable(session, place=work.app.place, after=after, limit=_LOOKED_THROUGH_AT_ONCE, **limits)
        for start in range(0, len(page.record_ids), _RECORDS_PER_COMMIT):
            async with work.task.commit() as session:
                some = page.record_ids[start : start + _RECORDS_PER_COMMIT]
                await purge_deleted(session, place=work.app.place, record_ids=some, **limits)
        number, after = number + 1, page.last_key
        if number % _RANGES_PER_COMMIT == 0:
            await _keep_lease(work)


async def forget_stage(task: Task, run_id: UUID) -> None:
    """Forgets which records a run has met."""
    while True:
        async with task.commit() as session:
            if await unstage(session, run_id=run_id) == 0:
                return


async def _keep_lease(work: Work) -> None:
    async with work.task.commit() as session:
        state = await runs.count(work.task, session)
    if state.is_cancelled:
        raise CancelledRunError("The run was cancelled.")
