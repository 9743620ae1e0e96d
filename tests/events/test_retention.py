"""What is no longer kept goes in slices, and no reader takes a gap for silence."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select, update

from gateway.config import Settings
from gateway.events import log, retention
from gateway.events.log import LogMeta
from gateway.events.observations import ObservedPlace, stage, staged_count
from gateway.models import SyncGeneration, SyncState, SyncTask
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from gateway.storage.encryption import Cipher
from gateway.testing import FakeClock
from tests.events.observing import events, followed, record, seen, snapshot, tell

DAY = timedelta(days=1)
RUN, ENDED = UUID(int=1), UUID(int=2)


@pytest.fixture
def settings() -> Callable[..., Settings]:
    def made(*, days: int = 30, rows: int = 1_000) -> Settings:
        keys = Cipher.generate_key_ring()
        return Settings(token_secret="t" * 32, encryption_keys=keys, event_retention_days=days, event_retention_rows=rows)

    return made


async def meta_of(database: Database) -> LogMeta:
    async with database.read(SYSTEM) as session:
        return await log.log_meta(session)


async def write(database: Database, place: ObservedPlace, clock: FakeClock, *, days: int) -> None:
    """Ten events a day, day by day."""
    for day in range(days):
        await tell(database, place, seen(*(record(f"{clock.now().isoformat()}-{number}") for number in range(10))), now=clock.now())
        clock.advance(DAY.total_seconds()) if day < days - 1 else None


async def test_events_go_when_they_are_too_old_and_the_floor_says_so(database: Database, settings: Callable[..., Settings]):
    (place,) = await followed(database)
    clock = FakeClock()
    await write(database, place, clock, days=5)
    before = await events(database)

    assert await retention.prune(database, clock, settings(days=2), slice_size=7) == 20

    assert await events(database) == before[20:]
    assert await meta_of(database) == LogMeta(log_id=(await meta_of(database)).log_id, floor=before[19].pos, end=before[-1].pos)
    assert await retention.prune(database, clock, settings(days=2)) == 0


async def test_events_go_when_there_are_too_many(database: Database, settings: Callable[..., Settings]):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(f"{number}") for number in range(3_500))))
    before = await events(database)

    assert await retention.prune(database, FakeClock(), settings(rows=1_000), slice_size=999) == 2_500

    assert await events(database) == before[2_500:]


async def test_positions_go_on_when_everything_was_pruned(database: Database, settings: Callable[..., Settings]):
    (place,) = await followed(database)
    clock = FakeClock()
    await tell(database, place, seen(record("a"), record("b")), now=clock.now())
    end = (await meta_of(database)).end
    clock.advance((40 * DAY).total_seconds())

    assert await retention.prune(database, clock, settings()) == 2
    assert ((await meta_of(database)).floor, (await meta_of(database)).end) == (end, end)
    await tell(database, place, seen(record("c")), now=clock.now())

    (event,) = await events(database)
    assert (event.pos > end, event.seq) == (True, 3)


async def test_two_who_prune_at_once_delete_each_event_once(database: Database, settings: Callable[..., Settings]):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(f"{number}") for number in range(2_000))))

    counts = await asyncio.gather(*(retention.prune(database, FakeClock(), settings(), slice_size=100) for _ in range(2)))

    assert sum(counts) == 1_000
    assert len(await events(database)) == 1_000


async def test_what_was_left_below_the_floor_by_a_crash_goes_with_the_next_pruning(database: Database, settings: Callable[..., Settings]):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(f"{number}") for number in range(5))))
    positions = [event.pos for event in await events(database)]
    async with database.write(SYSTEM) as session:
        await session.exec(update(log.EventLog).values(floor=positions[2]))

    assert await retention.prune(database, FakeClock(), settings()) == 3
    assert [event.pos for event in await events(database)] == positions[3:]


async def test_snapshots_of_generations_that_are_over_and_stages_of_runs_that_ended_are_swept(database: Database):
    place, other = await followed(database, 2)
    await tell(database, place, seen(record("a")))
    await tell(database, other, seen(record("b")))
    async with database.write(SYSTEM) as session:
        state = (await session.exec(select(SyncState).where(SyncState.instance_id == place.instance_id))).one()
        for generation in (1, 2):
            of = {"instance_id": place.instance_id, "customer_id": state.customer_id, "started_at": FakeClock().now()}
            session.add(SyncGeneration(generation=generation, pointer={}, **of))
        state.generation = 2
        task = (await session.exec(select(SyncTask).where(SyncTask.instance_id == place.instance_id))).first()
        assert task is not None
        task.run_id = RUN
        await stage(session, run_id=RUN, numbers=[1])
        await stage(session, run_id=ENDED, numbers=[1, 2])

    assert await retention.sweep(database, FakeClock()) == 2

    assert await snapshot(database, place) == {}
    assert list(await snapshot(database, other)) == ["b"]
    async with database.read(SYSTEM) as session:
        assert [await staged_count(session, run_id=run_id) for run_id in (RUN, ENDED)] == [1, 0]
    assert await retention.sweep(database, FakeClock()) == 0


async def test_snapshots_of_instances_that_are_gone_are_swept(database: Database):
    place, other = await followed(database, 2)
    await tell(database, place, seen(record("a"), record("c")))
    await tell(database, other, seen(record("b")))
    async with database.write(SYSTEM) as session:
        state = (await session.exec(select(SyncState).where(SyncState.instance_id == place.instance_id))).one()
        await session.delete(state)

    assert await retention.sweep(database, FakeClock()) == 2
    assert await snapshot(database, place) == {}
    assert list(await snapshot(database, other)) == ["b"]


async def test_the_snapshot_goes_when_nobody_was_interested_for_so_long_that_it_is_of_no_use(database: Database):
    place, other, followed_still = await followed(database, 3)
    clock = FakeClock()
    for each in (place, other, followed_still):
        await tell(database, each, seen(record("a")))
    async with database.write(SYSTEM) as session:
        for state in await session.exec(select(SyncState)):
            of = {"instance_id": state.instance_id, "customer_id": state.customer_id, "started_at": clock.now()}
            session.add(SyncGeneration(generation=1, pointer={}, **of))
            if state.instance_id != followed_still.instance_id:
                hours = 26 if state.instance_id == place.instance_id else 24.5
                state.lapsed_at = clock.now() - timedelta(hours=hours)

    assert await retention.sweep(database, clock) == 1

    assert [list(await snapshot(database, each)) for each in (place, other, followed_still)] == [[], ["a"], ["a"]]
