"""The stage: which records a run has met."""

from contextlib import suppress
from uuid import UUID

from gateway.events.observations import Met, observe, stage, staged_count, unstage
from gateway.models import EventMethod
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.events.observing import NOW, followed, record, seen, tell

RUN, OTHER = UUID(int=1), UUID(int=2)
FAR = 2**62
"""Numbers have no end that anybody would come to."""


async def test_records_are_staged_once_and_counted_however_often_they_are_met(database: Database):
    async with database.write(SYSTEM) as session:
        assert await stage(session, run_id=RUN, numbers=range(1, 200_001)) == 200_000
        assert await stage(session, run_id=RUN, numbers=[1, 200_001, FAR, 200_000, FAR]) == 2
        assert await stage(session, run_id=RUN, numbers=[]) == 0
        assert await staged_count(session, run_id=RUN) == 200_002
        assert await staged_count(session, run_id=OTHER) == 0


async def test_a_stage_is_emptied_slice_by_slice_and_those_of_others_stay(database: Database):
    async with database.write(SYSTEM) as session:
        for number in range(250):
            await stage(session, run_id=RUN, numbers=[number])
        await stage(session, run_id=OTHER, numbers=[1, 2, 3])
        assert await stage(session, run_id=RUN, numbers=range(251)) == 1
        counts = [await unstage(session, run_id=RUN, limit=100) for _ in range(4)]
        assert counts == [100, 100, 51, 0]
        assert await staged_count(session, run_id=OTHER) == 3


async def test_what_is_left_of_a_stage_that_was_not_emptied_to_its_end_is_told_exactly(database: Database):
    async with database.write(SYSTEM) as session:
        for number in range(0, 750, 3):
            await stage(session, run_id=RUN, numbers=range(number, number + 3))
        assert await unstage(session, run_id=RUN, limit=130) == 130
        assert await staged_count(session, run_id=RUN) == 360
        met = Met()
        await met.refresh(session, RUN)
        assert [number for number in range(750) if number in met] == list(range(360))
        assert await stage(session, run_id=RUN, numbers=range(750), met=met) == 390


async def test_what_is_remembered_of_a_stage_never_counts_against_what_the_database_says(database: Database):
    met = Met()

    async with database.write(SYSTEM) as session:
        assert await stage(session, run_id=RUN, numbers=[1, 2], met=met) == 2
    with suppress(ZeroDivisionError):
        async with database.write(SYSTEM) as session:
            assert await stage(session, run_id=RUN, numbers=[2, 3], met=met) == 1
            raise ZeroDivisionError
    async with database.write(SYSTEM) as session:
        assert await stage(session, run_id=RUN, numbers=[3], met=met) == 1
        assert await stage(session, run_id=OTHER, numbers=[3], met=met) == 1
    async with database.write(SYSTEM) as session:
        while await unstage(session, run_id=OTHER):
            pass
        assert await stage(session, run_id=OTHER, numbers=[3, 4], met=met) == 2
    async with database.read(SYSTEM) as session:
        await met.refresh(session, RUN)
    assert [number in met for number in (1, 2, 3, 4)] == [True, True, True, False]


async def test_records_keep_their_number_whatever_happens_to_them_and_share_it_with_no_other(database: Database):
    place, other = await followed(database, 2)
    created = await tell(database, place, seen(record("b", n=1), record("a", n=1), gone=["never"]))
    changed = await tell(database, place, seen(record("c"), record("a", n=2), record("b", n=1), record("d", n={1}), gone=["never"]))
    async with database.write(SYSTEM) as session:
        gone = await observe(session, place=place, observations=seen(gone=["a"]), since_tick=9, method=EventMethod.PULL, now=NOW)
    back = await tell(database, place, seen(record("a", n=3), record("e"), record("c", n={1})))

    assert [sorted(each.numbers) for each in (created, changed, gone, back)] == [[1, 2, 3], [1, 2, 3, 4], [2], [2, 4, 5]]
    assert (await tell(database, other, seen(record("a")))).numbers == (1,)
