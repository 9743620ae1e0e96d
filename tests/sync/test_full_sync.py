"""Full syncs: complete listings compared with what was known."""

from collections.abc import Sequence

import pytest
from sqlalchemy import delete

from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamUnavailableError
from gateway.events.observations import Observation, ObservedPlace, observe
from gateway.models import (
    ChangeType,
    EventMethod,
    JsonValue,
    PageRequest,
    Stage,
    SyncConclusion,
    SyncKind,
    SyncStatus,
    SyncSupport,
    TaskKind,
)
from gateway.models.principal import SYSTEM
from gateway.services import data_sources, sync_runs
from gateway.services.selectors import DataSourceSelector
from gateway.sync.claims import claim
from gateway.sync.work import perform
from tests.support.changing_app import ChangingApp, Item
from tests.sync.test_histories import DeathError, another, replayed
from tests.sync.test_interruptions import Worker
from tests.sync.world import World

DOWN = UpstreamUnavailableError("The app is down.", may_have_been_received=False)


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def in_sync(world: World, count: int = 10) -> World:
    """The world with so many records and its baseline."""
    for number in range(count):
        world.app.put(f"r{number:03}", {"n": number})
    await world.prepared(lambda: _take_baseline(world), "in sync, to be listed")
    return world


async def _take_baseline(world: World) -> None:
    await world.subscribe()
    await world.work()
    assert (await world.generation()).baseline_at is not None
    world.app.requests.clear()


async def webhook(world: World, record_id: str) -> None:
    """Another task is told of a record as it is."""
    state = await world.state()
    place = ObservedPlace(instance_id=world.id, connection_id=state.connection_id, generation=state.generation)
    seen = [Observation(external_id=record_id, record=world.app.items[record_id].record)]
    async with world.runtime.database.write(SYSTEM) as session:
        now = world.clock.now()
        await observe(session, place=place, observations=seen, since_tick=state.tick, method=EventMethod.WEBHOOK, now=now)


async def full_sync(world: World) -> list[TaskKind]:
    """What a full sync that somebody asks for leads to."""
    await world.request(SyncKind.FULL_SYNC)
    return await world.work()


async def test_the_first_listing_is_a_silent_baseline(world: World):
    await in_sync(world, 7)

    assert await world.told() == []
    assert await world.snapshot() == world.app.truth
    (run,) = await world.runs()
    assert (run.kind, run.status, run.conclusion) == ("FULL_SYNC", "COMPLETED", "SUCCESS")
    assert (run.record_count, run.event_count, run.page_count, run.missing_count) == (7, 0, 3, 0)
    assert await world.stage_count() == 0


async def test_the_app_is_asked_in_the_background(world: World):
    await in_sync(world)

    assert set(world.app.are_background) == {True}


async def test_initial_records_are_told_when_somebody_wants_them(world: World):
    for number in range(4):
        world.app.put(f"r{number}", {"n": number})
    await world.subscribe(emit_initial=True)
    await world.work()

    assert await world.told() == [("CREATED", f"r{number}", "FULL_SCAN") for number in range(4)]
    assert not (await world.state()).emits_initial


async def test_a_record_that_cannot_be_written_down_any_more_is_not_taken_for_deleted(world: World):
    world.app.finds_by_id = False
    await in_sync(world)
    world.app.put("r001", {"n": {"no", "json"}})
    world.app.remove("r002")

    await full_sync(world)

    assert await world.told() == [("DELETED", "r002", "FULL_SCAN")]
    assert (await world.snapshot())["r001"] == {"n": 1}


async def test_a_full_sync_forgets_the_bodies_that_are_not_to_be_kept_any_more(world: World):
    await in_sync(world)
    by = DataSourceSelector(key="things", integration_key="changing")
    await data_sources.update(world.runtime, SYSTEM, by=by, event_bodies=False)
    world.app.put("r001", {"n": "new"})

    await full_sync(world)

    assert [(event.type, event.body, event.previous) for event in await world.events()] == [(ChangeType.UPDATED, None, None)]
    assert await world.snapshot() == {}
    await full_sync(world)
    assert len(await world.events()) == 1


async def test_differences_are_told_and_deletions_confirmed_by_id(world: World):
    await in_sync(world)
    world.app.put("r001", {"n": "new"})
    world.app.put("zzz", {"n": 1})
    world.app.remove("r005")

    assert await full_sync(world) == [TaskKind.FULL]

    assert await world.told() == [("UPDATED", "r001", "FULL_SCAN"), ("CREATED", "zzz", "FULL_SCAN"), ("DELETED", "r005", "FULL_SCAN")]
    assert world.app.requests == ["records"] * 4 + ["records_by_ids"]
    assert await world.snapshot() == world.app.truth
    run = (await world.runs())[-1]
    assert (run.record_count, run.event_count, run.page_count, run.missing_count, run.conclusion) == (10, 3, 4, 1, "SUCCESS")


async def test_a_full_sync_without_changes_tells_nothing(world: World):
    await in_sync(world)

    await full_sync(world)

    assert await world.told() == []
    assert world.app.requests == ["records"] * 4


async def test_it_starts_again_by_its_interval(world: World):
    await in_sync(world)
    task = await world.task(TaskKind.FULL)
    waits = (task.due_at - world.clock.now()).total_seconds()

    assert 0.9 * 10_800 <= waits <= 1.1 * 10_800
    assert await world.advance_and_work(0.9 * 10_800 - 1) == []
    assert await world.advance_and_work(0.2 * 10_800 + 2) == [TaskKind.FULL]


async def test_a_record_over_which_the_list_shifted_is_not_taken_for_deleted(world: World):
    await in_sync(world)
    # After the first page its records shift up: r003 moves onto a page that was read.
    world.app.meanwhile.extend([None, lambda: world.app.remove("r000")])

    await full_sync(world)

    assert await world.told() == []
    assert world.app.requests == ["records"] * 3 + ["records_by_ids"]
    assert (await world.runs())[-1].missing_count == 1  # In the list, whatever the app said of it then.
    await full_sync(world)
    assert await world.told() == [("DELETED", "r000", "FULL_SCAN")]


async def test_where_no_record_is_found_by_id_only_what_two_listings_miss_is_deleted(world: World):
    world.app.finds_by_id = False
    await in_sync(world)
    world.app.meanwhile.extend([None, lambda: world.app.remove("r000")])

    await full_sync(world)
    assert await world.told() == []  # The first listing met it, before it was gone.
    assert world.app.requests == ["records"] * 3 + ["records"] * 3
    assert (await world.runs())[-1].missing_count == 0

    await full_sync(world)
    assert await world.told() == [("DELETED", "r000", "FULL_SCAN")]
    assert (await world.runs())[-1].missing_count == 1


async def test_a_record_that_others_saw_since_the_listing_began_is_not_looked_for_in_it(world: World):
    world.app.finds_by_id, world.app.page_size = False, 100
    await in_sync(world)

    async def see() -> None:
        # Another task is told of it, while the list does not show it yet.
        world.app.put("seen", {"n": 1}, hidden_for=1)
        await webhook(world, "seen")

    world.app.meanwhile.append(see)
    await full_sync(world)

    assert await world.told() == [("CREATED", "seen", "WEBHOOK")]


async def test_a_list_of_one_page_is_believed_at_once(world: World):
    world.app.finds_by_id, world.app.page_size = False, 100
    await in_sync(world)
    world.app.remove("r000")

    await full_sync(world)

    assert world.app.requests == ["records"]
    assert await world.told() == [("DELETED", "r000", "FULL_SCAN")]


@pytest.mark.parametrize(("missing", "is_held"), [(50, False), (51, True)])
async def test_a_run_is_held_when_more_than_fifty_are_missing(world: World, missing: int, is_held: bool):
    world.app.page_size = 100
    await in_sync(world, 60)
    for number in range(missing):
        world.app.remove(f"r{number:03}")

    await full_sync(world)

    run = (await world.runs())[-1]
    if is_held:
        assert (run.status, run.conclusion, run.missing_count) == (SyncStatus.HELD, None, 51)
        assert await world.told() == []
        assert await world.stage_count() == 0
    else:
        assert (run.status, run.conclusion) == (SyncStatus.COMPLETED, SyncConclusion.SUCCESS)
        assert len(await world.told()) == 50


async def test_a_fifth_of_many_may_be_missing(world: World):
    world.app.page_size = 1000
    await in_sync(world, 300)
    for number in range(60):
        world.app.remove(f"r{number:03}")
    await full_sync(world)
    assert len(await world.told()) == 60

    for number in range(60, 111):
        world.app.remove(f"r{number:03}")
    await full_sync(world)
    assert (await world.runs())[-1].status == SyncStatus.HELD


async def held(world: World) -> None:
    world.app.page_size = 100
    await in_sync(world, 60)
    for number in range(55):
        world.app.remove(f"r{number:03}")
    await full_sync(world)
    assert (await world.runs())[-1].status == SyncStatus.HELD


async def test_a_released_run_lists_once_more_and_deletes_what_is_missing(world: World):
    await held(world)
    run = (await world.runs())[-1]
    world.app.remove("r055")
    counts: list[int] = []

    async def look() -> None:
        counts.append((await world.runs())[-1].missing_count)

    world.app.meanwhile.append(look)
    await sync_runs.release(world.runtime, world.customer, id=run.id)
    assert await world.work() == [TaskKind.FULL]

    assert len(await world.told()) == 56
    released = (await world.runs())[-1]
    assert (released.id, released.status, released.conclusion) == (run.id, "COMPLETED", "SUCCESS")
    assert (run.missing_count, counts, released.missing_count) == (55, [0], 56)
    assert await world.snapshot() == world.app.truth


@pytest.mark.long
async def test_what_is_missing_here_and_there_is_asked_for_as_many_at_once_as_the_app_finds(world: World):
    world.app.page_size = 1_000
    await in_sync(world, 8_000)
    for record_id in sorted(world.app.items)[::8]:
        world.app.remove(record_id)

    await full_sync(world)

    assert world.app.requests.count("records_by_ids") == 1_000 // 20
    assert len(await world.told()) == (await world.runs())[-1].missing_count == 1_000
    assert await world.snapshot() == world.app.truth


async def test_an_app_that_finds_no_record_by_id_any_more_is_listed_again_before_anything_is_deleted(world: World):
    await in_sync(world)
    world.app.remove("r000")
    world.app.failures.extend([None] * 3 + [DOWN])
    await full_sync(world)
    assert (await world.task(TaskKind.FULL)).progress["phase"] == "DELETING"
    assert (await world.runs())[-1].missing_count == 1
    world.app.finds_by_id = False
    world.app.requests.clear()

    assert await world.advance_and_work(20) == [TaskKind.FULL]

    # The second listing does not miss what the first one met, and nothing else was met since.
    assert world.app.requests == ["records"] * 3
    assert await world.told() == [("DELETED", "r000", "FULL_SCAN")]
    assert (await world.runs())[-1].missing_count == 1


async def test_a_held_run_that_is_whole_at_its_next_interval_ends_well(world: World):
    await held(world)
    run = (await world.runs())[-1]
    for number in range(55):
        world.app.put(f"r{number:03}", {"n": number})

    assert await world.advance_and_work(1.2 * 10_800) == [TaskKind.FULL]

    ended = (await world.runs())[-1]
    assert (ended.id, ended.conclusion, ended.missing_count) == (run.id, "SUCCESS", 0)
    assert await world.told() == []


async def test_a_held_run_that_still_misses_too_much_is_held_again(world: World):
    await held(world)

    assert await world.advance_and_work(1.2 * 10_800) == [TaskKind.FULL]

    assert [run.status for run in await world.runs()] == ["COMPLETED", "HELD"]
    assert await world.told() == []


async def test_a_held_run_can_be_cancelled(world: World):
    await held(world)
    run = (await world.runs())[-1]

    await sync_runs.cancel(world.runtime, world.customer, id=run.id)
    await world.work()

    assert [run.conclusion for run in await world.runs()] == ["SUCCESS", "CANCELLED"]
    assert await world.told() == []


async def test_a_cancelled_run_ends_before_its_next_page(world: World):
    await in_sync(world)

    async def cancel() -> None:
        await sync_runs.cancel(world.runtime, world.customer, id=(await world.runs())[-1].id)

    world.app.meanwhile.extend([None, cancel])
    await full_sync(world)

    assert world.app.requests == ["records"] * 2
    assert (await world.runs())[-1].conclusion == SyncConclusion.CANCELLED
    assert await world.stage_count() == 0
    assert (await world.task(TaskKind.FULL)).due_at > world.clock.now()


async def test_nothing_is_deleted_when_a_page_fails(world: World):
    await in_sync(world)
    world.app.remove("r000")
    world.app.failures.extend([None, None, DOWN])

    await full_sync(world)

    assert await world.told() == []
    task = await world.task(TaskKind.FULL)
    assert (task.failures, task.error["code"]) == (1, "UPSTREAM_UNAVAILABLE")
    assert (await world.runs())[-1].status == SyncStatus.IN_PROGRESS

    world.app.requests.clear()
    assert await world.advance_and_work(20) == [TaskKind.FULL]
    assert world.app.requests == ["records", "records_by_ids"]  # It goes on with the page that failed.
    assert await world.told() == [("DELETED", "r000", "FULL_SCAN")]


async def test_a_listing_goes_on_after_its_worker_died(world: World):
    await in_sync(world)
    world.app.meanwhile.extend([None, None, die])
    await world.request(SyncKind.FULL_SYNC)
    with pytest.raises(DeathError):
        await world.work()
    world.app.put("r009", {"n": "new"})
    world.app.requests.clear()

    await world.die()
    await world.work()

    assert world.app.requests == ["records"] * 2
    assert await world.told() == [("UPDATED", "r009", "FULL_SCAN")]


async def test_a_listing_begins_anew_when_the_database_forgot_what_it_met(world: World):
    await in_sync(world)
    world.app.meanwhile.extend([None, None, die])
    await world.request(SyncKind.FULL_SYNC)
    with pytest.raises(DeathError):
        await world.work()
    async with world.runtime.database.write(SYSTEM) as session:
        await session.exec(delete(Stage))
    world.app.requests.clear()

    await world.die()
    await world.work()

    assert world.app.requests == ["records"] * 4
    assert await world.told() == []


async def test_a_page_that_was_read_twice_is_not_believed_once_what_it_met_is_forgotten(world: World):
    world.app.finds_by_id, world.app.page_size = False, 100
    await in_sync(world)
    await world.request(SyncKind.FULL_SYNC)

    async def see() -> None:
        # Another task is told of a change, which the list does not show yet: the page is read again.
        world.app.put("r000", {"n": "new"}, hidden_for=1)
        await webhook(world, "r000")

    world.app.meanwhile.append(see)
    worker = Worker(world, dies_before=12)
    with pytest.raises(DeathError), worker._dying():
        await world.work()
    progress = (await world.task(TaskKind.FULL)).progress
    assert (progress["phase"], world.app.requests) == ("SWEEPING", ["records"] * 2)
    async with world.runtime.database.write(SYSTEM) as session:
        await session.exec(delete(Stage))

    await world.die()
    await world.work()

    assert await world.told() == [("UPDATED", "r000", "WEBHOOK")]
    assert await world.snapshot() == world.app.truth


async def test_an_expired_page_token_begins_the_listing_anew(world: World):
    await in_sync(world)
    world.app.meanwhile.extend([None, None, world.app.forget_page_tokens])

    await full_sync(world)

    assert world.app.requests == ["records"] * 3 + ["records"] * 4
    assert (await world.runs())[-1].conclusion == "SUCCESS"


async def test_page_tokens_that_always_expire_fail_the_run(world: World):
    await in_sync(world)
    world.app.meanwhile.extend([None, world.app.forget_page_tokens] * 4)

    await full_sync(world)

    assert (await world.task(TaskKind.FULL)).error["code"] == CursorExpiredError.code
    assert (await world.runs())[-1].conclusion == "FAILURE"
    assert await world.stage_count() == 0


async def test_a_collection_that_is_gone_is_told_and_deletes_nothing(world: World):
    await in_sync(world)
    world.app.failures.append(UpstreamRejectedError("The app has no such table.", status=404))

    await full_sync(world)

    assert await world.told() == []
    assert (await world.runs())[-1].error == {"code": "UPSTREAM_REJECTED", "message": "The app has no such table."}
    assert {(row.status, row.error["code"]) for row in await world.subscriptions()} == {("ERROR", "UPSTREAM_REJECTED")}

    assert await world.advance_and_work(20) == [TaskKind.FULL]
    assert {(row.status, row.error) for row in await world.subscriptions()} == {("SUBSCRIBED", None)}


async def test_a_baseline_that_began_anew_keeps_nothing_that_is_gone(world: World):
    for number in range(10):
        world.app.put(f"r{number:03}", {"n": number})

    def shift() -> None:
        world.app.forget_page_tokens()
        world.app.remove("r000")

    world.app.meanwhile.extend([None, None, shift])
    await world.subscribe()
    await world.work()

    assert await world.told() == []
    assert await world.snapshot() == world.app.truth


class EndlessApp(ChangingApp):
    """Begins its list again at its end, with page tokens that never repeat."""

    def cut(self, items: Sequence[Item], page: PageRequest) -> tuple[Sequence[Item], JsonValue]:
        number = page.token or 0
        return [items[number % len(items)]], number + 1


async def test_a_list_without_an_end_fails_and_deletes_nothing(world: World):
    app = EndlessApp(now=world.clock.now)
    world = await another(world, app)
    for number in range(3):
        app.put(f"r{number}", {"n": number})

    await world.subscribe()
    await world.work()

    error = (await world.task(TaskKind.FULL)).error
    assert error["code"] == "UPSTREAM_RESPONSE"
    assert "pages in a row with nothing new. Its list has no end." in error["message"]
    assert (await world.generation()).baseline_at is None
    assert await world.told() == []


async def test_an_answer_without_pages_is_committed_in_pieces(world: World):
    world.app.page_size = 20_000
    for number in range(5_001):
        world.app.items[f"r{number:05}"] = item(world, f"r{number:05}")
    await world.subscribe()
    world.app.support = SyncSupport()
    assert TaskKind.FULL in await world.work()

    assert (await world.runs())[0].record_count in {1_000 * 6 - 999, 5_001}
    assert len(await world.snapshot()) == 5_001


async def test_a_full_sync_of_another_generation_commits_nothing(world: World):
    await in_sync(world)

    async def point_elsewhere() -> None:
        await world.point_at("other")
        task = await claim(world.runtime, world.id, TaskKind.SETUP, owner="other")
        assert task is not None
        await perform(world.runtime, task)

    world.app.put("r001", {"n": "new"})
    world.app.meanwhile.append(point_elsewhere)
    await full_sync(world)

    assert await world.told() == []
    assert (await world.state()).generation == 2
    assert (await world.generation()).baseline_at is not None
    assert [run.conclusion for run in await world.runs()] == ["SUCCESS", "CANCELLED", "SUCCESS"]
    assert replayed(world.app.truth, await world.events()) == await world.snapshot()


def die() -> None:
    raise DeathError


def item(world: World, record_id: str):
    world.app.put("template", {"n": 1})
    template = world.app.items.pop("template")
    return type(template)(record_id, template.fields, template.at, template.count)
