"""One order of all events: nothing appears behind a reader, and a position says where to go on."""

import asyncio
import random
from uuid import UUID

import pytest

from gateway.errors import CursorExpiredError, InvalidError
from gateway.events import log
from gateway.events.cursors import Cursor, cursor_of, parse_cursor
from gateway.events.log import EVERY_TYPE, LogMeta, RecordedEvent, Topic
from gateway.events.observations import ObservedPlace, observe
from gateway.models import ChangeType, EventMethod
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import NOW, events, followed, record, seen, tell

LOG = UUID(int=7)
DELETED = frozenset({ChangeType.DELETED})
WRITERS, COMMITS = 16, 12


async def write_slowly(database: Database, place: ObservedPlace, number: int) -> None:
    """Commits of one to three events, which stay open for a moment after their events have positions."""
    shuffled = random.Random(number)
    for commit in range(COMMITS):
        records = [record(f"{commit}-{each}") for each in range(shuffled.randint(1, 3))]
        async with database.write(SYSTEM) as session:
            await observe(session, place=place, observations=seen(*records), since_tick=10**9, method=EventMethod.PULL, now=NOW)
            await asyncio.sleep(shuffled.random() / 200)


async def follow(database: Database, done: asyncio.Event) -> list[RecordedEvent]:
    """What a reader gets that only ever asks for what comes after its last event."""
    found: list[RecordedEvent] = []
    while True:
        is_last = done.is_set()
        new = await events(database, after_pos=found[-1].pos if found else 0)
        found += new
        if is_last and not new:
            return found
        await asyncio.sleep(0)


async def test_a_reader_misses_nothing_of_sixteen_writers_and_sees_it_in_order(database: Database):
    places = await followed(database, WRITERS)
    done = asyncio.Event()
    reader = asyncio.create_task(follow(database, done))

    await asyncio.gather(*(write_slowly(database, place, number) for number, place in enumerate(places)))
    done.set()
    read = await reader

    written = await events(database)
    assert len(written) >= WRITERS * COMMITS
    assert [event.pos for event in read] == [event.pos for event in written] == sorted({event.pos for event in written})
    for place in places:
        own = [event.seq for event in read if event.instance_id == place.instance_id]
        assert own == list(range(1, len(own) + 1))


async def test_a_topic_has_the_events_of_its_instance_connection_and_types(database: Database):
    first, second = await followed(database, 2)
    await tell(database, first, seen(record("a"), record("b")))
    await tell(database, second, seen(record("c")))
    await tell(database, first, seen(gone=["a"]))
    positions = [event.pos for event in await events(database)]

    async def ids(topic: Topic, **options: int) -> list[str]:
        return [event.record_id for event in await events(database, topic, **options)]

    assert await ids(Topic(instance_id=first.instance_id)) == ["a", "b", "a"]
    assert await ids(Topic(connection_id=first.connection_id)) == ["a", "b", "c", "a"]
    assert await ids(Topic(types=DELETED)) == ["a"]
    assert await ids(Topic(instance_id=second.instance_id, types=DELETED)) == []
    assert await ids(Topic(), after_pos=positions[1], up_to=positions[2]) == ["c"]
    assert await ids(Topic(instance_id=first.instance_id), first=2) == ["a", "b"]
    async with database.read(SYSTEM) as session:
        found = await log.by_positions(session, [positions[3], 10**6])
    assert {pos: event.type for pos, event in found.items()} == {positions[3]: ChangeType.DELETED}
    everything = await events(database)
    for topic in (Topic(), Topic(types=DELETED), Topic(instance_id=second.instance_id), Topic(connection_id=LOG)):
        assert [event for event in everything if topic.has(event)] == await events(database, topic)


async def test_the_first_events_of_each_of_many_instances_are_read_and_counted_together(database: Database):
    first, *_, last = places = await followed(database, 101)
    for number in range(2):
        await tell(database, last, seen(record(f"a{number}"), record(f"b{number}")))
        await tell(database, first, seen(record("c"), gone=["c"] if number else []))
    ids = [place.instance_id for place in places]
    start = (await events(database, first=1))[0].pos

    async with database.read(SYSTEM) as session:
        found = await log.of_each(session, instance_ids=ids, types=EVERY_TYPE, after_pos=start, first=2)
        deleted = await log.of_each(session, instance_ids=ids, types=DELETED, after_pos=0, first=2)
        counted = await log.counts(session, instance_ids=ids, types=EVERY_TYPE)

    assert list(found) == ids
    for page, types in ((found, EVERY_TYPE), (deleted, DELETED)):
        after = start if page is found else 0
        for place in (first, last):
            topic = Topic(instance_id=place.instance_id, types=types)
            assert page[place.instance_id] == await events(database, topic, after_pos=after, first=2)
    assert sum(map(len, deleted.values())) == 1
    assert (counted[first.instance_id], counted[last.instance_id], counted[ids[1]]) == (2, 4, 0)


async def test_the_end_of_the_log_is_where_its_last_event_stands(database: Database):
    (place,) = await followed(database)
    async with database.read_once(SYSTEM) as session:
        empty = await log.log_meta(session)
    await tell(database, place, seen(record("a"), record("b")))
    async with database.read_once(SYSTEM) as session:
        meta = await log.log_meta(session)

    assert (empty.floor, empty.end) == (0, 0)
    assert meta == LogMeta(log_id=empty.log_id, floor=0, end=(await events(database))[-1].pos)


@pytest.mark.parametrize("pos", [0, 1, 17, 2**63 - 1])
def test_a_cursor_is_text_that_comes_back(pos: int):
    assert parse_cursor(cursor_of(LOG, pos)) == Cursor(log_id=LOG, pos=pos)


@pytest.mark.parametrize(
    "text",
    ["", "7", ".", f"{LOG.hex}", f"{LOG.hex}.", f"{LOG.hex}.-1", f"{LOG.hex}.01", f"{LOG.hex}.1\n", f"{LOG.hex}.{2**63}", f"{LOG}.1",
     f"{LOG.hex}.١", f"{LOG.hex}.1.1", "x" * 1_000_000, f"{LOG.hex}." + "9" * 5_000, "\ud800", "\x00"],
    ids=range(16),
)  # fmt: skip
def test_a_damaged_cursor_is_refused_by_its_field(text: str):
    with pytest.raises(InvalidError, match=r"^The cursor is damaged\. ") as caught:
        parse_cursor(text, field=["input", "after"])

    assert caught.value.field == ["input", "after"]
    assert len(caught.value.message) < 200


def test_a_cursor_is_good_from_the_floor_to_the_end_of_its_own_log():
    meta = LogMeta(log_id=LOG, floor=5, end=9)

    assert [meta.position_of(cursor_of(LOG, pos)) for pos in (5, 9)] == [5, 9]
    for expired in (cursor_of(LOG, 4), cursor_of(LOG, 10), cursor_of(UUID(int=8), 7)):
        with pytest.raises(CursorExpiredError) as caught:
            meta.position_of(expired)
        assert caught.value.field == ["after"]
