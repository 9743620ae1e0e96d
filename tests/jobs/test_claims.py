import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import literal
from sqlmodel import select

from gateway.errors import FencedError
from gateway.models import SyncTask, TaskKind
from gateway.models.base import UTCDateTime
from gateway.runtime import Runtime
from gateway.sync import claims
from gateway.sync.jobs import Job
from tests.support.sync_tasks import LEASE_SECONDS, ask, claimed, row_of, seconds


async def test_a_task_that_nobody_asked_for_is_not_to_be_had(runtime, instances_of):
    [instance] = await instances_of(1)

    assert await claims.claim(runtime, instance.id, TaskKind.PULL, owner="first") is None
    assert (await row_of(runtime, instance.id)).fence == 0


async def test_a_task_of_an_instance_that_does_not_exist_is_not_to_be_had(runtime):
    assert await claims.claim(runtime, uuid4(), TaskKind.FULL, owner="first") is None


async def test_a_claim_begins_a_lease_and_answers_the_request(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    await ask(runtime, instance)

    task = await claimed(runtime, instance)

    row = await row_of(runtime, instance.id)
    assert (task.instance_id, task.kind, task.fence, task.owner, task.started_at) == (instance.id, TaskKind.PULL, 1, "first", clock.now())
    assert (row.owner, row.fence, row.due_at, row.requested_at) == ("first", 1, clock.now() + seconds(LEASE_SECONDS), None)


@pytest.mark.parametrize("kind", TaskKind)
async def test_of_twenty_that_claim_a_task_at_once_one_gets_it(runtime, instances_of, kind):
    [instance] = await instances_of(1)
    await ask(runtime, instance, kind=kind)

    tasks = await asyncio.gather(*(claims.claim(runtime, instance.id, kind, owner=f"worker {number}") for number in range(20)))

    assert [task.fence for task in tasks if task is not None] == [1]


@pytest.mark.parametrize("kind", [TaskKind.PULL, TaskKind.FULL])
async def test_a_connection_has_one_pull_and_one_full_sync_at_a_time(runtime, instances_of, kind):
    instances = await instances_of(4)
    [elsewhere] = await instances_of(1)
    await ask(runtime, *instances, elsewhere, kind=kind)

    tasks = await asyncio.gather(*(claims.claim(runtime, each.id, kind, owner=str(each.id)) for each in [*instances, elsewhere]))

    assert len([task for task in tasks[:4] if task is not None]) == 1
    assert tasks[4] is not None


async def test_who_claims_in_a_connection_waits_for_who_is_just_claiming_there(runtime, instances_of):
    first, second = await instances_of(2)
    await ask(runtime, first, second)
    if runtime.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")

    async with runtime.database.engine.connect() as connection:
        await connection.exec_driver_sql(f"SELECT 1 FROM sync_task WHERE instance_id = '{first.id}' FOR UPDATE")
        slow = asyncio.create_task(claims.claim(runtime, first.id, TaskKind.PULL, owner="slow"))
        await _until_somebody_waits(runtime)
        other = asyncio.create_task(claims.claim(runtime, second.id, TaskKind.PULL, owner="other"))
        await asyncio.wait({other}, timeout=0.2)
    tasks = [await slow, await other]

    assert [task is not None for task in tasks] == [True, False]


async def _until_somebody_waits(runtime: Runtime) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(20), runtime.database.engine.connect() as connection:
        while not (await connection.exec_driver_sql(waiting)).scalar_one():
            await asyncio.sleep(0.01)
            await connection.rollback()


async def test_who_is_under_way_in_a_connection_is_looked_up_in_an_index_of_them(runtime):
    dialect = runtime.database.engine.dialect
    if dialect.name == "postgresql":
        pytest.skip("how it looks there depends on how much there is")
    busy = select(SyncTask.instance_id).where(claims.is_busy(literal(runtime.clock.now(), UTCDateTime)))
    statement = str(busy.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))

    async with runtime.database.engine.connect() as connection:
        plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")).all()

    assert "ix_sync_task_under_way" in str(plan)


async def test_a_pull_does_not_keep_a_full_sync_of_the_connection_waiting(runtime, instances_of):
    pulled, listed = await instances_of(2)
    await ask(runtime, pulled, kind=TaskKind.PULL)
    await ask(runtime, listed, kind=TaskKind.FULL)

    await claimed(runtime, pulled, TaskKind.PULL)

    assert (await claimed(runtime, listed, TaskKind.FULL)).fence == 1


@pytest.mark.parametrize("kind", [TaskKind.SETUP, TaskKind.INBOX])
async def test_other_tasks_of_a_connection_do_not_wait_for_each_other(runtime, instances_of, kind):
    instances = await instances_of(3)
    await ask(runtime, *instances, kind=kind)

    assert [(await claimed(runtime, each, kind)).fence for each in instances] == [1, 1, 1]


async def test_the_next_of_a_connection_is_to_be_had_once_the_first_has_ended(runtime, instances_of):
    first, second = await instances_of(2)
    await ask(runtime, first, second)
    task = await claimed(runtime, first)
    assert await claims.claim(runtime, second.id, TaskKind.PULL, owner="second") is None

    async with task.commit() as session:
        await task.finish(session, None)

    assert (await claimed(runtime, second)).fence == 1


async def test_a_task_whose_lease_has_ended_is_taken_over_and_its_former_worker_commits_nothing(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    await ask(runtime, instance)
    zombie = await claimed(runtime, instance, owner="zombie")
    async with zombie.commit() as session:
        await zombie.save(session, progress={"page": 1})
    clock.advance(LEASE_SECONDS - 1)
    assert await claims.claim(runtime, instance.id, TaskKind.PULL, owner="heir") is None

    clock.advance(1)
    heir = await claimed(runtime, instance, owner="heir")

    assert (heir.fence, heir.progress) == (2, {"page": 1})
    with pytest.raises(FencedError):
        async with zombie.commit() as session:
            pytest.fail("the block of a fenced commit runs")
    async with heir.commit() as session:
        await heir.save(session, progress={"page": 2})
    assert (await row_of(runtime, instance.id)).progress == {"page": 2}


async def test_the_connection_of_a_worker_that_died_is_free_when_the_lease_ends(runtime, instances_of, clock):
    first, second = await instances_of(2)
    await ask(runtime, first, second, kind=TaskKind.FULL)
    await claimed(runtime, first, TaskKind.FULL)

    clock.advance(LEASE_SECONDS)

    assert (await claimed(runtime, second, TaskKind.FULL)).fence == 1


async def test_a_request_during_the_work_outlives_the_worker(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    await ask(runtime, instance)
    await claimed(runtime, instance)
    await ask(runtime, instance)
    clock.advance(LEASE_SECONDS)

    heir = await claimed(runtime, instance, owner="heir")
    async with heir.commit() as session:
        await heir.finish(session, None)

    assert (await row_of(runtime, instance.id)).due_at == clock.now()


async def test_a_lease_is_kept_by_whoever_has_it_while_an_app_keeps_it_waiting(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    job = Job(instance.id, TaskKind.PULL, 0)
    await ask(runtime, instance)
    task = await claimed(runtime, instance)
    clock.advance(10)

    await claims.renew(runtime, [job], owner="first")
    await claims.renew(runtime, [job], owner="somebody else")

    clock.advance(10)
    assert await claims.claim(runtime, instance.id, TaskKind.PULL, owner="second") is None
    async with task.commit() as session:
        await task.finish(session, None)


async def test_no_lease_is_begun_anew_for_a_task_that_has_ended_or_is_anothers(runtime, instances_of, clock):
    ended, lost = await instances_of(2)
    await ask(runtime, ended, lost, kind=TaskKind.INBOX)
    task = await claimed(runtime, ended, TaskKind.INBOX)
    async with task.commit() as session:
        await task.finish(session, None)
    await claimed(runtime, lost, TaskKind.INBOX)
    clock.advance(LEASE_SECONDS)
    await claimed(runtime, lost, TaskKind.INBOX, owner="heir")
    clock.advance(5)

    await claims.renew(runtime, [Job(each.id, TaskKind.INBOX, 0) for each in (ended, lost)], owner="first")

    assert (await row_of(runtime, ended.id, TaskKind.INBOX)).due_at is None
    assert (await row_of(runtime, lost.id, TaskKind.INBOX)).due_at == clock.now() + seconds(LEASE_SECONDS - 5)


async def test_renewing_waits_for_no_commit(runtime, instances_of):
    [instance] = await instances_of(1)
    await ask(runtime, instance)
    task = await claimed(runtime, instance)
    if runtime.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time, and no row that is locked")

    async with task.commit():
        async with asyncio.timeout(5):
            await asyncio.create_task(claims.renew(runtime, [Job(instance.id, TaskKind.PULL, 0)], owner="first"))


async def test_what_was_under_way_when_the_process_ended_is_due_at_once_after_its_restart(runtime, instances_of, clock):
    under_way, resting = await instances_of(2)
    await ask(runtime, under_way)
    await claimed(runtime, under_way)

    await claims.recover(runtime)

    assert (await row_of(runtime, under_way.id)).due_at == clock.now()
    assert (await row_of(runtime, resting.id)).due_at is None
    assert (await claimed(runtime, under_way)).fence == 2
