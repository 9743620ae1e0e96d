"""What follows from interest in changes, and from its end."""

from dataclasses import replace

import pytest

from gateway.errors import UpstreamAuthError
from gateway.models import ChangeType, SyncSupport, TaskKind
from gateway.services import connections, data_source_instances
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector
from gateway.sync.claims import claim
from gateway.sync.work import perform
from tests.sync.test_histories import DeathError
from tests.sync.world import World, replayed

DELTA = SyncSupport(has_delta=True, sees_deletions=True)
DAY = 86_400


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def in_sync(world: World) -> World:
    world.app.support = DELTA
    for number in range(5):
        world.app.put(f"r{number}", {"n": number})
    await world.prepared(lambda: _take_baseline(world), "in sync, with a delta")
    return world


async def _take_baseline(world: World) -> None:
    await world.subscribe()
    await world.work()
    world.app.requests.clear()


async def test_nothing_is_asked_while_nobody_is_interested(world: World):
    assert await world.work() == [TaskKind.SETUP]

    assert await world.advance_and_work(DAY) == []
    assert world.app.requests == []


async def test_work_ends_with_interest(world: World):
    await in_sync(world)

    await world.unsubscribe()
    assert await world.work() == [TaskKind.SETUP]

    assert await world.advance_and_work(DAY / 2) == []
    assert (await world.state()).lapsed_at is not None


async def test_interest_that_comes_back_within_a_day_is_told_what_changed_meanwhile(world: World):
    await in_sync(world)
    await world.unsubscribe()
    await world.work()
    world.app.put("r1", {"n": "new"})
    world.clock.advance(DAY - 60)

    await world.subscribe()
    assert await world.work() == [TaskKind.SETUP, TaskKind.PULL]

    assert await world.told() == [("UPDATED", "r1", "DELTA")]
    assert (await world.state()).generation == 1
    assert (await world.state()).lapsed_at is None


async def test_interest_that_comes_back_later_begins_with_a_new_baseline(world: World):
    await in_sync(world)
    await world.unsubscribe()
    await world.work()
    world.app.put("r1", {"n": "new"})
    world.clock.advance(DAY + 60)

    await world.subscribe()
    assert await world.work() == [TaskKind.SETUP, TaskKind.FULL, TaskKind.SETUP, TaskKind.PULL]

    assert await world.told() == []
    assert (await world.state()).generation == 2


async def test_pointing_elsewhere_begins_a_generation_without_a_burst(world: World):
    await in_sync(world)
    before = await world.events()
    for number in range(3):
        world.app.put(f"elsewhere{number}", {"n": number})

    await world.point_at("other")
    await world.work()

    assert await world.events() == before
    generation = await world.generation()
    assert (generation.generation, generation.pointer) == (2, {"key": "items", "parameters": {"box": "other"}})
    world.app.put("r1", {"n": "new"})
    await world.advance_and_work()
    (event,) = await world.events()
    assert (event.record_id, event.generation, event.seq) == ("r1", 2, 1)


async def test_a_connector_that_reads_records_differently_begins_a_generation_without_a_burst(world: World):
    await in_sync(world)
    for number in range(5):
        world.app.put(f"r{number}", {"number": number})

    world.app.connector_version = "2.0.0"
    await world.advance_and_work()
    assert (await world.told(), (await world.state()).generation) == ([], 2)

    world.app.support = replace(DELTA, volatile_fields=("number",))
    await world.advance_and_work()
    assert (await world.told(), (await world.state()).generation) == ([], 3)

    world.app.connector_version = "2.1.3"
    world.app.put("r1", {"number": 1, "n": "new"})
    await world.advance_and_work()
    assert (await world.told(), (await world.state()).generation) == ([("UPDATED", "r1", "DELTA")], 3)


async def test_an_archived_instance_is_left_alone_until_it_is_restored(world: World):
    await in_sync(world)
    by = DataSourceInstanceSelector(id=world.id)
    await data_source_instances.archive(world.runtime, world.customer, by=by)
    await world.work()
    world.app.put("r1", {"n": "new"})
    assert TaskKind.PULL not in await world.advance_and_work()
    assert world.app.requests == []
    assert {row.status for row in await world.subscriptions()} == {"ERROR"}

    await data_source_instances.restore(world.runtime, world.customer, id=world.id)
    await world.work()
    await world.advance_and_work()

    assert await world.told() == [("UPDATED", "r1", "DELTA")]
    assert {row.status for row in await world.subscriptions()} == {"SUBSCRIBED"}


async def test_refused_credentials_are_told_and_the_app_is_not_asked_again(world: World):
    await in_sync(world)
    world.app.failures.append(UpstreamAuthError("The app does not know the token."))
    await world.advance_and_work()
    asked = len(world.app.requests)

    for _ in range(5):
        await world.advance_and_work(1_000)

    assert len(world.app.requests) == asked
    assert {(row.status, row.error["code"]) for row in await world.subscriptions()} == {("ERROR", "UPSTREAM_AUTH")}

    world.app.put("r1", {"n": "new"})
    await connections.test(world.runtime, world.customer, by=ConnectionSelector(id=world.instance.connection_id))
    await world.work()
    assert await world.told() == [("UPDATED", "r1", "DELTA")]
    assert {row.status for row in await world.subscriptions()} == {"SUBSCRIBED"}


async def test_a_shorter_interval_counts_at_once(world: World):
    await in_sync(world)
    by = DataSourceInstanceSelector(id=world.id)

    await data_source_instances.update(world.runtime, world.customer, by=by, pull_updates_interval_seconds=60)
    await world.work()

    assert ((await world.task(TaskKind.PULL)).due_at - world.clock.now()).total_seconds() <= 66


async def test_another_look_plans_nothing_anew(world: World):
    await in_sync(world)
    due_at = (await world.task(TaskKind.PULL)).due_at

    await world.subscribe(ChangeType.CREATED)
    assert await world.work() == [TaskKind.SETUP]

    assert (await world.task(TaskKind.PULL)).due_at == due_at


async def test_bodies_are_kept_unless_the_settings_in_force_say_otherwise(world: World):
    await in_sync(world)
    baseline = await world.snapshot()
    world.app.put("r1", {"n": "new"})
    world.app.remove("r2")
    await world.advance_and_work()

    updated, deleted = await world.events()
    assert replayed(baseline, [updated, deleted]) == world.app.truth
    assert (updated.previous is not None, deleted.previous is not None) == (True, True)


@pytest.mark.parametrize(("is_set_up_at_once", "conclusion"), [(True, "CANCELLED"), (False, "SUCCESS")])
async def test_a_baseline_that_is_taken_silently_begins_anew_when_somebody_asks_meanwhile_to_be_told_of_it(
    world: World, is_set_up_at_once: bool, conclusion: str
):
    async def ask() -> None:
        await world.subscribe(emit_initial=True)
        task = await claim(world.runtime, world.id, TaskKind.SETUP, owner="other") if is_set_up_at_once else None
        if task is not None:
            await perform(world.runtime, task)

    world.app.support = DELTA
    for number in range(7):
        world.app.put(f"r{number}", {"n": number})
    world.app.meanwhile.extend([None, ask])
    await world.subscribe()

    await world.work()

    assert await world.told() == [("CREATED", f"r{number}", "FULL_SCAN") for number in range(7)]
    assert not (await world.state()).emits_initial
    assert ((await world.generation()).generation, (await world.generation()).is_silent) == (2, False)
    assert [run.conclusion for run in await world.runs()] == [conclusion, "SUCCESS", "SUCCESS"]

    await world.subscribe(emit_initial=True)
    await world.advance_and_work(DAY)
    assert len(await world.events()) == 7


async def test_a_baseline_that_is_told_goes_on_telling_after_a_crash(world: World):
    for number in range(7):
        world.app.put(f"r{number}", {"n": number})
    world.app.meanwhile.extend([None, die])
    await world.subscribe(emit_initial=True)
    with pytest.raises(DeathError):
        await world.work()

    await world.die()
    await world.subscribe(emit_initial=True)
    await world.work()

    assert await world.told() == [("CREATED", f"r{number}", "FULL_SCAN") for number in range(7)]
    assert (await world.state()).generation == 1


def die() -> None:
    raise DeathError
