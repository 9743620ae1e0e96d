import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import select

from gateway.errors import UpstreamUnavailableError
from gateway.models import DataSourceInstance, EventSubscription, SyncConclusion, TaskKind
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import event_subscriptions
from gateway.services.selectors import DataSourceInstanceSelector
from gateway.sync import runs
from gateway.sync.tasks import Task
from gateway.sync.worker import running_worker
from tests.support.sync_tasks import ask, claimed, row_of, runs_of, seconds

PATIENCE_SECONDS = 20


class Work:
    """A `perform` that tests watch: it counts what it did, and how much of it at a time."""

    def __init__(self) -> None:
        self.done: Counter[object] = Counter()
        self.under_way = 0
        self.most_under_way = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.gated: set[TaskKind] = set(TaskKind)

    async def __call__(self, runtime: Runtime, task: Task) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if task.kind in self.gated:
                await self.gate.wait()
            async with task.commit() as session:
                await task.finish(session, None)
            self.done[task.instance_id] += 1
        finally:
            self.under_way -= 1


def with_settings(runtime: Runtime, **settings: object) -> Runtime:
    return replace(runtime, settings=runtime.settings.model_copy(update=settings))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - whatever it is, it has no event
            await asyncio.sleep(0.01)


async def until_failed(runtime: Runtime, instance: DataSourceInstance, kind: TaskKind = TaskKind.PULL) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await row_of(runtime, instance.id, kind)).failures:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


async def test_what_is_asked_for_is_done_once_whoever_asked_when(runtime, instances_of):
    before, after = await instances_of(8), await instances_of(8)
    await ask(runtime, *before)
    work = Work()

    async with running_worker(runtime, perform=work):
        await ask(runtime, *after)
        await until(lambda: len(work.done) == 16)

    assert set(work.done.values()) == {1}


async def test_two_workers_share_the_work_and_do_nothing_twice(runtime, instances_of):
    instances = await instances_of(20)
    work = Work()

    async with running_worker(runtime, perform=work), running_worker(runtime, perform=work):
        await ask(runtime, *instances, kind=TaskKind.INBOX)
        await until(lambda: len(work.done) == 20)

    assert set(work.done.values()) == {1}


async def test_a_request_during_the_work_is_answered_after_it(runtime, instances_of):
    [instance] = await instances_of(1)
    work = Work()
    work.gate.clear()

    async with running_worker(runtime, perform=work):
        await ask(runtime, instance)
        await until(lambda: work.under_way == 1)
        await ask(runtime, instance)
        work.gate.set()
        await until(lambda: work.done[instance.id] == 2)

    assert (await row_of(runtime, instance.id)).due_at is None


async def test_a_worker_does_no_more_at_a_time_than_it_may(runtime, instances_of):
    instances = await instances_of(12)
    work = Work()
    work.gate.clear()

    async with running_worker(with_settings(runtime, sync_concurrency=3), perform=work):
        await ask(runtime, *instances, kind=TaskKind.SETUP)
        await until(lambda: work.under_way == 3)
        work.gate.set()
        await until(lambda: len(work.done) == 12)

    assert work.most_under_way == 3


async def test_full_syncs_leave_room_for_what_is_short(runtime, instances_of):
    listed = [instance for _ in range(5) for instance in await instances_of(1)]
    [pulled] = await instances_of(1)
    work = Work()
    work.gate.clear()
    work.gated = {TaskKind.FULL}

    async with running_worker(with_settings(runtime, sync_concurrency=4), perform=work):
        await ask(runtime, *listed, kind=TaskKind.FULL)
        await until(lambda: work.under_way == 3)
        await ask(runtime, pulled)
        await until(lambda: work.done[pulled.id] == 1)
        assert work.under_way == 3
        work.gate.set()
        await until(lambda: len(work.done) == 6)


async def test_an_error_that_is_raised_is_recorded_and_the_others_are_done(runtime, instances_of):
    failing, other = await instances_of(2)
    work = Work()

    async def perform(runtime: Runtime, task: Task) -> None:
        if task.instance_id == failing.id:
            async with task.commit() as session:
                await runs.begin(task, session)
            raise UpstreamUnavailableError("The app is down.", may_have_been_received=False)
        await work(runtime, task)

    async with running_worker(runtime, perform=perform):
        await ask(runtime, failing, other)
        await until(lambda: work.done[other.id] == 1)

    row = await row_of(runtime, failing.id)
    told = {"code": "UPSTREAM_UNAVAILABLE", "message": "The app is down."}
    assert (row.owner, row.failures, row.error, row.run_id) == (None, 1, told, None)
    assert [(run["conclusion"], run["error"]) for run in await runs_of(runtime, failing)] == [("FAILURE", told)]


async def raises_a_defect(runtime: Runtime, task: Task) -> None:
    raise ValueError("secret-of-acme")


async def does_not_end(runtime: Runtime, task: Task) -> None:
    pass


@pytest.mark.parametrize("perform", [raises_a_defect, does_not_end])
async def test_a_defect_is_recorded_without_its_text_and_tried_again_after_a_pause(runtime, instances_of, clock, perform):
    [instance] = await instances_of(1)
    await ask(runtime, instance)

    async with running_worker(runtime, perform=perform):
        await until_failed(runtime, instance)

    row = await row_of(runtime, instance.id)
    assert (row.failures, row.owner, row.error["code"]) == (1, None, "INTERNAL")
    assert "secret-of-acme" not in row.error["message"]
    assert row.due_at > clock.now()


async def test_a_defect_in_the_first_commit_of_a_run_is_recorded_too(runtime, instances_of):
    [instance] = await instances_of(1)

    async def perform(runtime: Runtime, task: Task) -> None:
        async with task.commit() as session:
            await runs.begin(task, session)
            raise ZeroDivisionError

    async with running_worker(runtime, perform=perform):
        await ask(runtime, instance)
        await until_failed(runtime, instance)

    assert [(run["conclusion"], run["error"]["code"]) for run in await runs_of(runtime, instance)] == [("FAILURE", "INTERNAL")]


async def test_a_defect_is_told_to_who_is_interested_and_a_full_sync_begins_again_after_it(runtime, instances_of):
    [instance] = await instances_of(1)
    await event_subscriptions.subscribe(runtime, SYSTEM, by=DataSourceInstanceSelector(id=instance.id))

    async def perform(runtime: Runtime, task: Task) -> None:
        if task.kind is TaskKind.FULL:
            async with task.commit() as session:
                await runs.begin(task, session)
                await task.save(session, progress={"what": "it fails at"})
            raise KeyError("phase")
        async with task.commit() as session:
            await task.finish(session, None)

    async with running_worker(runtime, perform=perform):
        await ask(runtime, instance, kind=TaskKind.FULL)
        await until_failed(runtime, instance, TaskKind.FULL)

    async with runtime.database.read(SYSTEM) as session:
        told = (await session.exec(select(EventSubscription.status, EventSubscription.error))).all()
    assert {(status, error["code"]) for status, error in told} == {("ERROR", "INTERNAL")}
    row = await row_of(runtime, instance.id, TaskKind.FULL)
    assert (row.progress, row.run_id) == (None, None)


async def test_what_the_database_kept_from_its_end_is_not_begun_again_without_a_pause(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    begun = 0

    async def perform(runtime: Runtime, task: Task) -> None:
        nonlocal begun
        begun += 1
        raise ConnectionResetError

    async with running_worker(runtime, perform=perform):
        await ask(runtime, instance)
        await until(lambda: begun == 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await row_of(runtime, instance.id)).fence < 2:  # noqa: ASYNC110 - whoever gives back says nothing
                await asyncio.sleep(0.01)

    row = await row_of(runtime, instance.id)
    assert (begun, row.failures, row.error, row.due_at) == (1, 0, None, clock.now() + seconds(1))


async def test_what_is_under_way_when_a_worker_ends_goes_on_at_the_next_one(runtime, instances_of):
    [instance] = await instances_of(1)
    started = asyncio.Event()

    async def never_ends(runtime: Runtime, task: Task) -> None:
        async with task.commit() as session:
            await runs.begin(task, session)
            await task.save(session, progress={"page": 2})
        started.set()
        await asyncio.Event().wait()

    seen = []

    async def goes_on(runtime: Runtime, task: Task) -> None:
        found = (task.progress, task.run_id)
        async with task.commit() as session:
            await runs.end(task, session, SyncConclusion.SUCCESS)
            await task.finish(session, None)
        # Not before: the worker ends when it is seen, and takes what is not committed with it.
        seen.append(found)

    async with running_worker(runtime, perform=never_ends):
        await ask(runtime, instance)
        await started.wait()
    run_id = (await row_of(runtime, instance.id)).run_id
    async with running_worker(runtime, perform=goes_on):
        await until(lambda: len(seen) == 1)

    assert seen == [({"page": 2}, run_id)]
    assert [run["conclusion"] for run in await runs_of(runtime, instance)] == ["SUCCESS"]


async def test_a_worker_that_waits_for_an_app_keeps_its_lease(runtime, instances_of, clock):
    [instance] = await instances_of(1)
    work = Work()
    work.gate.clear()

    async with running_worker(with_settings(runtime, sync_lease_seconds=1), perform=work):
        await ask(runtime, instance)
        await until(lambda: work.under_way == 1)
        for _ in range(3):
            clock.advance(0.9)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await row_of(runtime, instance.id)).due_at < clock.now() + seconds(1):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        work.gate.set()
        await until(lambda: work.done[instance.id] == 1)

    assert (work.most_under_way, (await row_of(runtime, instance.id)).fence) == (1, 1)


async def test_after_a_crash_of_the_only_process_work_goes_on_at_once(runtime, instances_of):
    if runtime.database.engine.dialect.name != "sqlite":
        pytest.skip("with several processes a lease must end first")
    [instance] = await instances_of(1)
    await ask(runtime, instance)
    await claimed(runtime, instance, owner="a process that was killed")
    work = Work()

    async with running_worker(runtime, perform=work):
        await until(lambda: work.done[instance.id] == 1)

    assert (await row_of(runtime, instance.id)).fence == 2
