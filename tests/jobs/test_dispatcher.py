from gateway.models import TaskKind
from gateway.sync.dispatcher import due
from gateway.sync.jobs import Job
from tests.support.sync_tasks import LEASE_SECONDS, ask, claimed


async def test_what_is_due_is_found_the_longest_due_first(runtime, instances_of, clock):
    first, second, third = await instances_of(3)
    for instance in (second, third, first):
        await ask(runtime, instance, kind=TaskKind.INBOX)
        clock.advance(1)

    assert await due(runtime, most_full=10) == [Job(each.id, TaskKind.INBOX, 0) for each in (second, third, first)]


async def test_what_rests_or_is_under_way_is_not_due_before_its_lease_ends(runtime, instances_of, clock):
    under_way, _ = await instances_of(2)
    await ask(runtime, under_way, kind=TaskKind.SETUP)
    await claimed(runtime, under_way, TaskKind.SETUP)

    assert await due(runtime, most_full=10) == []
    clock.advance(LEASE_SECONDS)
    assert await due(runtime, most_full=10) == [Job(under_way.id, TaskKind.SETUP, 1)]


async def test_of_what_waits_for_each_other_in_a_connection_only_the_first_is_offered(runtime, instances_of, clock):
    first, second = await instances_of(2)
    [elsewhere] = await instances_of(1)
    for instance in (first, second, elsewhere):
        await ask(runtime, instance)
        clock.advance(1)
    await ask(runtime, second, kind=TaskKind.FULL)

    pulls = [Job(each.id, TaskKind.PULL, 0) for each in (first, elsewhere)]
    assert await due(runtime, most_full=10) == [*pulls, Job(second.id, TaskKind.FULL, 0)]
    await claimed(runtime, first)
    assert await due(runtime, most_full=10) == [Job(elsewhere.id, TaskKind.PULL, 0), Job(second.id, TaskKind.FULL, 0)]


async def test_no_more_full_syncs_are_offered_than_there_is_room_for(runtime, instances_of, clock):
    listed = [instance for _ in range(3) for instance in await instances_of(1)]
    for instance in listed:
        await ask(runtime, instance, kind=TaskKind.FULL)
        clock.advance(1)

    assert await due(runtime, most_full=2) == [Job(each.id, TaskKind.FULL, 0) for each in listed[:2]]
    assert await due(runtime, most_full=0) == []
    assert await due(runtime, most_full=-1) == []
