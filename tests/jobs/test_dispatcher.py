from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import update
from sqlmodel import col

from gateway.clock import SystemClock
from gateway.models import DataSourceInstance, SyncTask, TaskKind
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.sync.dispatcher import due
from gateway.sync.jobs import Job
from tests.support.sync_tasks import LEASE_SECONDS, ask, claimed, seconds


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


class FastClock(SystemClock):
    """The clock of a machine that is an hour ahead of the others."""

    now = staticmethod(lambda: datetime.now(UTC) + seconds(3_600))


async def test_replicas_agree_on_what_is_due_though_the_clock_of_one_is_fast(runtime, runtime_url, instances_of):
    past, to_come = await instances_of(2)
    async with runtime.database.write(SYSTEM) as session:
        for instance, later in ((past, -60), (to_come, 1_800)):
            task = update(SyncTask).where(col(SyncTask.instance_id) == instance.id, SyncTask.kind == TaskKind.SETUP.value)
            await session.exec(task.values(due_at=datetime.now(UTC) + seconds(later)))

    jobs = await due(replace(runtime, clock=FastClock()), most_full=10)

    # Replicas share a server, which tells them the time; a file has one process, and that process's clock.
    seen = [past] if runtime_url.startswith("postgresql") else [past, to_come]
    assert jobs == [Job(each.id, TaskKind.SETUP, 0) for each in seen]


async def copies_of(runtime, instance, count):
    """So many more instances of a connection."""
    copies = [DataSourceInstance(**instance.model_dump() | {"id": new_id(), "instance_key": f"copy-{number}"}) for number in range(count)]
    async with runtime.database.write(SYSTEM) as session:
        session.add_all(copies)
        await session.flush()
        session.add_all([row for copy in copies for row in sync_rows(copy)])
    return copies


async def test_a_long_backlog_of_one_kind_keeps_no_other_kind_from_being_offered(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    copies = await copies_of(runtime, instance, 600)
    async with runtime.database.write(SYSTEM) as session:
        backlog = update(SyncTask).where(col(SyncTask.instance_id).in_([copy.id for copy in copies]), SyncTask.kind == TaskKind.INBOX.value)
        await session.exec(backlog.values(due_at=clock.now() - seconds(60)))
    for kind in (TaskKind.SETUP, TaskKind.PULL, TaskKind.FULL):
        await ask(runtime, instance, kind=kind)

    jobs = await due(runtime, most_full=1)

    assert Counter(job.kind for job in jobs) == {TaskKind.INBOX: 150, TaskKind.SETUP: 1, TaskKind.PULL: 1, TaskKind.FULL: 1}
    assert {job.kind for job in jobs[:150]} == {TaskKind.INBOX}
