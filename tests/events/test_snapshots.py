"""The snapshot against the stage, range by range, and what is forgotten of both."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.events import bodies
from gateway.events.observations import (
    MissingPage,
    ObservedPlace,
    forgettable,
    hashed_observations,
    missing,
    observe,
    observe_precompared,
    precompare,
    purge_deleted,
    stage,
    tick_of,
)
from gateway.events.snapshots import numbers_of, stored
from gateway.models import ChangeType, EventMethod
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import NOW, events, followed, record, seen, snapshot, tell, told

RUN, OTHER = UUID(int=1), UUID(int=2)
KEYS = ["B", "a", "a-b", "aB", "ab", "z", "ä", "\ud7ff", "\ue000", "\U0001f600"]
"""In the order of their bytes, which no language's order is."""


async def meet(database: Database, place: ObservedPlace, record_ids: list[str], *, run_id: UUID = RUN) -> None:
    async with database.write(SYSTEM) as session:
        await stage(session, run_id=run_id, numbers=await numbers_of(session, place=place, record_ids=record_ids))


async def pages(database: Database, place: ObservedPlace, *, limit: int, up_to_tick: int = 100) -> list[MissingPage]:
    """All ranges of a snapshot, one after the other."""
    found: list[MissingPage] = []
    while not found or found[-1].last_key is not None:
        async with database.read(SYSTEM) as session:
            after = found[-1].last_key if found else None
            found.append(await missing(session, place=place, run_id=RUN, after=after, up_to_tick=up_to_tick, limit=limit))
    return found


async def forget_all(
    database: Database, place: ObservedPlace, *, up_to_tick: int, limit: int = 100, keeps_bodies: bool = True
) -> list[tuple[tuple[str, ...], str | None]]:
    """Forgets all there is to forget, range by range; returns what each range held of that, and its last key."""
    found: list[tuple[tuple[str, ...], str | None]] = []
    while not found or found[-1][1] is not None:
        async with database.read(SYSTEM) as session:
            after = found[-1][1] if found else None
            page = await forgettable(session, place=place, after=after, up_to_tick=up_to_tick, keeps_bodies=keeps_bodies, limit=limit)
        if page.record_ids:
            await forget(database, place, page.record_ids, up_to_tick=up_to_tick, keeps_bodies=keeps_bodies)
        found.append((page.record_ids, page.last_key))
    return found


async def forget(
    database: Database, place: ObservedPlace, record_ids: Sequence[str], *, up_to_tick: int, keeps_bodies: bool = True
) -> None:
    async with database.write(SYSTEM) as session:
        await purge_deleted(session, place=place, record_ids=record_ids, up_to_tick=up_to_tick, keeps_bodies=keeps_bodies)


async def test_ranges_follow_the_order_of_bytes_and_name_what_the_run_did_not_meet(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(key) for key in reversed(KEYS))))
    await meet(database, place, ["B", "ab", "z", "ä", "unknown"])
    await meet(database, place, KEYS, run_id=OTHER)

    assert await pages(database, place, limit=4) == [
        MissingPage(record_ids=("a", "a-b", "aB"), live_count=4, last_key="aB"),
        MissingPage(record_ids=("\ud7ff",), live_count=4, last_key="\ud7ff"),
        MissingPage(record_ids=("\ue000", "\U0001f600"), live_count=2, last_key=None),
    ]


async def test_what_was_deleted_or_changed_since_the_listing_began_is_not_missing(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(key, n=1) for key in "abcd")))
    await tell(database, place, seen(gone=["a"]))
    async with database.read(SYSTEM) as session:
        listed_at = await tick_of(session, place.instance_id)
    await tell(database, place, seen(record("b", n=2), record("e", n=1)))

    assert await pages(database, place, limit=5, up_to_tick=listed_at) == [
        MissingPage(record_ids=("c", "d"), live_count=2, last_key="e"),
        MissingPage(record_ids=(), live_count=0, last_key=None),
    ]


async def test_ranges_go_on_behind_one_of_which_nothing_is_left(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(key) for key in "abcde")))
    await tell(database, place, seen(gone=["a", "b"]))

    assert [page.record_ids for page in await pages(database, place, limit=2)] == [(), ("c", "d"), ("e",)]


async def test_an_empty_snapshot_has_one_empty_range(database: Database):
    (place,) = await followed(database)

    assert await pages(database, place, limit=10) == [MissingPage(record_ids=(), live_count=0, last_key=None)]


async def test_generations_and_instances_do_not_see_each_other(database: Database):
    place, other = await followed(database, 2)
    await tell(database, place, seen(record("a")))
    await tell(database, other, seen(record("b")))

    assert [page.record_ids for page in await pages(database, other, limit=10)] == [("b",)]
    assert [page.record_ids for page in await pages(database, place, limit=10)] == [("a",)]
    assert [page.record_ids for page in await pages(database, replace(place, generation=2), limit=10)] == [()]


async def test_deleted_records_are_forgotten_only_once_no_older_sight_can_be_under_way(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(*(record(key) for key in "abcdef")))
    await tell(database, place, seen(gone=["a", "d"]))
    async with database.read(SYSTEM) as session:
        then = await tick_of(session, place.instance_id)
    await tell(database, place, seen(gone=["f"]))

    assert await forget_all(database, place, up_to_tick=then, limit=2) == [(("a",), "b"), (("d",), "d"), ((), "f"), ((), None)]
    assert list(await snapshot(database, place)) == ["b", "c", "e", "f"]


async def test_a_sight_from_before_a_deletion_that_is_forgotten_does_not_bring_the_record_back(database: Database):
    place, other = await followed(database, 2)
    await tell(database, place, seen(record("a", n=1), record("b", n=1)))
    async with database.read(SYSTEM) as session:
        asked_at = await tick_of(session, place.instance_id)
    await tell(database, place, seen(gone=["a"]))
    assert await forget_all(database, place, up_to_tick=asked_at + 1) == [(("a",), None)]
    assert await forget_all(database, place, up_to_tick=0, keeps_bodies=False) == [(("b",), None)]

    observed = await tell(database, place, seen(record("a", n=1), record("b", n=2), record("c", n=1), gone=["d"]), since_tick=asked_at)

    assert (observed.stale_ids, await told(database)) == (
        ("a", "c"),
        [("CREATED", "a"), ("CREATED", "b"), ("DELETED", "a"), ("UPDATED", "b")],
    )
    assert (await tell(database, place, seen(record("c", n=1)), since_tick=asked_at + 1)).event_count == 1
    assert (await tell(database, other, seen(record("c", n=1)), since_tick=0)).event_count == 1


async def test_where_nothing_was_forgotten_a_record_that_is_not_known_is_new_however_long_ago_it_was_seen(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1)))
    await tell(database, place, seen(gone=["a"]))
    assert await forget_all(database, place, up_to_tick=1) == [((), None)]

    observed = await tell(database, place, seen(record("a", n=1), record("b", n=1)), since_tick=0)

    assert (observed.stale_ids, observed.event_count) == (("a",), 1)


@pytest.mark.parametrize(("gone", "keeps_bodies"), [(["b"], True), ([], False)])
async def test_nothing_is_forgotten_while_somebody_is_about_to_change_the_snapshot(database: Database, gone: list[str], keeps_bodies: bool):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a"), record("c"), gone=gone))
    order: list[str] = []

    async def forget_some() -> None:
        await forget(database, place, ["a", "b", "c"], up_to_tick=100, keeps_bodies=keeps_bodies)
        order.append("forgotten")

    async with database.write(SYSTEM) as session:
        await observe(session, place=place, observations=seen(record("a", n=1)), since_tick=1, method=EventMethod.PULL, now=NOW)
        forgetting = asyncio.create_task(forget_some())
        await asyncio.sleep(0.1)
        order.append("observed")
    await forgetting

    assert order == ["observed", "forgotten"]


async def test_bodies_that_are_not_to_be_kept_any_more_are_forgotten_and_the_hashes_stay(database: Database):
    place, other = await followed(database, 2)
    for each in (place, other):
        await tell(database, each, seen(*(record(key, n=1) for key in "abcd")))

    forgotten = await forget_all(database, place, up_to_tick=0, keeps_bodies=False, limit=3)

    assert forgotten == [(("a", "b", "c"), "c"), (("d",), None)]
    assert await snapshot(database, place) == dict.fromkeys("abcd")
    assert await snapshot(database, other) == {key: {"n": 1} for key in "abcd"}
    assert (await tell(database, place, seen(*(record(key, n=1) for key in "abcd")))).changed_count == 0
    await tell(database, place, seen(record("a", n=2)))
    event = (await events(database))[-1]
    assert (event.type, event.record_id, event.previous) == (ChangeType.UPDATED, "a", None)


async def test_what_was_to_be_forgotten_and_is_there_again_meanwhile_stays(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a"), gone=["b", "c"]), keeps_bodies=False)
    await tell(database, place, seen(record("b", n=1)))

    await forget(database, place, ["a", "b", "c"], up_to_tick=100)

    assert await snapshot(database, place) == {"a": None, "b": {"n": 1}}


async def test_what_was_compared_before_something_was_forgotten_does_not_count(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a"), gone=["b"]))
    async with database.read(SYSTEM) as session:
        precompared = await precompare(session, place=place, hashed=await hashed_observations(seen(record("b", n=1), record("c"))))
    await forget_all(database, place, up_to_tick=1)

    async with database.write(SYSTEM) as session:
        await observe_precompared(session, place=place, precompared=precompared, since_tick=2, method=EventMethod.PULL, now=NOW)

    async with database.read(SYSTEM) as session:
        assert await numbers_of(session, place=place, record_ids=["a", "b", "c"]) == [1, 3, 4]


async def test_what_is_stored_of_records_comes_with_their_bodies(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1), record("b", n=1)))
    async with database.write(SYSTEM) as session:
        await observe(session, place=place, observations=seen(gone=["b"]), since_tick=1, method=EventMethod.PULL, now=NOW)
        found = await stored(session, place=place, record_ids=["b", "a", "never"])

    assert set(found) == {"a", "b"}
    assert (found["a"].tick, found["a"].body and bodies.fields_of(found["a"].body)) == (1, {"n": 1})
    assert (found["b"].hash, found["b"].tick, found["b"].body) == (None, 2, None)


async def test_no_statement_reads_more_of_a_large_snapshot_than_its_range(database: Database):
    (place,) = await followed(database)
    for start in range(0, 20_000, 5_000):
        await tell(database, place, seen(*(record(f"{number:06}") for number in range(start, start + 5_000))), is_silent=True)
    await meet(database, place, [f"{number:06}" for number in range(20_000) if number % 1_000])

    found = await pages(database, place, limit=5_000)

    assert [(page.live_count, len(page.record_ids)) for page in found] == [(5_000, 5)] * 4 + [(0, 0)]
    assert [record_id for page in found for record_id in page.record_ids] == [f"{number:06}" for number in range(0, 20_000, 1_000)]
