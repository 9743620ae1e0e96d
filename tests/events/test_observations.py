"""What is seen of records becomes the snapshot, and events that tell the difference."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from gateway.errors import GenerationChangedError
from gateway.events import bodies, log
from gateway.events.log import Topic
from gateway.events.observations import Observed, observe, tick_of
from gateway.models import ChangeType, EventMethod, Record
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import NOW, events, followed, record, seen, snapshot, tell, told
from tests.support.database import recorded_statements


async def test_differences_are_told_in_the_order_in_which_they_were_seen(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("b", n=1), record("a", n=1)))

    observed = await tell(database, place, seen(record("c", n=1), record("a", n=2), record("x", n=1), gone=["b", "never"]))

    assert (observed.event_count, observed.changed_count, observed.stale_ids) == (4, 5, ())
    found = await events(database)
    assert [(event.seq, event.type, event.record_id) for event in found] == [
        (1, ChangeType.CREATED, "b"),
        (2, ChangeType.CREATED, "a"),
        (3, ChangeType.CREATED, "c"),
        (4, ChangeType.UPDATED, "a"),
        (5, ChangeType.CREATED, "x"),
        (6, ChangeType.DELETED, "b"),
    ]
    updated, deleted = found[3], found[5]
    assert (updated.body and bodies.fields_of(updated.body), updated.previous and bodies.fields_of(updated.previous)) == (
        {"n": 2},
        {"n": 1},
    )
    assert (deleted.body, deleted.previous and bodies.fields_of(deleted.previous)) == (None, {"n": 1})
    assert (updated.instance_id, updated.connection_id, updated.generation) == (place.instance_id, place.connection_id, 1)
    assert (updated.method, updated.recorded_at) == (EventMethod.PULL, NOW)
    assert await snapshot(database, place) == {"a": {"n": 2}, "b": None, "c": {"n": 1}, "never": None, "x": {"n": 1}}


async def test_a_baseline_is_taken_silently_and_what_comes_after_is_told_against_it(database: Database):
    (place,) = await followed(database)

    observed = await tell(database, place, seen(record("a", n=1), record("b", n=1)), is_silent=True)

    assert (observed.event_count, observed.changed_count) == (0, 2)
    assert await told(database) == []
    await tell(database, place, seen(record("a", n=1), record("b", n=2)))
    assert [(event.seq, event.type, event.record_id) for event in await events(database)] == [(1, ChangeType.UPDATED, "b")]


async def test_what_was_seen_twice_is_told_once_and_stands_where_it_was_seen_last(database: Database):
    (place,) = await followed(database)

    await tell(database, place, seen(record("a", n=1), record("b", n=1), record("a", n=2)))
    again = await tell(database, place, seen(record("a", n=2), record("b", n=1), gone=["c"]))

    assert (await told(database))[:2] == [("CREATED", "b"), ("CREATED", "a")]
    assert (again.event_count, again.changed_count) == (0, 1)
    await tell(database, place, seen(record("d"), gone=["never"]))
    await tell(database, place, seen(record("e")))
    assert [event.seq for event in await events(database)] == [1, 2, 3, 4]
    assert await snapshot(database, place) == {"a": {"n": 2}, "b": {"n": 1}, "c": None, "d": {}, "e": {}, "never": None}


async def test_an_old_sight_changes_nothing_and_is_handed_back(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1), record("b", n=1), record("c", n=1)), is_silent=True)
    async with database.read(SYSTEM) as session:
        asked_at = await tick_of(session, place.instance_id)
    await tell(database, place, seen(record("a", n=3), gone=["b"]))

    observed = await tell(database, place, seen(record("a", n=2), record("b", n=2), record("c", n=2)), since_tick=asked_at)

    assert (observed.event_count, observed.stale_ids) == (1, ("a", "b"))
    assert await told(database) == [("UPDATED", "a"), ("DELETED", "b"), ("UPDATED", "c")]
    assert await snapshot(database, place) == {"a": {"n": 3}, "b": None, "c": {"n": 2}}


async def test_an_old_page_does_not_revive_what_was_deleted_before_it_was_ever_known(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(gone=["a"]), method=EventMethod.WEBHOOK)

    observed = await tell(database, place, seen(record("a", n=1)), since_tick=0)

    assert (observed.event_count, observed.stale_ids) == (0, ("a",))
    assert (await tell(database, place, seen(record("a", n=1)))).event_count == 1


async def test_each_type_of_change_names_its_own_method(database: Database):
    (place,) = await followed(database)
    methods = {
        ChangeType.CREATED: EventMethod.WEBHOOK,
        ChangeType.UPDATED: EventMethod.PULL,
        ChangeType.DELETED: EventMethod.FULL_SCAN,
    }
    await tell(database, place, seen(record("a", n=1), record("b", n=1)), is_silent=True)

    await tell(database, place, seen(record("c", n=1), record("a", n=2), gone=["b"]), method=methods)

    assert {event.type: event.method for event in await events(database)} == methods


async def test_without_bodies_changes_are_told_and_nothing_of_the_records_is_kept(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", secret="s3cret"), record("b", n=1)), is_silent=True, keeps_bodies=False)

    await tell(database, place, seen(record("a", secret="other"), gone=["b"]), keeps_bodies=False)

    assert [(event.record_id, event.body, event.previous) for event in await events(database)] == [("a", None, None), ("b", None, None)]
    assert await snapshot(database, place) == {"a": None, "b": None}


async def test_once_bodies_are_not_kept_none_is_told_not_even_one_that_was_kept_before(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1), record("b", n=1)), is_silent=True)

    await tell(database, place, seen(record("a", n=2), gone=["b"]), keeps_bodies=False)

    assert [(event.record_id, event.body, event.previous) for event in await events(database)] == [("a", None, None), ("b", None, None)]
    assert await snapshot(database, place) == {"a": None, "b": None}


async def test_what_belongs_to_another_generation_is_refused_and_changes_nothing(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1)))

    with pytest.raises(GenerationChangedError, match=f"Generation 2 of instance {place.instance_id} is not the present one"):
        await tell(database, replace(place, generation=2), seen(record("a", n=2), record("b", n=1)))

    assert await told(database) == [("CREATED", "a")]
    async with database.read(SYSTEM) as session:
        assert await tick_of(session, place.instance_id) == 1


async def test_what_a_unit_of_work_undoes_was_never_observed(database: Database):
    (place,) = await followed(database)

    async def undone() -> None:
        async with database.write(SYSTEM) as session:
            await observe(session, place=place, observations=seen(record("a")), since_tick=0, method=EventMethod.PULL, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    await tell(database, place, seen(record("b")))

    assert [(event.seq, event.record_id) for event in await events(database)] == [(1, "b")]
    assert await snapshot(database, place) == {"b": {}}


HOSTILE_IDS = [
    "'; drop table event; --",
    '"quoted" \\back\\',
    "{1,2}",
    "NULL",
    "ä\U0001f600",
    "a" * 1000,
    "%_",
    " ",
    "\u2028",
    "𝟙" * 600,
    "0",
    "-1",
]
UNFOLLOWABLE_IDS = ["", "nul\x00", "line\n", "half\ud800", "a" * 1001, "\U0001f600" * 601]


async def test_ids_of_any_signs_are_kept_as_they_are_and_those_that_cannot_be_are_handed_back(database: Database):
    (place,) = await followed(database)

    observed = await tell(database, place, seen(*(record(each, n=1) for each in [*HOSTILE_IDS, *UNFOLLOWABLE_IDS])))
    again = await tell(database, place, seen(*(record(each, n=1) for each in HOSTILE_IDS)))
    changed = await tell(database, place, seen(*(record(each, n=2) for each in HOSTILE_IDS)))

    assert observed.unfollowable_ids == tuple(UNFOLLOWABLE_IDS)
    assert (observed.event_count, again.changed_count, changed.event_count) == (12, 0, 12)
    assert [event.record_id for event in await events(database)] == HOSTILE_IDS * 2
    assert set(await snapshot(database, place)) == set(HOSTILE_IDS)


async def test_a_record_that_is_no_json_is_handed_back_and_keeps_no_others_back(database: Database):
    (place,) = await followed(database)

    named: Any = {1, 2}
    strange = Record(external_id="d", fields={"n": 1}, name=named)

    observed = await tell(database, place, seen(record("a", n=1), record("b", n={1, 2}), strange, record("c", n=2**80)))

    assert (observed.event_count, observed.changed_count, observed.unfollowable_ids, observed.unrecordable_ids) == (2, 2, (), ("b", "d"))
    assert [(event.seq, event.record_id) for event in await events(database)] == [(1, "a"), (2, "c")]
    assert await snapshot(database, place) == {"a": {"n": 1}, "c": {"n": 2**80}}


async def test_bodies_of_100_kilobytes_and_many_records_go_through_in_one_unit_of_work(database: Database):
    (place,) = await followed(database)
    large = [record(f"large-{number:03}", text=chr(97 + number % 26) * 100_000) for number in range(100)]
    small = [record(f"small-{number:05}", n=number) for number in range(6_000)]

    observed = await tell(database, place, seen(*large, *small))
    async with database.read(SYSTEM) as session:
        last = (await log.read(session, topic=Topic(), after_pos=0, first=100))[-1]

    assert observed.event_count == 6_100
    assert (last.seq, last.record_id, last.body and bodies.fields_of(last.body)) == (100, "large-099", large[99].fields)
    assert [event.seq for event in await events(database, after_pos=last.pos)] == list(range(101, 6_101))


async def test_no_observations_cost_a_tick_and_nothing_else(database: Database):
    (place,) = await followed(database)

    assert await tell(database, place, []) == Observed(event_count=0, changed_count=0)
    async with database.read(SYSTEM) as session:
        assert await tick_of(session, place.instance_id) == 1


async def test_a_page_costs_the_same_statements_however_many_records_it_has(database: Database):
    (place,) = await followed(database)
    counts = []
    for size in (10, 1_000):
        with recorded_statements(database) as statements:
            await tell(database, place, seen(*(record(f"{size}-{number}", n=1) for number in range(size))))
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 7


@pytest.mark.parametrize(("count", "characters"), [(2, 6_000_000), (5_001, 1)])
async def test_no_statement_writes_many_megabytes_or_more_than_5000_records(database: Database, count: int, characters: int):
    (place,) = await followed(database)

    with recorded_statements(database) as statements:
        await tell(database, place, seen(*(record(f"{number}", text="x" * characters) for number in range(count))))

    assert [sum(f"INSERT INTO {table} (" in statement for statement in statements) for table in ("snapshot", "event")] == [2, 2]


async def test_how_statements_are_planned_is_decided_for_one_unit_of_work_alone(database: Database):
    (place,) = await followed(database)
    if database.engine.dialect.name == "sqlite":
        return
    plans_scans = text("SELECT current_setting('enable_seqscan')")

    async with database.write(SYSTEM) as session:
        await observe(session, place=place, observations=seen(record("a")), since_tick=0, method=EventMethod.PULL, now=NOW)
        within = (await (await session.connection()).execute(plans_scans)).scalar_one()
    async with database.engine.connect() as connection:
        after = (await connection.execute(plans_scans)).scalar_one()

    assert (within, after) == ("off", "on")


async def test_observers_of_one_instance_lose_nothing_of_each_other(database: Database):
    (place,) = await followed(database)

    await asyncio.gather(*(tell(database, place, seen(record(f"{number}", n=1))) for number in range(40)))

    found = await events(database)
    assert [event.seq for event in found] == list(range(1, 41))
    assert {event.record_id for event in found} == {f"{number}" for number in range(40)}
    async with database.read(SYSTEM) as session:
        assert await tick_of(session, place.instance_id) == 40
