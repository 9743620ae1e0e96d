"""What a complete listing did not meet: found by ranges of keys, held when it is too much, confirmed, and recorded as deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.events.observations import Observation, missing, purge_deleted, unstage
from gateway.models.principal import SYSTEM
from gateway.sync import runs
from gateway.sync.confirmation import confirmed, is_confirmable
from gateway.sync.pages import CancelledRunError, Work
from gateway.sync.tasks import Task

LEAST_HELD = 50
HELD_SHARE = 0.2
_RECORDS_PER_COMMIT = 1_000
_RANGES_PER_COMMIT = 20
_FORGOTTEN_PER_COMMIT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a listing did not meet."""

    record_ids: tuple[str, ...]
    live_count: int
    """How many records were there before."""

    @property
    def is_too_much(self) -> bool:
        """Whether so much is missing that it may be the listing that is wrong."""
        return len(self.record_ids) > max(LEAST_HELD, self.live_count * HELD_SHARE)


async def find_missing(work: Work, *, run_id: UUID, up_to_tick: int) -> Missing:
    """The records known since `up_to_tick` or before that the run did not meet; its lease is renewed on the way."""
    record_ids: list[str] = []
    live_count, number, after = 0, 0, None
    while number == 0 or after is not None:
        async with work.runtime.database.read(SYSTEM) as session:
            page = await missing(session, place=work.app.place, run_id=run_id, after=after, up_to_tick=up_to_tick)
        record_ids += page.record_ids
        live_count, number, after = live_count + page.live_count, number + 1, page.last_key
        if number % _RANGES_PER_COMMIT == 0:
            await _keep_lease(work)
    return Missing(record_ids=tuple(record_ids), live_count=live_count)


async def delete(work: Work, record_ids: Sequence[str], *, since_tick: int) -> None:
    """Records as deleted what is missing, after the app has confirmed it where it can; what it does have is recorded as it is."""
    for start in range(0, len(record_ids), _RECORDS_PER_COMMIT):
        some = record_ids[start : start + _RECORDS_PER_COMMIT]
        tick = since_tick
        if is_confirmable(work.app, len(record_ids)):
            tick = await work.tick()
            observations = await confirmed(work.app, some)
        else:
            observations = [Observation(external_id=record_id, record=None) for record_id in some]
        async with work.task.commit() as session:
            observed = await work.record(session, observations, since_tick=tick)
            state = await runs.count(work.task, session, events=observed.event_count)
        if state.is_cancelled:
            raise CancelledRunError("The run was cancelled.")


async def forget_deleted(work: Work, *, up_to_tick: int) -> None:
    """Forgets the records whose deletion was known before the listing began, and the bodies that are not to be kept any more."""
    after: str | None = None
    keeps_bodies = work.app.keeps_bodies
    limit = _FORGOTTEN_PER_COMMIT if keeps_bodies else _RECORDS_PER_COMMIT
    while True:
        async with work.task.commit() as session:
            after = await purge_deleted(
                session, place=work.app.place, after=after, up_to_tick=up_to_tick, keeps_bodies=keeps_bodies, limit=limit
            )
        if after is None:
            return


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
