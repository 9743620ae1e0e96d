"""What is compared before the unit of work that records it begins, and written in pieces."""

import pytest

from gateway.events.observations import (
    Observation,
    Observed,
    ObservedPlace,
    PieceSize,
    Precompared,
    hashed_observations,
    observe_precompared,
    pieces_of,
    precompare,
)
from gateway.events.precomparison import LEAST_WRITTEN, MOST_BYTES, MOST_WRITTEN
from gateway.events.snapshots import numbers_of
from gateway.models import EventMethod
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import NOW, followed, record, seen, snapshot, tell, told
from tests.support.database import recorded_statements

BEFORE, NEW = 30, 2_500
NO_JSON = record("no json", n={"of", "no", "kind"})


async def precompared_of(database: Database, place: ObservedPlace, observations: list[Observation]) -> Precompared:
    """What is seen, compared with what the snapshot holds now."""
    async with database.read(SYSTEM) as session:
        return await precompare(session, place=place, hashed=await hashed_observations(observations))


async def observed(database: Database, place: ObservedPlace, precompared: Precompared, *, since_tick: int = 100) -> Observed:
    """What a unit of work makes of it."""
    async with database.write(SYSTEM) as session:
        return await observe_precompared(
            session, place=place, precompared=precompared, since_tick=since_tick, method=EventMethod.PULL, now=NOW
        )


async def many_changes(database: Database, place: ObservedPlace) -> list[Observation]:
    """A page of which most is new: some of it is known, has changed, is gone, or cannot be kept."""
    await tell(database, place, seen(*(record(f"old {number:02}", n=1) for number in range(BEFORE))), is_silent=True)
    unchanged = [record(f"old {number:02}", n=1) for number in range(10)]
    changed = [record(f"old {number:02}", n=2) for number in range(10, 20)]
    new = [record(f"new {number:04}", n=number) for number in range(NEW)]
    gone = [f"old {number:02}" for number in range(20, BEFORE)]
    return seen(*changed, *new, *unchanged, NO_JSON, record("\n", n=1), gone=gone)


async def test_pieces_hold_what_was_seen_once_and_few_records_that_are_to_be_written(database: Database):
    (place,) = await followed(database)
    observations = await many_changes(database, place)

    pieces = list(pieces_of(await precompared_of(database, place, observations), keeps_bodies=True, piece_size=PieceSize()))

    assert [len(piece.compared.differing) for piece in pieces] == [MOST_WRITTEN, MOST_WRITTEN, NEW + 20 - 2 * MOST_WRITTEN]
    assert [piece.is_last for piece in pieces] == [False, False, True]
    assert [len(piece.hashed.records) for piece in pieces] == [MOST_WRITTEN + 11, MOST_WRITTEN, NEW + 20 - 2 * MOST_WRITTEN]
    found = [record_id for piece in pieces for record_id in piece.hashed.records]
    assert sorted(found) == sorted(each.external_id for each in observations if each.external_id != "\n")
    assert [piece.hashed.unfollowable_ids for piece in pieces] == [("\n",), (), ()]
    # What is staged with a piece is of it, or of no piece that is still to be written.
    assert [(len(piece.compared.numbers), len(piece.compared.differing_numbers)) for piece in pieces] == [(10, 10), (0, 0), (0, 10)]


@pytest.mark.parametrize("meanwhile", [None, 0, 1, 2])
async def test_pieces_come_to_the_same_as_all_at_once_whoever_observes_between_them(database: Database, meanwhile: int | None):
    whole, place = await followed(database, 2)
    expected = await tell(database, whole, await many_changes(database, whole))
    expected_events, expected_snapshot = await told(database), await snapshot(database, whole)
    observations = await many_changes(database, place)

    outcomes = []
    for number, piece in enumerate(
        pieces_of(await precompared_of(database, place, observations), keeps_bodies=True, piece_size=PieceSize())
    ):
        if number == meanwhile:
            # One of the last piece, as it is told there.
            await tell(database, place, seen(record(f"new {NEW - 1}", n=NEW - 1)))
        outcomes.append(await observed(database, place, piece))

    events = (await told(database))[len(expected_events) :]
    assert sorted(events) == sorted(expected_events)
    assert (events == expected_events) == (meanwhile is None)
    assert await snapshot(database, place) == expected_snapshot
    numbers = [number for outcome in outcomes for number in outcome.numbers]
    assert (len(numbers), len(set(numbers))) == (len(expected.numbers), len(expected.numbers)) == (BEFORE + NEW, BEFORE + NEW)
    async with database.read(SYSTEM) as session:
        assert sorted(numbers) == sorted(await numbers_of(session, place=place, record_ids=list(expected_snapshot)))
    assert [each for outcome in outcomes for each in outcome.unrecordable_ids] == ["no json"]
    assert [each for outcome in outcomes for each in outcome.unfollowable_ids] == ["\n"]


async def test_what_others_found_changed_since_it_was_compared_is_not_undone(database: Database):
    (place,) = await followed(database)
    await tell(database, place, seen(record("a", n=1), record("b", n=1)), is_silent=True)
    precompared = await precompared_of(database, place, seen(record("a", n=1), record("b", n=2)))
    await tell(database, place, seen(record("a", n=3), gone=["b"]))

    outcome = await observed(database, place, precompared, since_tick=1)

    assert (outcome.event_count, outcome.stale_ids) == (0, ("a", "b"))
    assert await snapshot(database, place) == {"a": {"n": 3}, "b": None}


async def test_what_holds_still_is_not_compared_again(database: Database):
    (place,) = await followed(database)
    records = [record(f"{number}", n=1) for number in range(100)]
    await tell(database, place, seen(*records), is_silent=True)
    precompared = await precompared_of(database, place, seen(*records))

    with recorded_statements(database) as statements:
        outcome = await observed(database, place, precompared)

    assert (outcome.event_count, sorted(outcome.numbers)) == (0, list(range(1, 101)))
    assert not [statement for statement in statements if "snapshot" in statement]


async def test_bodies_that_are_large_together_are_written_apart_and_one_that_is_too_large_alone(database: Database):
    (place,) = await followed(database)
    sizes = [MOST_BYTES // 2, MOST_BYTES // 3, MOST_BYTES // 3, 2 * MOST_BYTES, 1]
    observations = seen(*(record(f"{number}", text="x" * size) for number, size in enumerate(sizes)))
    precompared = await precompared_of(database, place, observations)

    with_bodies = [list(piece.hashed.records) for piece in pieces_of(precompared, keeps_bodies=True, piece_size=PieceSize())]
    without = [list(piece.hashed.records) for piece in pieces_of(precompared, keeps_bodies=False, piece_size=PieceSize())]

    assert with_bodies == [["0", "1"], ["2"], ["3"], ["4"]]
    assert without == [["0", "1", "2", "3", "4"]]


async def test_fewer_records_are_written_at_once_for_as_long_as_that_takes_long(database: Database):
    (place,) = await followed(database)
    precompared = await precompared_of(database, place, seen(*(record(f"{number}", n=1) for number in range(4_500))))
    piece_size, seconds = PieceSize(), iter([0.21, 0.21, 0.15, 0.09, 0.2, 0.01, 9, 9])

    sizes = []
    for piece in pieces_of(precompared, keeps_bodies=False, piece_size=piece_size):
        sizes.append(len(piece.hashed.records))
        piece_size.took(next(seconds))

    assert sizes == [1_000, 500, 250, 250, 500, 500, 1_000, 500]
    piece_size.took(9)
    piece_size.took(9)
    assert piece_size.most == LEAST_WRITTEN
