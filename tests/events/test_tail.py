"""Whoever listens gets every change of its topic once and in order, from memory or from the log, and shares what is read."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, delete, update

from gateway.errors import CursorExpiredError
from gateway.events import log
from gateway.events.batches import Batch
from gateway.events.bell import Bell
from gateway.events.cursors import cursor_of
from gateway.events.log import LogMeta, Topic
from gateway.events.observations import ObservedPlace
from gateway.events.shared_bell import SharedBell
from gateway.events.tail import Listener, Tail
from gateway.models import ChangeType, Event, EventLog
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from gateway.storage.faults import UNREACHABLE
from tests.events.observing import events, followed, record, seen, tell
from tests.support.chaos_proxy import chaos_proxy
from tests.support.database import recorded_statements
from tests.support.postgres import packaged_binaries, started, system_binaries

LONG = 30.0


@asynccontextmanager
async def following(database: Database, **limits: float) -> AsyncIterator[tuple[Tail, Bell]]:
    """The tail of a process, at work, and the bell that wakes it."""
    bell = Bell()
    tail = Tail(database, bell, **limits)
    at_work = asyncio.ensure_future(tail.run())
    yield tail, bell
    at_work.cancel()
    await asyncio.gather(at_work, return_exceptions=True)
    await tail.close()


async def create(database: Database, place: ObservedPlace, *ids: str, bell: Bell | None = None, **fields: Any) -> None:
    """Records that appear in the app, seen in this order."""
    await tell(database, place, seen(*(record(name, **fields) for name in ids)))
    if bell is not None:
        bell.ring()


async def taken(listener: Listener, count: int) -> list[Batch]:
    """The batches that bring at least so many events."""
    batches: list[Batch] = []
    while sum(len(batch.events) for batch in batches) < count:
        batch = await listener.next(seconds=LONG)
        assert batch is not None
        batches.append(batch)
    return batches


def ids_of(batches: list[Batch]) -> list[str]:
    return [event.record_id for batch in batches for event in batch.events]


def topic_of(place: ObservedPlace, *types: ChangeType) -> Topic:
    return Topic(instance_id=place.instance_id, **({"types": frozenset(types)} if types else {}))


async def end_of(database: Database) -> int:
    async with database.read(SYSTEM) as session:
        return (await log.log_meta(session)).end


async def test_each_topic_gets_its_own_changes_in_order(database):
    mine, other = await followed(database, 2)
    async with following(database) as (tail, bell), AsyncExitStack() as stack:
        topics = (
            topic_of(mine),
            topic_of(other),
            topic_of(mine, ChangeType.DELETED),
            Topic(connection_id=mine.connection_id),
            Topic(),
        )
        listeners = [await stack.enter_async_context(tail.subscribed(topic, 0)) for topic in topics]
        await create(database, mine, "a", "b", bell=bell)
        await create(database, other, "x", bell=bell)
        await tell(database, mine, seen(gone=["a"]))
        bell.ring()

        told = [ids_of(await taken(listener, count)) for listener, count in zip(listeners, (3, 1, 1, 4, 4), strict=True)]

    assert told == [["a", "b", "a"], ["x"], ["a"], ["a", "b", "x", "a"], ["a", "b", "x", "a"]]


async def test_what_came_before_is_read_from_the_log_and_what_comes_later_follows_without_a_gap(database):
    (place,) = await followed(database)
    await create(database, place, *(f"{number:04}" for number in range(250)))
    async with following(database) as (tail, bell), tail.subscribed(topic_of(place), 100) as listener:
        before = await taken(listener, 150)
        await create(database, place, "later", bell=bell)
        after = await taken(listener, 1)

    assert ids_of(before) == [f"{number:04}" for number in range(100, 250)]
    assert [(batch.start, batch.end) for batch in before] == [(100, 200), (200, 250)]
    assert ids_of(after) == ["later"]
    assert [after[0].start, after[0].end] == [250, 251]


async def test_a_change_without_a_ring_is_found_all_the_same(database):
    (place,) = await followed(database)
    async with following(database) as (tail, _), tail.subscribed(topic_of(place), 0) as listener:
        await listener.next(seconds=0.1)
        await create(database, place, "a")

        assert ids_of(await taken(listener, 1)) == ["a"]


async def test_all_who_listen_to_the_same_share_one_reading_and_one_batch(database):
    (place,) = await followed(database)
    async with following(database) as (tail, bell), AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(1_000)]
        waiting = [asyncio.ensure_future(listener.next(seconds=LONG)) for listener in listeners]
        await asyncio.sleep(0.2)
        await create(database, place, "a", "b")
        with recorded_statements(database) as statements:
            bell.ring()
            batches = await asyncio.gather(*waiting)

    assert {id(batch) for batch in batches} == {id(batches[0])}
    assert ids_of(batches[:1]) == ["a", "b"]
    reads = [statement for statement in statements if "FROM event " in statement.replace("\n", " ")]
    assert len(reads) <= 2, "each listener read for itself"


async def test_all_who_come_back_with_the_same_cursor_share_one_page(database):
    (place,) = await followed(database)
    await create(database, place, *(f"{number:04}" for number in range(150)))
    async with following(database) as (tail, _), AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(tail.subscribed(topic_of(place), 20)) for _ in range(200)]
        batches = await asyncio.gather(*(listener.next(seconds=LONG) for listener in listeners))

    assert {id(batch) for batch in batches} == {id(batches[0])}
    assert [batches[0].events[0].pos, batches[0].end] == [21, 120]


async def test_whoever_comes_back_to_the_middle_of_a_batch_gets_the_rest_of_it(database):
    (place,) = await followed(database)
    async with following(database) as (tail, bell), tail.subscribed(topic_of(place), 0) as first:
        await first.next(seconds=0.1)
        await create(database, place, "a", "b", "c", bell=bell)
        whole = (await taken(first, 3))[0]
        async with tail.subscribed(topic_of(place), whole.events[0].pos) as second:
            rest = await second.next(seconds=LONG)

    assert rest is not None
    assert ids_of([rest]) == ["b", "c"]
    assert (rest.start, rest.end) == (whole.events[0].pos, whole.end)


async def test_a_slow_listener_is_served_from_the_log_once_memory_has_let_go(database):
    (place,) = await followed(database)
    async with following(database, kept_events=30) as (tail, bell), AsyncExitStack() as stack:
        slow, fast = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(2)]
        for number in range(20):
            await create(database, place, *(f"{number:02}-{index}" for index in range(10)), bell=bell)
            await taken(fast, 10)
        with recorded_statements(database) as statements:
            late = await taken(slow, 200)

    assert ids_of(late) == [f"{number:02}-{index}" for number in range(20) for index in range(10)]
    pages = [statement for statement in statements if "event.pos <=" in statement]
    assert len(pages) == 2, "one page of a hundred, and the rest up to where memory begins"


async def test_memory_is_bounded_by_bytes_too(database):
    (place,) = await followed(database)
    async with following(database, kept_bytes=100_000) as (tail, bell), AsyncExitStack() as stack:
        slow, fast = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(2)]
        for number in range(20):
            await create(database, place, f"{number:02}", bell=bell, text="x" * 30_000)
            await taken(fast, 1)
        with recorded_statements(database) as statements:
            late = await taken(slow, 20)

    assert ids_of(late) == [f"{number:02}" for number in range(20)]
    assert [statement for statement in statements if "event.pos <=" in statement] != []


@pytest.mark.parametrize("kept_bytes", [0, 10_000_000], ids=["from the log", "from memory"])
async def test_large_bodies_are_read_a_few_at_a_time(database, kept_bytes):
    (place,) = await followed(database)
    await create(database, place, "before", text="x" * 30_000)
    async with following(database, read_bytes=50_000, kept_bytes=kept_bytes) as (tail, bell), AsyncExitStack() as stack:
        prompt, late = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(2)]
        batches = await taken(prompt, 1)
        await create(database, place, *(f"{number}" for number in range(5)), text="x" * 30_000)
        await create(database, place, "small", "last", bell=bell)
        batches += await taken(prompt, 7)
        batches_of_late = await taken(late, 8)

    for told in (batches, batches_of_late):
        assert ids_of(told) == ["before", "0", "1", "2", "3", "4", "small", "last"]
        assert all(batch.weight < 50_000 + 31_000 for batch in told)
        assert [batch.start for batch in told[1:]] == [batch.end for batch in told[:-1]]


async def test_whoever_listens_to_a_log_that_another_one_replaces_is_told_so(database):
    (place,) = await followed(database)
    async with following(database, identity_seconds=0.1) as (tail, bell), AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(2)]
        await create(database, place, "a", bell=bell)
        for listener in listeners:
            await taken(listener, 1)
        async with database.write(SYSTEM) as session:
            await session.exec(update(EventLog).values(log_id=uuid4()))
        for listener in listeners:
            with pytest.raises(CursorExpiredError, match="another one than before"):
                await listener.next(seconds=LONG)

        async with tail.subscribed(topic_of(place), 1) as anew:
            await create(database, place, "b", bell=bell)
            assert ids_of(await taken(anew, 1)) == ["b"]
            await stack.aclose()
            await create(database, place, "c", bell=bell)
            assert ids_of(await taken(anew, 1)) == ["c"]


async def test_whoever_listens_to_a_log_that_has_forgotten_what_was_told_is_told_so(database):
    (place,) = await followed(database)
    async with following(database, identity_seconds=0.1) as (tail, bell), tail.subscribed(topic_of(place), 0) as listener:
        await create(database, place, "a", "b", bell=bell)
        await taken(listener, 2)
        async with database.write(SYSTEM) as session:
            await session.exec(delete(Event).where(col(Event.pos) == 2))

        with pytest.raises(CursorExpiredError, match="another one than before"):
            await listener.next(seconds=LONG)


async def test_a_listener_that_falls_behind_what_is_kept_is_told_so(database):
    (place,) = await followed(database)
    async with following(database, kept_events=2) as (tail, bell), AsyncExitStack() as stack:
        slow, fast = [await stack.enter_async_context(tail.subscribed(topic_of(place), 0)) for _ in range(2)]
        for number in range(5):
            await create(database, place, f"{number}", bell=bell)
            await taken(fast, 1)
        async with database.write(SYSTEM) as session:
            await session.exec(update(EventLog).values(floor=2))
            await session.exec(delete(Event).where(col(Event.pos) <= 2))

        with pytest.raises(CursorExpiredError) as caught:
            await slow.next(seconds=LONG)

    assert caught.value.message == "Changes after this cursor have been pruned. Read the records again, then subscribe anew."


async def test_a_listener_of_a_quiet_topic_keeps_up_with_the_log(database):
    quiet, busy = await followed(database, 2)
    async with following(database) as (tail, bell), AsyncExitStack() as stack:
        listener = await stack.enter_async_context(tail.subscribed(topic_of(quiet), 0))
        other = await stack.enter_async_context(tail.subscribed(topic_of(busy), 0))
        await create(database, busy, *(f"{number}" for number in range(10)), bell=bell)
        await taken(other, 10)

        assert await listener.next(seconds=0.05) is None
        assert listener.position == 10
        assert not listener._feed._waiting


async def test_a_change_that_comes_at_the_moment_at_which_the_waiting_ends_is_not_passed_over(database):
    (place,) = await followed(database)
    await create(database, place, "a")
    recorded = await events(database)
    tail, loop = Tail(database, Bell()), asyncio.get_running_loop()
    async with tail.subscribed(topic_of(place), 0) as listener:
        tail._begin(LogMeta(log_id=uuid4(), floor=0, end=0))
        waiting = asyncio.ensure_future(listener.next(seconds=0.001))
        await asyncio.sleep(0)
        loop.call_later(0.001, partial(tail._give, recorded, after=0))
        # Both are due by then, and run in one turn of the loop: the end of the waiting first.
        time.sleep(0.01)  # noqa: ASYNC251 - so that both are due
        batches = [await waiting, await listener.next(seconds=0.001)]

    assert ids_of([batch for batch in batches if batch is not None]) == ["a"]


async def test_after_everybody_has_left_the_next_one_begins_anew_without_missing_anything(database):
    (place,) = await followed(database)
    async with following(database) as (tail, bell):
        async with tail.subscribed(topic_of(place), 0) as listener:
            await create(database, place, "a", bell=bell)
            await taken(listener, 1)
        await create(database, place, "b", bell=bell)
        async with tail.subscribed(topic_of(place), 1) as listener:
            await create(database, place, "c", bell=bell)

            assert ids_of(await taken(listener, 2)) == ["b", "c"]
        assert not tail._kept


async def test_what_was_read_for_those_who_left_meanwhile_is_not_taken_for_what_comes_next(database):
    (place,) = await followed(database)
    tail = Tail(database, Bell())
    async with tail.subscribed(topic_of(place), 0):
        await tail._advance()
        await create(database, place, "a")
        reading = asyncio.ensure_future(tail._advance())
        await asyncio.sleep(0)
    async with tail.subscribed(topic_of(place), 0) as listener:
        await reading
        while tail.position is None:
            await tail._advance()

        assert ids_of(await taken(listener, 1)) == ["a"]
    await tail.close()


async def test_many_changes_at_once_come_in_batches_that_follow_each_other(database):
    (place,) = await followed(database)
    async with following(database) as (tail, bell), tail.subscribed(topic_of(place), 0) as listener:
        await listener.next(seconds=0.1)
        await create(database, place, *(f"{number:03}" for number in range(250)), bell=bell)
        batches = await taken(listener, 250)

    assert ids_of(batches) == [f"{number:03}" for number in range(250)]
    assert [(batch.start, batch.end) for batch in batches] == [(0, 100), (100, 200), (200, 250)]


async def test_cursors_say_which_log_they_are_of(database):
    (place,) = await followed(database)
    async with following(database) as (tail, bell), tail.subscribed(topic_of(place), 0) as listener:
        await create(database, place, "a", "b", bell=bell)
        batches = await taken(listener, 2)
    async with database.read(SYSTEM) as session:
        log_id = (await log.log_meta(session)).log_id

    assert batches[-1].cursor == cursor_of(log_id, 2)
    assert batches[0].cursor_after(batches[0].events[0]) == cursor_of(log_id, 1)


async def test_nothing_is_lost_or_told_twice_while_many_write_and_listeners_come_and_go(database):
    places = await followed(database, 4)

    async def write(place: ObservedPlace, bell: Bell) -> None:
        for number in range(25):
            await create(database, place, f"{number:02}-a", f"{number:02}-b", bell=bell)
            await asyncio.sleep(0)

    async def listen(tail: Tail, place: ObservedPlace) -> list[str]:
        position, got = 0, []
        while len(got) < 50:
            async with tail.subscribed(topic_of(place), position) as listener:
                for batch in await taken(listener, min(3, 50 - len(got))):
                    got += [event.record_id for event in batch.events]
                position = listener.position
        return got

    async with following(database, kept_events=20) as (tail, bell):
        listening = [asyncio.ensure_future(listen(tail, place)) for place in places for _ in range(2)]
        await asyncio.gather(*(write(place, bell) for place in places))
        told = await asyncio.gather(*listening)

    expected = [f"{number:02}-{letter}" for number in range(25) for letter in "ab"]
    assert told == [expected] * 8


async def test_a_database_that_breaks_off_goes_silent_or_is_away_for_a_while_delays_changes_and_loses_none(postgres_server):
    async with postgres_server.migrated_database() as direct_url, chaos_proxy(direct_url) as (proxy, url):
        direct, through = Database.connect(direct_url), Database.connect(url)
        (place,) = await followed(direct)
        async with following(through, read_seconds=0.5) as (tail, bell), tail.subscribed(topic_of(place), 0) as listener:
            await create(direct, place, "a", bell=bell)
            told = await taken(listener, 1)

            proxy.drop()
            await create(direct, place, "b", bell=bell)
            told += await taken(listener, 1)

            proxy.silence()
            await create(direct, place, "c", bell=bell)
            told += await taken(listener, 1)

            proxy.go_down()
            await create(direct, place, "d", bell=bell)
            await asyncio.sleep(0.5)
            proxy.come_back()
            told += await taken(listener, 1)
        await through.close()
        await direct.close()

    assert ids_of(told) == ["a", "b", "c", "d"]


@pytest.mark.long
async def test_a_server_that_was_killed_and_started_again_is_followed_on_over_both_links():
    # Durable: one that forgets commits gives out their positions again, and nobody can follow that.
    with started(system_binaries() or packaged_binaries(), is_durable=True) as server:
        async with server.migrated_database() as url:
            database = Database.connect(url)
            (place,) = await followed(database)
            bell, other = SharedBell(database.engine), SharedBell(database.engine)
            tail = Tail(database, bell)
            at_work = [asyncio.ensure_future(work) for work in (bell.run(), other.run(), tail.run())]
            async with tail.subscribed(topic_of(place), 0) as listener:
                await create(database, place, "a", bell=other)
                told = await taken(listener, 1)

                await asyncio.to_thread(server.restart)
                while not told[1:]:
                    with suppress(*UNREACHABLE):
                        await create(database, place, "b", bell=other)
                        told += await taken(listener, 1)
                seen = bell.count
                while bell.count == seen:
                    other.ring()
                    await asyncio.sleep(0.1)
            for task in at_work:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)
            await database.close()

    assert ids_of(told) == ["a", "b"]
