"""Pulls of updates: what changed since a delta token or a mark."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from gateway.errors import UpstreamRateLimitError
from gateway.models import (
    ChangePage,
    CursorOrder,
    CursorSync,
    CursorType,
    SyncKind,
    SyncSupport,
    SyncTask,
    TaskKind,
)
from gateway.models.principal import SYSTEM
from gateway.services import sync_runs
from gateway.sync.idleness import MOST_IDLE_PAGES, PAGES_WITHOUT_NOTES
from tests.support.changing_app import ChangingApp
from tests.sync.test_histories import DeathError, another
from tests.sync.world import INTERVAL_SECONDS, World

DELTA = SyncSupport(has_delta=True, sees_deletions=True)
BY_TIME = SyncSupport(cursor=CursorSync(order=CursorOrder.ASCENDING), sees_deletions=True)


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def in_sync(world: World, support: SyncSupport, count: int = 5) -> World:
    """The world with so many records, its baseline and its first pull."""
    world.app.support = support
    for number in range(count):
        world.app.put(f"r{number}", {"n": number})
    await world.prepared(lambda: _take_baseline(world), "in sync, to be pulled")
    return world


async def _take_baseline(world: World) -> None:
    await world.subscribe()
    await world.work()
    assert (await world.generation()).baseline_at is not None
    world.app.requests.clear()
    world.app.sinces.clear()


def change(world: World) -> None:
    world.app.put("r1", {"n": "new"})
    world.clock.advance(1)
    world.app.put("r9", {"n": 9})
    world.clock.advance(1)
    world.app.remove("r2")


@pytest.mark.parametrize(("support", "method"), [(DELTA, "DELTA"), (BY_TIME, "PULL")])
async def test_a_pull_tells_what_changed_and_asks_for_nothing_else(world: World, support: SyncSupport, method: str):
    await in_sync(world, support)
    world.clock.advance(5)
    change(world)

    assert await world.advance_and_work() == [TaskKind.PULL]

    assert await world.told() == [("UPDATED", "r1", method), ("CREATED", "r9", method), ("DELETED", "r2", method)]
    assert set(world.app.requests) == {"changes"}
    assert await world.snapshot() == world.app.truth
    run = (await world.runs())[-1]
    assert (run.kind, run.conclusion, run.event_count) == ("PULL_UPDATES", "SUCCESS", 3)


@pytest.mark.parametrize("support", [DELTA, BY_TIME])
async def test_a_pull_without_changes_tells_nothing_and_starts_again_by_its_interval(world: World, support: SyncSupport):
    await in_sync(world, support)

    assert await world.advance_and_work() == [TaskKind.PULL]

    assert await world.told() == []
    waits = ((await world.task(TaskKind.PULL)).due_at - world.clock.now()).total_seconds()
    assert 0.9 * INTERVAL_SECONDS - 5 <= waits <= 1.1 * INTERVAL_SECONDS


async def test_full_syncs_follow_where_pulls_see_no_deletions(world: World):
    await in_sync(world, SyncSupport(has_delta=True))

    assert (await world.task(TaskKind.FULL)).due_at - world.clock.now() <= timedelta(seconds=1.1 * 10_800)


async def test_a_delta_token_that_expired_leads_to_a_full_sync_and_no_burst(world: World):
    await in_sync(world, DELTA)
    change(world)
    world.app.forget_delta_tokens()

    assert await world.advance_and_work() == [TaskKind.PULL, TaskKind.FULL, TaskKind.SETUP, TaskKind.PULL]

    assert sorted(await world.told()) == [("CREATED", "r9", "FULL_SCAN"), ("DELETED", "r2", "FULL_SCAN"), ("UPDATED", "r1", "FULL_SCAN")]
    world.app.put("r1", {"n": "newer"})
    await world.advance_and_work()
    assert (await world.told())[-1] == ("UPDATED", "r1", "DELTA")


async def test_a_page_token_that_expired_begins_the_reading_anew(world: World):
    await in_sync(world, DELTA)
    for number in range(7):
        world.app.put(f"s{number}", {"n": number})
    world.app.meanwhile.extend([None, world.app.forget_page_tokens])

    await world.advance_and_work()

    assert len(await world.told()) == 7
    assert len(world.app.requests) == 2 + 3
    assert (await world.generation()).checkpoint == {"delta_token": world.app.count}


async def test_changes_at_the_second_of_the_mark_are_neither_lost_nor_told_twice(world: World):
    cursor = CursorSync(order=CursorOrder.ASCENDING, granularity=1)
    world.app.tells_seconds = True
    world.app.takes_its_time = lambda: None
    await in_sync(world, SyncSupport(cursor=cursor, sees_deletions=True))
    world.clock.advance(400)
    world.app.put("a", {"n": 1})
    await world.work()
    world.app.put("b", {"n": 1})  # At the same second, after the pull.

    await world.request(SyncKind.PULL_UPDATES)
    await world.work()
    await world.advance_and_work()

    assert await world.told() == [("CREATED", "a", "PULL"), ("CREATED", "b", "PULL")]


async def test_the_mark_never_passes_the_start_of_the_run(world: World):
    await in_sync(world, BY_TIME)
    future = world.clock.now() + timedelta(days=400)
    world.app.now, now = (lambda: future), world.app.now
    world.app.put("from the future", {"n": 1})
    world.app.now = now

    begun = world.clock.now() + timedelta(seconds=360)
    await world.advance_and_work(360)

    assert (await world.generation()).checkpoint == {"mark": begun.isoformat()}


async def test_the_first_pull_of_times_begins_a_day_before_the_baseline(world: World):
    start = world.clock.now()
    world.app.support = BY_TIME
    await world.subscribe()
    await world.work()

    assert world.app.sinces[0].start == start + timedelta(0) - timedelta(days=1)


async def test_the_first_pull_of_counts_begins_at_the_beginning(world: World):
    support = SyncSupport(cursor=CursorSync(type=CursorType.COUNT, order=CursorOrder.ASCENDING), sees_deletions=True)
    world.app.support = support
    world.app.put("a", {"n": 1})
    await world.subscribe()
    await world.work()

    assert world.app.sinces[0].start is None
    assert (await world.generation()).checkpoint == {"mark": 1}
    assert await world.told() == []


async def test_a_feed_with_the_newest_first_is_read_until_the_mark(world: World):
    support = SyncSupport(cursor=CursorSync(order=CursorOrder.NEWEST_FIRST, is_filtered=False), sees_deletions=True)
    await in_sync(world, support, count=30)
    world.clock.advance(3 * 86_400)
    world.app.put("new", {"n": 1})
    await world.advance_and_work()
    world.app.requests.clear()
    world.clock.advance(60)
    world.app.put("newer", {"n": 1})

    await world.advance_and_work()

    assert world.app.requests == ["changes"]
    assert await world.told() == [("CREATED", "new", "PULL"), ("CREATED", "newer", "PULL")]


async def test_windows_that_are_cut_off_are_halved_until_all_is_read(world: World):
    cursor = CursorSync(order=CursorOrder.UNSORTED, window=86_400, maximum_records=4, granularity=1)
    await in_sync(world, SyncSupport(cursor=cursor, sees_deletions=True), count=0)
    for number in range(20):
        world.clock.advance(10)
        world.app.put(f"r{number}", {"n": number})

    await world.advance_and_work()

    assert sorted(await world.told()) == sorted(("CREATED", f"r{number}", "PULL") for number in range(20))
    assert await world.snapshot() == world.app.truth


async def test_an_app_that_cannot_give_all_leads_to_a_full_sync(world: World):
    cursor = CursorSync(order=CursorOrder.UNSORTED, maximum_records=4, granularity=1)
    world.app.takes_its_time = lambda: None
    await in_sync(world, SyncSupport(cursor=cursor, sees_deletions=True), count=0)
    world.clock.advance(100)
    for number in range(9):
        world.app.put(f"r{number}", {"n": number})

    done = await world.advance_and_work()

    assert done[:2] == [TaskKind.PULL, TaskKind.FULL]
    assert await world.snapshot() == world.app.truth
    assert (await world.task(TaskKind.PULL)).due_at is not None


async def test_an_app_that_wants_to_be_left_alone_is(world: World):
    await in_sync(world, DELTA)
    world.app.failures.append(UpstreamRateLimitError("Slow down.", retry_after_seconds=1_000))

    await world.advance_and_work()

    task = await world.task(TaskKind.PULL)
    assert (task.due_at - world.clock.now()).total_seconds() >= 990
    assert (task.failures, task.error) == (1, {"code": "UPSTREAM_RATE_LIMIT", "message": "Slow down."})
    assert [(run.conclusion, run.error["code"]) for run in await world.runs() if run.error] == [("FAILURE", "UPSTREAM_RATE_LIMIT")]
    assert await world.advance_and_work(900) == []
    assert await world.advance_and_work(120) == [TaskKind.PULL]
    assert (await world.task(TaskKind.PULL)).failures == 0


async def test_a_cancelled_pull_ends_before_its_next_page(world: World):
    await in_sync(world, DELTA)
    for number in range(9):
        world.app.put(f"s{number}", {"n": number})

    async def cancel() -> None:
        await sync_runs.cancel(world.runtime, world.customer, id=(await world.runs())[-1].id)

    world.app.meanwhile.append(cancel)
    await world.advance_and_work()

    assert (await world.runs())[-1].conclusion == "CANCELLED"
    assert len(await world.told()) == 3
    await world.advance_and_work()
    assert len(await world.told()) == 9


async def test_a_change_of_volatile_fields_is_none(world: World):
    await in_sync(world, SyncSupport(has_delta=True, sees_deletions=True, volatile_fields=("seen",)))
    world.app.put("r1", {"n": 1, "seen": "today"})

    await world.advance_and_work()

    assert await world.told() == []


async def test_what_others_recorded_meanwhile_is_read_again(world: World):
    """A page differs from what was recorded while it was asked for: whichever is newer, another reading knows."""
    await in_sync(world, BY_TIME)
    world.clock.advance(10)
    world.app.put("r1", {"n": "old"})

    async def overtake() -> None:
        world.app.put("r1", {"n": "newest"})
        await world.request(SyncKind.FULL_SYNC)
        await world.work([TaskKind.FULL])
        world.app.put("r1", {"n": "newest of all"})

    world.app.meanwhile.append(overtake)
    await world.advance_and_work()

    assert [event.type for event in await world.events()] == ["UPDATED", "UPDATED"]
    assert await world.snapshot() == world.app.truth


@dataclass
class EndlessApp(ChangingApp):
    """Begins with its changes again when it has told them all, with page tokens that never repeat."""

    is_endless: bool = True

    def gives(self, page: ChangePage) -> ChangePage:
        if not self.is_endless or page.next_token is not None:
            return page
        token = [self.page_tokens, self.asked, self.sinces[-1].delta_token] if self.support.has_delta else [self.page_tokens, -self.asked]
        return replace(page, next_token=token, delta_token=None)

    def cut(self, items: Any, page: Any) -> Any:
        age, position = page.token or [self.page_tokens, 0]
        return super().cut(items, replace(page, token=[age, max(position, 0)]))


async def endless(world: World, support: SyncSupport, *, count: int) -> World:
    """A pull from an app without an end, whose worker died after so many new records were told, and told again."""
    app = EndlessApp(support=support, now=world.clock.now, is_endless=False)
    world = await in_sync(await another(world, app), support)
    for number in range(count):
        app.put(f"s{number}", {"n": number})
    app.is_endless = True
    await die_after(world, 10)
    assert len(await world.told()) == count
    return world


async def die_after(world: World, pages: int) -> None:
    def die() -> None:
        raise DeathError

    world.app.meanwhile.extend([*[None] * pages, die])
    with pytest.raises(DeathError):
        await world.advance_and_work()


async def keep_length(world: World, **length: int) -> None:
    """As if the pull had read on for so long."""
    progress = (await world.task(TaskKind.PULL)).progress
    is_its = (col(SyncTask.instance_id) == world.id) & (col(SyncTask.kind) == TaskKind.PULL.value)
    async with world.runtime.database.write(SYSTEM) as session:
        await session.exec(update(SyncTask).where(is_its).values(progress={**progress, **length}))


UNSORTED = SyncSupport(cursor=CursorSync(order=CursorOrder.UNSORTED, is_filtered=False), sees_deletions=True)


@pytest.mark.parametrize("support", [DELTA, BY_TIME, UNSORTED], ids=["delta", "ascending", "unsorted"])
@pytest.mark.parametrize("count", [0, 7], ids=["empty pages", "the same records"])
async def test_changes_without_an_end_fail_the_pull_and_are_read_from_the_beginning_after_a_pause(
    world: World, support: SyncSupport, count: int
):
    world = await endless(world, support, count=count)
    assert (await world.task(TaskKind.PULL)).progress["page_count"] == 10
    await keep_length(world, page_count=PAGES_WITHOUT_NOTES)
    # Whatever it gives is met for the first time since records are noted; from then on nothing is.
    await die_after(world, 20)
    await keep_length(world, idle_count=MOST_IDLE_PAGES - 1)
    world.app.requests.clear()

    await world.advance_and_work()

    assert world.app.requests == ["changes"] * 2
    task, run = await world.task(TaskKind.PULL), (await world.runs())[-1]
    message = (
        "The app gave 10001 pages in a row with nothing new. Its changes have no end. "
        "See how its connector finds the next page and tells the last one."
    )
    assert run.error == task.error == {"code": "UPSTREAM_RESPONSE", "message": message}
    assert (run.conclusion, task.progress, task.failures) == ("FAILURE", None, 1)
    assert task.due_at > world.clock.now()
    assert await world.stage_count() == 0

    world.app.is_endless = False
    world.app.put("s0", {"n": "new"})
    await world.advance_and_work(900)
    assert (await world.told())[-1][1] == "s0"
    assert (await world.task(TaskKind.PULL)).failures == 0


@pytest.mark.parametrize("support", [DELTA, UNSORTED], ids=["delta", "unsorted"])
async def test_a_long_pull_that_has_an_end_is_read_to_it(world: World, support: SyncSupport):
    world = await endless(world, support, count=7)
    world.app.is_endless = False
    for number in range(8):
        world.app.put(f"t{number}", {"n": number})
    await keep_length(world, page_count=PAGES_WITHOUT_NOTES, idle_count=MOST_IDLE_PAGES - 1)

    assert await world.advance_and_work() == [TaskKind.PULL]

    assert (await world.runs())[-1].conclusion == "SUCCESS"
    assert await world.snapshot() == world.app.truth
    assert (await world.task(TaskKind.PULL)).progress is None
    assert await world.stage_count() == 0
