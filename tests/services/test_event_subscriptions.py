"""Interest in changes: asked for, repeated, ended, and what it means at a moment."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import InvalidError, NoCollectionSelectedError, NotFoundError
from gateway.models import (
    ChangeType,
    CursorSync,
    DataSourceInstance,
    EventMethod,
    EventSubscription,
    Pointer,
    SubscriptionStatus,
    SyncSupport,
    TaskKind,
)
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.models.sync import LONGEST_LAPSE
from gateway.services import data_source_instances, event_subscriptions
from gateway.services.event_subscriptions import Interest
from gateway.services.selectors import DataSourceInstanceSelector
from gateway.testing import FakeClock
from tests.services.conftest import World
from tests.services.instances import by
from tests.support import following
from tests.support.notes_connector import NotesApp
from tests.support.runtime import context_of, customer, definition, refused
from tests.support.runtime import instance as created

EACH = [change.value for change in ChangeType]


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


async def subscribe(world: World, instance: DataSourceInstance, *types: ChangeType, **options: bool) -> DataSourceInstance:
    return await event_subscriptions.subscribe(world.runtime, world.acme, by=by(instance), types=types or None, **options)


async def unsubscribe(world: World, instance: DataSourceInstance, *types: ChangeType) -> DataSourceInstance:
    return await event_subscriptions.unsubscribe(world.runtime, world.acme, by=by(instance), types=types or None)


async def statuses(world: World, instance: DataSourceInstance) -> dict[str, tuple[str, bool]]:
    """By type: the status, and whether it is durable."""
    rows = await following.subscriptions_of(world.runtime, instance)
    return {change: (row.status, row.expires_at is None) for change, row in sorted(rows.items())}


async def lease(world: World, instance: DataSourceInstance, change: ChangeType, *, seconds: float, **values: object) -> None:
    """Somebody listens for a while."""
    now = world.runtime.clock.now()
    owner = {"instance_id": instance.id, "customer_id": instance.customer_id}
    row = EventSubscription(
        **owner, type=change.value, created_at=now, updated_at=now, expires_at=now + timedelta(seconds=seconds), **values
    )
    async with world.runtime.database.write(SYSTEM) as session:
        session.add(row)


async def interest_of(world: World, instance: DataSourceInstance, change: ChangeType) -> Interest:
    row = (await following.subscriptions_of(world.runtime, instance))[change.value]
    runs = (await event_subscriptions.next_runs(world.runtime, world.acme, [instance.id]))[instance.id]
    return event_subscriptions.interest(world.runtime, row, context=await context_of(world.runtime, instance), runs=runs)


async def test_interest_in_all_changes_is_a_durable_subscription_of_each_type_and_asks_for_a_look(
    world: World, instance: DataSourceInstance
):
    await following.forget_requests(world.runtime)
    rung = world.runtime.events.bell.count

    assert (await subscribe(world, instance)).id == instance.id

    assert await statuses(world, instance) == dict.fromkeys(sorted(EACH), ("SUBSCRIBED", True))
    assert {kind: await following.is_asked_for(world.runtime, instance, kind) for kind in TaskKind} == {
        TaskKind.SETUP: True,
        TaskKind.INBOX: False,
        TaskKind.PULL: False,
        TaskKind.FULL: False,
    }
    assert world.runtime.events.bell.count > rung


async def test_interest_is_of_the_types_that_are_named_and_grows_with_them(world: World, instance: DataSourceInstance):
    await subscribe(world, instance, ChangeType.DELETED)
    first = (await following.subscriptions_of(world.runtime, instance))["DELETED"]
    await subscribe(world, instance, ChangeType.DELETED, ChangeType.CREATED)

    assert await statuses(world, instance) == {"CREATED": ("SUBSCRIBED", True), "DELETED": ("SUBSCRIBED", True)}
    assert (await following.subscriptions_of(world.runtime, instance))["DELETED"].id == first.id


async def test_the_same_interest_at_the_same_time_is_one(world: World, instance: DataSourceInstance):
    await asyncio.gather(*(subscribe(world, instance) for _ in range(5)))

    assert await statuses(world, instance) == dict.fromkeys(sorted(EACH), ("SUBSCRIBED", True))


async def test_interest_ends_for_the_types_that_are_named_and_can_begin_again(world: World, instance: DataSourceInstance):
    await subscribe(world, instance)
    await following.forget_requests(world.runtime)
    await unsubscribe(world, instance, ChangeType.CREATED)

    assert await statuses(world, instance) == {
        "CREATED": ("UNSUBSCRIBED", True),
        "DELETED": ("SUBSCRIBED", True),
        "UPDATED": ("SUBSCRIBED", True),
    }
    assert await following.is_asked_for(world.runtime, instance, TaskKind.SETUP)

    await unsubscribe(world, instance)
    assert await statuses(world, instance) == dict.fromkeys(sorted(EACH), ("UNSUBSCRIBED", True))
    await subscribe(world, instance, ChangeType.UPDATED)
    assert (await statuses(world, instance))["UPDATED"] == ("SUBSCRIBED", True)


async def test_interest_of_a_listener_becomes_durable_and_is_not_ended_for_the_listener(world: World, instance: DataSourceInstance):
    await lease(world, instance, ChangeType.CREATED, seconds=60)
    await lease(world, instance, ChangeType.UPDATED, seconds=60)

    await subscribe(world, instance, ChangeType.CREATED)
    await unsubscribe(world, instance, ChangeType.UPDATED)

    assert await statuses(world, instance) == {"CREATED": ("SUBSCRIBED", True), "UPDATED": ("SUBSCRIBED", False)}


async def test_interest_that_begins_again_has_forgotten_what_went_wrong_and_interest_that_goes_on_has_not(
    world: World, instance: DataSourceInstance
):
    wrong = {"status": SubscriptionStatus.ERROR.value, "error": {"code": "UPSTREAM_UNAVAILABLE", "message": "The app is away."}}
    await lease(world, instance, ChangeType.CREATED, seconds=-1, **wrong)
    await lease(world, instance, ChangeType.UPDATED, seconds=60, **wrong)

    await subscribe(world, instance, ChangeType.CREATED, ChangeType.UPDATED)

    rows = await following.subscriptions_of(world.runtime, instance)
    assert (rows["CREATED"].status, rows["CREATED"].error, rows["CREATED"].expires_at) == ("SUBSCRIBED", None, None)
    assert (rows["UPDATED"].status, rows["UPDATED"].error, rows["UPDATED"].expires_at) == ("ERROR", wrong["error"], None)


@pytest.mark.parametrize(
    ("baseline", "is_asked", "expected"),
    [("none", True, True), ("none", False, False), ("stands", True, False), ("moved", True, True), ("lapsed", True, True)],
)
async def test_records_that_are_there_are_told_only_where_a_baseline_is_ahead(
    baseline: str, is_asked: bool, expected: bool, world: World, instance: DataSourceInstance
):
    if baseline != "none":
        await following.in_sync(world.runtime, instance, Pointer("notes"))
    if baseline == "moved":
        await following.change_state(world.runtime, instance, instance_generation=instance.generation - 1)
    if baseline == "lapsed":
        await following.change_state(world.runtime, instance, lapsed_at=world.runtime.clock.now() - LONGEST_LAPSE - timedelta(seconds=1))

    await subscribe(world, instance, emit_initial=is_asked)

    assert (await following.state_of(world.runtime, instance)).emits_initial is expected


async def test_an_instance_without_a_collection_has_no_changes(world: World):
    await definition(world.runtime, "vague", udm=None)
    vague = await created(world.runtime, world.acme, world.connection, "vague")

    async with refused(
        world.runtime,
        NoCollectionSelectedError,
        "Data source 'vague' points at no collection here. Point the data source or this instance at one.",
    ):
        await subscribe(world, vague)


async def test_what_is_archived_has_no_new_interest_and_what_it_had_can_be_ended(world: World, instance: DataSourceInstance):
    await subscribe(world, instance)
    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))

    async with refused(world.runtime, InvalidError, "The instance is archived. Restore it first.", field=["input", "by"]):
        await subscribe(world, instance)
    await unsubscribe(world, instance)
    assert {status for status, _ in (await statuses(world, instance)).values()} == {"UNSUBSCRIBED"}


async def test_an_empty_list_of_types_is_refused(world: World, instance: DataSourceInstance):
    message = "The list of types is empty. Name one, or leave it out for all."
    for act in (event_subscriptions.subscribe, event_subscriptions.unsubscribe):
        async with refused(world.runtime, InvalidError, message, field=["input", "types"]):
            await act(world.runtime, world.acme, by=by(instance), types=[])


async def test_anothers_instance_is_one_that_does_not_exist(world: World, instance: DataSourceInstance):
    globex = await customer(world.runtime, "globex")
    for act in (event_subscriptions.subscribe, event_subscriptions.unsubscribe):
        for selector in (by(instance), DataSourceInstanceSelector(id=new_id())):
            async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "by", "id"]):
                await act(world.runtime, globex, by=selector)


async def test_many_instances_are_read_at_once_and_none_of_anothers(world: World, instance: DataSourceInstance):
    second = await created(world.runtime, world.acme, world.connection, instance_key="second")
    await subscribe(world, instance)
    globex = await customer(world.runtime, "globex")

    ids = [instance.id, second.id]
    own = await event_subscriptions.of_instances(world.runtime, world.acme, ids)
    assert {key: [row.type for row in rows] for key, rows in own.items()} == {instance.id: EACH, second.id: []}
    assert await event_subscriptions.of_instances(world.runtime, globex, ids) == {instance.id: [], second.id: []}


@pytest.mark.parametrize(
    ("support", "methods"),
    [
        (SyncSupport(), ["FULL_SCAN", "FULL_SCAN", "FULL_SCAN"]),
        (SyncSupport(cursor=CursorSync()), ["PULL", "PULL", "FULL_SCAN"]),
        (SyncSupport(has_delta=True, sees_deletions=True), ["DELTA", "DELTA", "DELTA"]),
    ],
)
async def test_the_method_of_each_type_is_the_best_that_the_collection_offers(
    support: SyncSupport, methods: list[str], world: World, instance: DataSourceInstance, notes_app: NotesApp
):
    notes_app.sync_support = support
    await subscribe(world, instance)

    found = [await interest_of(world, instance, change) for change in ChangeType]
    assert [each.method.value for each in found] == methods
    assert [each.requires_full_sync for each in found] == [method == "FULL_SCAN" for method in methods]
    assert [each.requires_pull for each in found] == [method != "FULL_SCAN" for method in methods]
    assert not any(each.is_real_time for each in found)


async def test_the_next_runs_are_those_that_the_type_needs_and_unknown_while_one_is_under_way(
    world: World, instance: DataSourceInstance, notes_app: NotesApp
):
    notes_app.sync_support = SyncSupport(cursor=CursorSync())
    await subscribe(world, instance)
    pull_at, full_at = (world.runtime.clock.now() + timedelta(seconds=seconds) for seconds in (300, 10_800))
    await following.change_task(world.runtime, instance, TaskKind.PULL, due_at=pull_at)
    await following.change_task(world.runtime, instance, TaskKind.FULL, due_at=full_at)

    updated, deleted = [await interest_of(world, instance, change) for change in (ChangeType.UPDATED, ChangeType.DELETED)]
    assert (updated.next_pull_at, updated.next_full_sync_at) == (pull_at, None)
    assert (deleted.next_pull_at, deleted.next_full_sync_at) == (None, full_at)

    await following.change_task(world.runtime, instance, TaskKind.PULL, owner="a worker")
    assert (await interest_of(world, instance, ChangeType.UPDATED)).next_pull_at is None


async def test_a_listeners_interest_is_over_when_its_time_is(world: World, instance: DataSourceInstance, clock: FakeClock):
    await lease(world, instance, ChangeType.UPDATED, seconds=60)
    now = await interest_of(world, instance, ChangeType.UPDATED)
    clock.advance(61)
    later = await interest_of(world, instance, ChangeType.UPDATED)

    assert (now.status, now.expires_at) == (SubscriptionStatus.SUBSCRIBED, clock.now() - timedelta(seconds=1))
    assert (later.status, later.expires_at, later.method) == (SubscriptionStatus.UNSUBSCRIBED, None, EventMethod.FULL_SCAN)
