"""Streams begin once the baseline stands, go on from a cursor without a gap, and end with what keeps an instance from being synced."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlmodel import col, select, update

from gateway.errors import (
    CursorExpiredError,
    InvalidError,
    NoCollectionSelectedError,
    NotAuthenticatedError,
    NotFoundError,
    UpstreamAuthError,
)
from gateway.events import log
from gateway.events.batches import Batch
from gateway.events.cursors import cursor_of
from gateway.events.log import Topic
from gateway.events.observations import ObservedPlace
from gateway.models import (
    ChangeType,
    Connection,
    DataSource,
    DataSourceInstance,
    EventLog,
    EventSubscription,
    Pointer,
    Principal,
    SyncGeneration,
    SyncRun,
    SyncState,
    SyncTask,
)
from gateway.models.principal import ANONYMOUS, SYSTEM
from gateway.runtime import Runtime
from gateway.services import change_events, data_source_instances, standing, streams
from gateway.services.change_streams import ChangeStream
from gateway.services.selectors import ConnectionSelector, PointerInput
from tests.events.observing import record, seen, tell
from tests.services.instances import by
from tests.support import runtime as given
from tests.support.runtime import context_of

Item = TypeVar("Item")
LONG = 20.0
SHORT = 0.5


@pytest.fixture
def runtime_url(database_url: str) -> str:
    """Each test runs on both databases."""
    return database_url


@pytest.fixture
async def place(world, instance) -> ObservedPlace:
    """The instance, with its baseline."""
    return await baseline(world.runtime, instance)


async def baseline(runtime: Runtime, instance: DataSourceInstance, *, stands: bool = True) -> ObservedPlace:
    """The instance's first generation, as the sync engine leaves it."""
    pointer = (await context_of(runtime, instance)).settings(runtime).pointer or Pointer("notes")
    now = runtime.clock.now()
    async with runtime.database.write(SYSTEM) as session:
        state = update(SyncState).where(col(SyncState.instance_id) == instance.id)
        await session.exec(state.values(generation=1, instance_generation=instance.generation))
        session.add(
            SyncGeneration(
                instance_id=instance.id,
                generation=1,
                customer_id=instance.customer_id,
                pointer=pointer.as_json(),
                started_at=now,
                baseline_at=now if stands else None,
            )
        )
    return ObservedPlace(instance_id=instance.id, connection_id=instance.connection_id, generation=1)


async def change(runtime: Runtime, place: ObservedPlace, *names: str, **options: Any) -> None:
    """Records that somebody made in the app."""
    await tell(runtime.database, place, seen(*(record(name) for name in names)), **options)
    runtime.events.bell.ring()


async def write(runtime: Runtime, table: Any, *which: Any, **values: Any) -> None:
    async with runtime.database.write(SYSTEM) as session:
        await session.exec(update(table).where(*which).values(**values))
    runtime.events.bell.ring()


async def cursor(runtime: Runtime) -> str:
    """The log's end."""
    async with runtime.database.read(SYSTEM) as session:
        meta = await log.log_meta(session)
    return cursor_of(meta.log_id, meta.end)


def follow(runtime: Runtime, principal: Principal, instance: DataSourceInstance, **options: Any) -> AsyncGenerator[Batch, None]:
    return streams.records_changed(runtime, principal, by=by(instance), **({"types": None, "after": None} | options))


async def following(stream: AsyncGenerator[Item, None]) -> Item:
    """What comes next."""
    async with asyncio.timeout(LONG):
        return await anext(stream)


@asynccontextmanager
async def quiet(stream: AsyncGenerator[Item, None]) -> AsyncIterator[asyncio.Task[Item]]:
    """Nothing comes until the block runs; the task gives what comes then."""
    waiting = asyncio.ensure_future(following(stream))
    await asyncio.sleep(SHORT)
    assert not waiting.done(), waiting
    yield waiting


def ids(batch: Batch) -> list[str]:
    return [event.record_id for event in batch.events]


async def ended(stream: AsyncGenerator[Any, None]) -> Exception:
    """What a stream ends with at its beginning."""
    with pytest.raises(Exception) as caught:
        await following(stream)
    return caught.value


async def test_the_first_batch_is_empty_and_comes_once_the_baseline_stands(world, instance):
    runtime = world.runtime
    place = await baseline(runtime, instance, stands=False)
    await change(runtime, place, "a", is_silent=True)
    async with aclosing(follow(runtime, world.acme, instance)) as stream:
        async with quiet(stream) as waiting:
            await write(runtime, SyncGeneration, baseline_at=runtime.clock.now())
            first = await waiting
        await change(runtime, place, "b", "c")
        second = await following(stream)

    assert (first.events, first.start, first.end) == ((), 0, 0)
    assert ids(second) == ["b", "c"]


async def test_listening_keeps_the_instance_followed_and_asks_for_setup(world, instance, place):
    runtime = world.runtime
    async with aclosing(follow(runtime, world.acme, instance, types=[ChangeType.CREATED])) as stream:
        await following(stream)
        async with runtime.database.read(SYSTEM) as session:
            interest = (await session.exec(select(EventSubscription.type, EventSubscription.status))).all()
            asked = (await session.exec(select(SyncTask.kind).where(col(SyncTask.requested_at).is_not(None)))).all()

    assert [tuple(row) for row in interest] == [("CREATED", "SUBSCRIBED")]
    assert asked == ["SETUP"]


async def test_a_cursor_brings_at_once_what_came_since_and_then_what_comes(world, instance, place):
    runtime = world.runtime
    await change(runtime, place, "a")
    after = await cursor(runtime)
    await change(runtime, place, "b", "c")
    # Another baseline is being taken: what is in the log can be told all the same.
    await write(runtime, SyncGeneration, baseline_at=None)

    async with aclosing(follow(runtime, world.acme, instance, after=after)) as stream:
        missed = await following(stream)
        await change(runtime, place, "d")
        live = await following(stream)

    assert (ids(missed), ids(live)) == (["b", "c"], ["d"])


async def test_a_cursor_after_which_nothing_came_gets_an_empty_batch_once_the_baseline_stands(world, instance):
    runtime = world.runtime
    place = await baseline(runtime, instance, stands=False)
    await change(runtime, place, "a")
    after = await cursor(runtime)
    async with aclosing(follow(runtime, world.acme, instance, after=after)) as stream:
        async with quiet(stream) as waiting:
            await write(runtime, SyncGeneration, baseline_at=runtime.clock.now())
            first = await waiting
        await change(runtime, place, "b")

        assert (first.events, first.cursor) == ((), after)
        assert ids(await following(stream)) == ["b"]


async def test_every_resumption_at_any_event_gets_exactly_what_follows_it(world, instance, place):
    runtime = world.runtime
    names = [f"{number}" for number in range(8)]
    async with aclosing(follow(runtime, world.acme, instance)) as stream:
        first = await following(stream)
        cursors = [first.cursor]
        for pair in zip(names[::2], names[1::2], strict=True):
            await change(runtime, place, *pair)
            batch = await following(stream)
            cursors += [batch.cursor_after(event) for event in batch.events]

    for number, after in enumerate(cursors[:-1]):
        async with aclosing(follow(runtime, world.acme, instance, after=after)) as stream:
            assert ids(await following(stream)) == names[number:]


async def test_between_subscribing_and_reading_no_change_is_lost(world, instance):
    runtime = world.runtime
    place = await baseline(runtime, instance, stands=False)
    app: list[str] = []
    told: list[str] = []

    async def change_all_the_time() -> None:
        for number in range(40):
            app.append(f"{number:02}")
            if number == 10:
                await write(runtime, SyncGeneration, baseline_at=runtime.clock.now())
            await change(runtime, place, f"{number:02}", is_silent=number < 10)
            await asyncio.sleep(0.01)

    changing = asyncio.ensure_future(change_all_the_time())
    async with aclosing(follow(runtime, world.acme, instance)) as stream:
        assert (await following(stream)).events == ()
        read = list(app)
        while "39" not in (*read, *told):
            told += ids(await following(stream))
    await changing

    assert sorted({*read, *told}) == [f"{number:02}" for number in range(40)]
    assert told == sorted(set(told)), "each change once, and in order"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (SyncGeneration, {"pointer": {"key": "tasks", "parameters": {}}}),
        (SyncState, {"instance_generation": 0}),
        (SyncState, {"generation": 2}),
        (SyncGeneration, {"baseline_at": None}),
    ],
    ids=["pointed elsewhere", "revived", "without its generation", "no baseline"],
)
async def test_a_baseline_that_another_one_is_about_to_replace_does_not_count(world, instance, place, table, values):
    await write(world.runtime, table, **values)
    async with aclosing(follow(world.runtime, world.acme, instance)) as stream:
        async with quiet(stream) as waiting:
            waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_baseline_of_interest_that_had_lapsed_counts_once_it_is_taken_up_again(world, instance, place):
    runtime = world.runtime
    await write(runtime, SyncState, lapsed_at=runtime.clock.now())
    async with aclosing(follow(runtime, world.acme, instance)) as stream, quiet(stream) as waiting:
        await write(runtime, SyncState, lapsed_at=None)

        assert (await waiting).events == ()


async def test_all_who_follow_the_same_share_each_batch(world, instance, place):
    followers = [follow(world.runtime, world.acme, instance) for _ in range(50)]
    await asyncio.gather(*(following(each) for each in followers))
    waiting = [asyncio.ensure_future(following(each)) for each in followers]
    await asyncio.sleep(0.1)
    await change(world.runtime, place, "a")
    batches = await asyncio.gather(*waiting)
    await asyncio.gather(*(each.aclose() for each in followers))

    assert {id(batch) for batch in batches} == {id(batches[0])}


async def test_a_connection_brings_the_changes_of_all_its_instances(world, instance, place):
    runtime = world.runtime
    other = await given.instance(runtime, world.acme, world.connection, instance_key="second")
    second = await baseline(runtime, other, stands=False)
    of_acme = ConnectionSelector(id=world.connection.id)
    stream = streams.connection_records_changed(runtime, world.acme, by=of_acme, types=None, after=None)
    async with aclosing(stream):
        async with quiet(stream) as waiting:
            await write(runtime, SyncGeneration, baseline_at=runtime.clock.now())
            assert (await waiting).events == ()
        await change(runtime, place, "a")
        assert ids(await following(stream)) == ["a"]
        await change(runtime, second, "b")
        assert ids(await following(stream)) == ["b"]


async def test_an_instance_that_cannot_be_synced_keeps_nobody_from_the_others_of_its_connection(world, instance, place):
    runtime = world.runtime
    await data_source_instances.archive(
        runtime, world.acme, by=by(await given.instance(runtime, world.acme, world.connection, instance_key="b"))
    )
    await given.definition(runtime, "nowhere", udm=None)
    await given.instance(runtime, world.acme, world.connection, "nowhere")
    of_acme = ConnectionSelector(id=world.connection.id)
    async with aclosing(streams.connection_records_changed(runtime, world.acme, by=of_acme, types=None, after=None)) as stream:
        assert (await following(stream)).events == ()
    async with runtime.database.read(SYSTEM) as session:
        assert set(await session.exec(select(EventSubscription.instance_id))) == {instance.id}


async def test_an_instance_that_is_new_is_followed_too(world, instance, place):
    runtime = world.runtime

    async def ask() -> standing.Standing:
        return await standing.of_connection(runtime, world.acme, world.connection.id)

    async with ChangeStream(runtime, Topic(connection_id=world.connection.id), key="test", ask=ask, check_seconds=0.2) as stream:
        batches = stream.batches(None)
        await following(batches)
        new = await given.instance(runtime, world.acme, world.connection, instance_key="new")
        waiting = asyncio.ensure_future(following(batches))
        interested: set[Any] = set()
        while new.id not in interested:
            await asyncio.sleep(0.05)
            async with runtime.database.read(SYSTEM) as session:
                interested = set(await session.exec(select(EventSubscription.instance_id)))
        await change(runtime, place, "a")
        assert ids(await waiting) == ["a"]
        await batches.aclose()


async def test_what_keeps_an_instance_from_being_synced_ends_its_stream(world, instance, place):
    runtime, stream = world.runtime, follow(world.runtime, world.acme, instance)
    archived = await given.instance(runtime, world.acme, world.connection, instance_key="archived")
    await data_source_instances.archive(runtime, world.acme, by=by(archived))
    await given.definition(runtime, "nowhere", udm=None)
    nowhere = await given.instance(runtime, world.acme, world.connection, "nowhere")

    assert type(await ended(follow(runtime, world.acme, nowhere))) is NoCollectionSelectedError
    told = await ended(follow(runtime, world.acme, archived))
    assert (type(told), str(told)) == (InvalidError, "The instance is archived. Restore it first.")
    await write(runtime, Connection, error={"code": "UPSTREAM_AUTH", "message": "The app refused the credentials. Connect again."})
    told = await ended(stream)
    assert (type(told), str(told)) == (UpstreamAuthError, "The app refused the credentials. Connect again.")
    async with runtime.database.read(SYSTEM) as session:
        assert (await session.exec(select(EventSubscription.id))).all() == []


async def test_a_stream_that_runs_ends_once_its_instance_can_no_longer_be_synced(world, instance, place):
    runtime = world.runtime

    async def ask() -> standing.Standing:
        return await standing.of_instance(runtime, world.acme, instance.id)

    async with ChangeStream(runtime, Topic(instance_id=instance.id), key="test", ask=ask, check_seconds=0.2) as stream:
        batches = stream.batches(None)
        await following(batches)
        await data_source_instances.archive(runtime, world.acme, by=by(instance))

        assert str(await ended(batches)) == "The instance is archived. Restore it first."


async def test_a_stream_goes_on_when_it_cannot_be_checked(world, instance, place):
    runtime, asked = world.runtime, 0

    async def ask() -> standing.Standing:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise ConnectionResetError
        return await standing.of_instance(runtime, world.acme, instance.id)

    async with ChangeStream(runtime, Topic(instance_id=instance.id), key="test", ask=ask, check_seconds=0.1) as stream:
        batches = stream.batches(await cursor(runtime))
        waiting = asyncio.ensure_future(following(batches))
        while asked < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await change(runtime, place, "a")

        assert ids(await waiting) == ["a"]
        await batches.aclose()


async def test_nobody_follows_what_is_anothers_or_is_not_there(world, instance, place):
    runtime = world.runtime
    stranger = await given.customer(runtime, "stranger")
    of_acme = ConnectionSelector(id=world.connection.id)
    nothing = {"types": None, "after": None}
    run = SyncRun(instance_id=instance.id, customer_id=instance.customer_id, kind="FULL_SYNC", created_at=runtime.clock.now())
    async with runtime.database.write(SYSTEM) as session:
        session.add(run)

    for principal, error in ((stranger, NotFoundError), (ANONYMOUS, NotAuthenticatedError)):
        assert type(await ended(follow(runtime, principal, instance))) is error
        assert type(await ended(streams.connection_records_changed(runtime, principal, by=of_acme, **nothing))) is error
        assert type(await ended(streams.data_source_instance_changed(runtime, principal, by=by(instance)))) is error
        assert type(await ended(streams.sync_run_progressed(runtime, principal, id=run.id))) is error
    assert type(await ended(streams.sync_run_progressed(runtime, SYSTEM, id=uuid4()))) is NotFoundError
    async with aclosing(follow(runtime, SYSTEM, instance)) as stream:
        assert (await following(stream)).events == ()


DAMAGED = ["", "x", "-1", "." * 100_000, "0" * 32, f"{'0' * 32}.-1", f"{'0' * 32}.{'9' * 40}", "½" * 32, "\x00"]


@pytest.mark.parametrize("shown", ["the first frame", "the first frame after a cursor", "the end of the log"])
async def test_whoever_is_shown_how_far_changes_are_known_is_given_no_record_from_before(shown, world, instance, place):
    # What that means to reads of apps, their tests hold.
    runtime, asking = world.runtime.for_operation(), world.runtime.for_operation()
    before = asking.operation.era.count
    if shown == "the end of the log":
        await change_events.log_end(runtime, world.acme)
    else:
        after = await cursor(runtime) if "after" in shown else None
        async with aclosing(follow(runtime, world.acme, instance, after=after)) as stream:
            await following(stream)

    assert asking.operation.era.count > before


async def test_a_damaged_cursor_is_refused(world, instance, place):
    for text in DAMAGED:
        told = await ended(follow(world.runtime, world.acme, instance, after=text))

        assert (type(told), getattr(told, "field", None)) == (InvalidError, ["after"])
        assert len(str(told)) < 300


async def test_a_cursor_of_another_log_beyond_the_end_or_below_the_floor_has_expired(world, instance, place):
    runtime = world.runtime
    await change(runtime, place, "a", "b", "c")
    present = await cursor(runtime)
    log_id = present.partition(".")[0]
    await write(runtime, EventLog, floor=2)

    for text in (f"{uuid4().hex}.2", f"{log_id}.4", f"{log_id}.1"):
        told = await ended(follow(runtime, world.acme, instance, after=text))
        assert (type(told), getattr(told, "field", None)) == (CursorExpiredError, ["after"])
    async with aclosing(follow(runtime, world.acme, instance, after=f"{log_id}.2")) as stream:
        assert ids(await following(stream)) == ["c"]


async def test_no_type_at_all_is_refused(world, instance, place):
    told = await ended(follow(world.runtime, world.acme, instance, types=[]))

    assert (type(told), str(told)) == (InvalidError, "No type of change is named. Name one, or leave `types` out for all.")


async def test_an_instance_is_told_now_and_when_it_or_what_it_hangs_on_has_changed(world, instance, place):
    runtime = world.runtime
    async with aclosing(streams.data_source_instance_changed(runtime, world.acme, by=by(instance))) as stream:
        assert (await following(stream)).pull_updates_interval_seconds is None
        await data_source_instances.update(runtime, world.acme, by=by(instance), pull_updates_interval_seconds=120)
        assert (await following(stream)).pull_updates_interval_seconds == 120
        await write(runtime, DataSource, full_sync_interval_seconds=7_200, revision=DataSource.revision + 1)
        assert (await following(stream)).id == instance.id
        owner = {"instance_id": instance.id, "customer_id": instance.customer_id}
        now = runtime.clock.now()
        async with runtime.database.write(SYSTEM) as session:
            session.add(EventSubscription(**owner, type="CREATED", created_at=now, updated_at=now))
        assert (await following(stream)).id == instance.id
        await data_source_instances.archive(runtime, world.acme, by=by(instance))
        assert (await following(stream)).archived_at is not None


async def test_an_instance_that_has_not_changed_is_told_once_however_often_the_bell_rings(world, instance, place):
    async with aclosing(streams.data_source_instance_changed(world.runtime, world.acme, by=by(instance))) as stream:
        await following(stream)
        waiting = asyncio.ensure_future(following(stream))
        for number in range(5):
            await change(world.runtime, place, f"{number}")
            await asyncio.sleep(0.1)
        assert not waiting.done()
        await data_source_instances.update(world.runtime, world.acme, by=by(instance), pointer=PointerInput(key="people"))
        assert (await waiting).pointer == {"key": "people", "parameters": {}}


async def test_a_run_is_told_as_it_gets_on_until_it_is_completed(world, instance):
    runtime = world.runtime
    run = SyncRun(instance_id=instance.id, customer_id=instance.customer_id, kind="FULL_SYNC", created_at=runtime.clock.now())
    async with runtime.database.write(SYSTEM) as session:
        session.add(run)
    told = []
    async with aclosing(streams.sync_run_progressed(runtime, world.acme, id=run.id)) as stream:
        told.append(await following(stream))
        await write(runtime, SyncRun, status="IN_PROGRESS", page_count=1)
        told.append(await following(stream))
        await write(runtime, SyncRun, status="COMPLETED", conclusion="SUCCESS", page_count=2)
        told += [row async for row in stream]

    assert [(row.status, row.page_count) for row in told] == [("QUEUED", 0), ("IN_PROGRESS", 1), ("COMPLETED", 2)]
