import pytest

from gateway.errors import FencedError, InternalError, UpstreamUnavailableError
from gateway.models import SyncConclusion, SyncKind, SyncRun, SyncStatus, TaskKind
from gateway.models.principal import SYSTEM
from gateway.sync import claims, runs
from tests.support.sync_tasks import LEASE_SECONDS, ask, claimed, row_of, runs_of, seconds

DOWN = UpstreamUnavailableError("The app is down.", may_have_been_received=False)


@pytest.fixture
async def instance(runtime, instances_of):
    [instance] = await instances_of(1)
    await ask(runtime, instance)
    return instance


async def test_a_commit_begins_the_lease_anew(runtime, instance, clock):
    task = await claimed(runtime, instance)
    clock.advance(10)

    async with task.commit() as session:
        await task.save(session, progress={"page": "token"})

    row = await row_of(runtime, instance.id)
    assert (row.due_at, row.progress) == (clock.now() + seconds(LEASE_SECONDS), {"page": "token"})


async def test_a_commit_that_raises_leaves_nothing_and_the_task_goes_on(runtime, instance):
    task = await claimed(runtime, instance)

    async def commit_and_raise() -> None:
        async with task.commit() as session:
            await task.save(session, progress={"page": 1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await commit_and_raise()

    assert (await row_of(runtime, instance.id)).progress is None
    async with task.commit() as session:
        await task.finish(session, None)


async def test_what_a_commit_that_failed_said_of_the_task_did_not_happen(runtime, instance):
    task = await claimed(runtime, instance)

    async def commit_and_raise() -> None:
        async with task.commit() as session:
            await runs.begin(task, session)
            await task.save(session, progress={"page": 1})
            await task.hold(session, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await commit_and_raise()

    assert (task.run_id, task.progress, task.is_ended) == (None, None, False)


async def test_the_bell_rings_after_a_commit(runtime, instance):
    task = await claimed(runtime, instance)
    before = runtime.events.bell.count

    async with task.commit():
        assert runtime.events.bell.count == before

    assert runtime.events.bell.count == before + 1


async def test_a_task_that_ended_well_starts_again_when_it_was_told_to(runtime, instance, clock):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        await task.save(session, progress={"page": 1})
        await task.finish(session, await task.now(session) + seconds(300))

    row = await row_of(runtime, instance.id)
    assert (row.owner, row.due_at, row.next_at) == (None, clock.now() + seconds(300), clock.now() + seconds(300))
    assert (row.progress, row.failures, row.error, row.succeeded_at) == (None, 0, None, clock.now())
    assert await claims.claim(runtime, instance.id, TaskKind.PULL, owner="second") is None
    clock.advance(300)
    assert (await claimed(runtime, instance)).next_at == clock.now()


async def test_a_request_during_the_work_is_kept_and_makes_it_start_again_at_once(runtime, instance, clock):
    task = await claimed(runtime, instance)
    await ask(runtime, instance)
    assert (await row_of(runtime, instance.id)).due_at == clock.now() + seconds(LEASE_SECONDS)

    async with task.commit() as session:
        await task.finish(session, clock.now() + seconds(300))

    assert (await row_of(runtime, instance.id)).due_at == clock.now()
    again = await claimed(runtime, instance)
    async with again.commit() as session:
        await again.finish(session, clock.now() + seconds(300))
    assert (await row_of(runtime, instance.id)).due_at == clock.now() + seconds(300)


async def test_after_its_end_a_task_commits_nothing_more(runtime, instance):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        await task.finish(session, None)

    with pytest.raises(FencedError):
        async with task.commit():
            pytest.fail("the block of a fenced commit runs")


async def test_a_failure_is_kept_with_its_error_and_the_task_goes_on_after_the_pause(runtime, instance, clock):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        await task.save(session, progress={"page": 7})

    await task.fail(DOWN, pause_seconds=40)

    row = await row_of(runtime, instance.id)
    assert (row.owner, row.failures, row.due_at) == (None, 1, clock.now() + seconds(40))
    assert row.error == {"code": "UPSTREAM_UNAVAILABLE", "message": "The app is down."}
    clock.advance(40)
    again = await claimed(runtime, instance)
    assert (again.progress, again.failures) == ({"page": 7}, 1)


async def test_a_request_ends_the_pause_after_a_failure_and_starts_the_task_once(runtime, instance, clock):
    task = await claimed(runtime, instance)
    await task.fail(DOWN, pause_seconds=600)

    await ask(runtime, instance)

    again = await claimed(runtime, instance)
    await again.fail(DOWN, pause_seconds=600)
    row = await row_of(runtime, instance.id)
    assert (row.failures, row.due_at) == (2, clock.now() + seconds(600))


async def test_a_defect_is_told_without_its_text(runtime, instance):
    task = await claimed(runtime, instance)

    await task.fail(InternalError("The password is in /etc/shadow."), pause_seconds=1)

    assert (await row_of(runtime, instance.id)).error == {
        "code": "INTERNAL",
        "message": "Something went wrong inside the gateway. Its operator finds the cause in the log. It is tried again after a pause.",
    }


async def test_an_endless_message_is_kept_in_part(runtime, instance):
    task = await claimed(runtime, instance)

    await task.fail(UpstreamUnavailableError("x" * 1_000_000, may_have_been_received=False), pause_seconds=1)

    assert (await row_of(runtime, instance.id)).error["message"] == "x" * 2_000


async def test_a_task_that_is_given_back_goes_on_elsewhere_at_once_and_not_here(runtime, instance):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        await task.save(session, progress={"page": 3})

    await task.release()

    with pytest.raises(FencedError):
        async with task.commit():
            pytest.fail("the block of a fenced commit runs")
    assert (await claimed(runtime, instance, owner="heir")).progress == {"page": 3}


async def test_a_task_that_is_given_back_is_to_be_had_after_the_pause_and_keeps_what_was_asked_for_meanwhile(runtime, instance, clock):
    task = await claimed(runtime, instance)
    await ask(runtime, instance)

    await task.release(pause_seconds=1)

    assert await claims.claim(runtime, instance.id, TaskKind.PULL, owner="early") is None
    clock.advance(1)
    heir = await claimed(runtime, instance, owner="heir")
    async with heir.commit() as session:
        await heir.finish(session, None)
    assert (await row_of(runtime, instance.id)).due_at == clock.now()


async def test_a_run_counts_what_its_commits_did_and_ends(runtime, instance, clock):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        await runs.begin(task, session)
    for _ in range(2):
        async with task.commit() as session:
            await runs.count(task, session, records=100, events=3, pages=1)
    async with task.commit() as session:
        await runs.end(task, session, SyncConclusion.SUCCESS)
        await task.finish(session, None)

    assert await runs_of(runtime, instance) == [
        {
            "kind": "PULL_UPDATES",
            "status": "COMPLETED",
            "conclusion": "SUCCESS",
            "record_count": 200,
            "event_count": 6,
            "page_count": 2,
            "missing_count": 0,
            "error": None,
        }
    ]
    assert (await row_of(runtime, instance.id)).run_id is None


async def test_work_counts_for_the_run_that_somebody_asked_for(runtime, instance, clock):
    waiting = SyncRun(instance_id=instance.id, customer_id=instance.customer_id, kind=SyncKind.PULL_UPDATES.value, created_at=clock.now())
    other = SyncRun(instance_id=instance.id, customer_id=instance.customer_id, kind=SyncKind.FULL_SYNC.value, created_at=clock.now())
    async with runtime.database.write(SYSTEM) as session:
        session.add_all([other, waiting])
    task = await claimed(runtime, instance)

    async with task.commit() as session:
        state = await runs.begin(task, session)

    assert state.run_id == waiting.id
    assert [(run["kind"], run["status"]) for run in await runs_of(runtime, instance)] == [
        ("PULL_UPDATES", "IN_PROGRESS"),
        ("FULL_SYNC", "QUEUED"),
    ]


async def test_a_run_that_was_interrupted_goes_on_and_one_that_ended_does_not(runtime, instance, clock):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        first = await runs.begin(task, session)
    clock.advance(LEASE_SECONDS)
    heir = await claimed(runtime, instance, owner="heir")
    async with heir.commit() as session:
        again = await runs.begin(heir, session)
        await runs.end(heir, session, SyncConclusion.FAILURE, error=DOWN)
        await heir.record_failure(session, DOWN, pause_seconds=0)

    last = await claimed(runtime, instance)
    async with last.commit() as session:
        another = await runs.begin(last, session)

    assert again.run_id == first.run_id != another.run_id
    assert [(run["status"], run["conclusion"]) for run in await runs_of(runtime, instance)] == [
        ("COMPLETED", "FAILURE"),
        ("IN_PROGRESS", None),
    ]


async def test_what_people_ask_of_a_run_is_seen_by_its_next_commit(runtime, instance):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        state = await runs.begin(task, session)
    assert (state.is_held, state.is_cancelled, state.is_released) == (False, False, False)
    async with runtime.database.write(SYSTEM) as session:
        run = await session.get(SyncRun, state.run_id)
        run.is_cancelled = run.is_released = True

    async with task.commit() as session:
        state = await runs.hold(task, session, missing=70)

    assert (state.is_held, state.is_cancelled, state.is_released) == (True, True, True)
    assert [(run["status"], run["missing_count"]) for run in await runs_of(runtime, instance)] == [(SyncStatus.HELD.value, 70)]


async def test_a_task_that_is_held_keeps_its_run_and_where_it_goes_on(runtime, instance, clock):
    task = await claimed(runtime, instance)
    async with task.commit() as session:
        state = await runs.begin(task, session)
        await task.save(session, progress={"page": 1})
        await task.hold(session, clock.now() + seconds(60))

    clock.advance(60)

    again = await claimed(runtime, instance)
    assert (again.run_id, again.progress, again.failures) == (state.run_id, {"page": 1}, 0)
