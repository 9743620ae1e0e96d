"""Full syncs now and then where pulls tell of everything, for what no pull can tell."""

from datetime import timedelta

import pytest

from gateway.models import ChangeType, CursorOrder, CursorSync, SyncKind, SyncSupport, TaskKind
from gateway.services import data_source_instances
from gateway.services.selectors import DataSourceInstanceSelector
from gateway.sync.claims import claim
from gateway.sync.schedule import HEALING_INTERVAL_SECONDS
from gateway.sync.work import perform
from tests.sync.world import World

DAY = 86_400
DELTA = SyncSupport(has_delta=True, sees_deletions=True)
BY_TIME = SyncSupport(cursor=CursorSync(order=CursorOrder.ASCENDING, lookback=60), sees_deletions=True)


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def in_sync(world: World, support: SyncSupport, *types: ChangeType) -> World:
    """The world with its baseline, long enough ago that no pull reads what was there then."""
    world.app.support = support
    for number in range(5):
        world.app.put(f"r{number}", {"n": number})

    async def live() -> None:
        await world.subscribe(*types)
        await world.work()
        world.app.put("r4", {"n": "late"})
        await world.advance_and_work(2 * DAY)
        world.app.put("r3", {"n": "later"})
        await world.advance_and_work(DAY)
        world.app.requests.clear()

    await world.prepared(live, "in sync for days", types)
    return world


async def days_to_full_sync(world: World) -> float:
    due_at = (await world.task(TaskKind.FULL)).due_at
    return (due_at - world.clock.now()) / timedelta(days=1)


@pytest.mark.parametrize("support", [DELTA, BY_TIME])
async def test_everything_is_compared_every_week_where_pulls_see_deletions(world: World, support: SyncSupport):
    await in_sync(world, support)
    assert 7 * 0.9 - 3.1 <= await days_to_full_sync(world) <= 7 * 1.1 - 3

    assert TaskKind.FULL not in await world.advance_and_work(3 * DAY)
    assert TaskKind.FULL in await world.advance_and_work(2 * DAY)

    assert 7 * 0.9 - 0.1 <= await days_to_full_sync(world) <= 7 * 1.1


@pytest.mark.parametrize("types", [(ChangeType.CREATED, ChangeType.UPDATED), (ChangeType.UPDATED,)])
async def test_it_is_where_nobody_wants_deletions_too(world: World, types: tuple[ChangeType, ...]):
    await in_sync(world, SyncSupport(has_delta=True), *types)

    assert 3 <= await days_to_full_sync(world) <= 7 * 1.1 - 3


async def test_a_collection_that_was_made_anew_and_a_record_that_was_dated_back_heal(world: World):
    await in_sync(world, BY_TIME)
    told = len(await world.events())
    items = world.app.items
    # No tombstones are left of what was there, and what came is dated before every mark.
    for record_id in list(items):
        del items[record_id]
    world.app.now, now = (lambda: world.clock.now() - timedelta(days=30)), world.app.now
    world.app.put("r1", {"n": 1})
    world.app.put("r2", {"n": "dated back"})
    world.app.put("new", {"n": "dated back"})
    world.app.now = now
    await world.advance_and_work(DAY)
    assert len(await world.events()) == told

    await world.advance_and_work(5 * DAY)

    assert await world.snapshot() == world.app.truth
    assert (await world.told())[told:] == [
        ("CREATED", "new", "FULL_SCAN"),
        ("UPDATED", "r2", "FULL_SCAN"),
        ("DELETED", "r0", "FULL_SCAN"),
        ("DELETED", "r3", "FULL_SCAN"),
        ("DELETED", "r4", "FULL_SCAN"),
    ]


async def test_interest_that_comes_and_goes_neither_puts_it_off_nor_brings_it_near(world: World):
    await in_sync(world, DELTA)
    succeeded_at = (await world.task(TaskKind.FULL)).succeeded_at

    for _ in range(3):
        await world.unsubscribe()
        await world.work()
        assert (await world.task(TaskKind.FULL)).due_at is None
        await world.subscribe()
        assert TaskKind.FULL not in await world.advance_and_work(3_600)

    assert (await world.task(TaskKind.FULL)).due_at == succeeded_at + timedelta(seconds=HEALING_INTERVAL_SECONDS)


async def test_it_comes_no_more_often_than_full_syncs_are_wanted(world: World):
    await in_sync(world, DELTA)
    by = DataSourceInstanceSelector(id=world.id)
    await data_source_instances.update(world.runtime, world.customer, by=by, full_sync_interval_seconds=20 * DAY)

    await world.request(SyncKind.FULL_SYNC)
    await world.work()

    assert 18 <= await days_to_full_sync(world) <= 22


async def test_who_wants_deletions_while_it_is_under_way_does_not_wait_a_week_for_them(world: World):
    await in_sync(world, SyncSupport(has_delta=True), ChangeType.UPDATED)

    async def want_deletions() -> None:
        await world.subscribe(ChangeType.DELETED)
        task = await claim(world.runtime, world.id, TaskKind.SETUP, owner="other")
        assert task is not None
        await perform(world.runtime, task)

    world.app.meanwhile.append(want_deletions)
    await world.request(SyncKind.FULL_SYNC)
    await world.work([TaskKind.FULL])
    assert await days_to_full_sync(world) > 6

    assert await world.advance_and_work(60) == [TaskKind.SETUP]

    assert await days_to_full_sync(world) <= 1.1 * 10_800 / DAY
