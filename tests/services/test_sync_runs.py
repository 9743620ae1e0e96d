"""Sync runs that somebody asks for, ends, or lets go on."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError
from gateway.models import CursorSync, DataSourceInstance, SyncKind, SyncRun, SyncSupport, TaskKind
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, event_subscriptions, sync_runs
from tests.services.conftest import World
from tests.services.instances import by
from tests.support import following
from tests.support.notes_connector import NotesApp
from tests.support.runtime import customer, refused

HELD = {"status": "HELD"}
UNDER_WAY = {"status": "IN_PROGRESS"}
DONE = {"status": "COMPLETED", "conclusion": "SUCCESS"}


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


@pytest.fixture
async def followed(world: World, instance: DataSourceInstance, notes_app: NotesApp) -> DataSourceInstance:
    """An instance that somebody is interested in, of a collection with a cursor."""
    notes_app.sync_support = SyncSupport(cursor=CursorSync())
    await event_subscriptions.subscribe(world.runtime, world.acme, by=by(instance))
    await following.forget_requests(world.runtime)
    return instance


async def request(world: World, instance: DataSourceInstance, kind: SyncKind = SyncKind.FULL_SYNC) -> SyncRun:
    return await sync_runs.request(world.runtime, world.acme, by=by(instance), kind=kind)


async def run_at(world: World, instance: DataSourceInstance, *, owner: str | None = None, **values: object) -> SyncRun:
    """A full sync as a worker leaves it."""
    run = await request(world, instance)
    await following.change_run(world.runtime, run, **values)
    await following.change_task(world.runtime, instance, TaskKind.FULL, run_id=run.id, owner=owner, requested_at=None, due_at=None)
    return run


async def asked_for(world: World, instance: DataSourceInstance) -> list[TaskKind]:
    return [kind for kind in TaskKind if await following.is_asked_for(world.runtime, instance, kind)]


@pytest.mark.parametrize(("kind", "task"), [(SyncKind.PULL_UPDATES, TaskKind.PULL), (SyncKind.FULL_SYNC, TaskKind.FULL)])
async def test_a_run_that_is_asked_for_is_queued_and_its_task_due_at_once(
    kind: SyncKind, task: TaskKind, world: World, followed: DataSourceInstance
):
    rung = world.runtime.events.bell.count
    run = await request(world, followed, kind)

    assert (run.kind, run.status, run.conclusion, run.started_at) == (kind.value, "QUEUED", None, None)
    assert await asked_for(world, followed) == [task]
    assert (await following.task_of(world.runtime, followed, task)).due_at == world.runtime.clock.now()
    assert world.runtime.events.bell.count > rung


async def test_asked_for_several_times_at_once_there_is_one_queued_run(world: World, followed: DataSourceInstance):
    runs = await asyncio.gather(*(request(world, followed) for _ in range(5)))

    assert len({run.id for run in runs}) == 1
    assert (await request(world, followed, SyncKind.PULL_UPDATES)).id != runs[0].id


async def test_while_a_run_is_under_way_another_one_is_queued(world: World, followed: DataSourceInstance):
    first = await run_at(world, followed, owner="a worker", **UNDER_WAY)
    second = await request(world, followed)

    assert (second.id != first.id, second.status) == (True, "QUEUED")
    assert (await request(world, followed)).id == second.id


@pytest.mark.parametrize("values", [HELD, UNDER_WAY])
async def test_a_run_that_is_held_or_failed_goes_on_instead_of_a_new_one(
    values: dict[str, str], world: World, followed: DataSourceInstance
):
    first = await run_at(world, followed, **values)

    assert (await request(world, followed)).id == first.id
    assert await asked_for(world, followed) == [TaskKind.FULL]


async def test_what_nobody_is_interested_in_is_not_synced(world: World, instance: DataSourceInstance):
    message = "Nobody is interested in changes of this instance, so it is not synced. Subscribe to them first."
    async with refused(world.runtime, InvalidError, message, field=["input", "by"]):
        await request(world, instance)


async def test_updates_are_pulled_only_where_the_collection_tells_what_changed(
    world: World, followed: DataSourceInstance, notes_app: NotesApp
):
    notes_app.sync_support = SyncSupport()
    message = "The collection does not tell what changed, so it can only be read whole. Ask for a FULL_SYNC."

    async with refused(world.runtime, UnsupportedError, message, field=["input", "kind"]):
        await request(world, followed, SyncKind.PULL_UPDATES)
    assert (await request(world, followed)).kind == "FULL_SYNC"


async def test_an_archived_instance_is_not_synced(world: World, followed: DataSourceInstance):
    await data_source_instances.archive(world.runtime, world.acme, by=by(followed))

    async with refused(world.runtime, InvalidError, "The instance is archived. Restore it first.", field=["input", "by"]):
        await request(world, followed)


async def test_a_queued_run_is_cancelled_at_once_and_stays_so(world: World, followed: DataSourceInstance):
    run = await request(world, followed)
    for _ in range(2):
        ended = await sync_runs.cancel(world.runtime, world.acme, id=run.id)
        assert (ended.status, ended.conclusion, ended.completed_at) == ("COMPLETED", "CANCELLED", world.runtime.clock.now())
    assert (await request(world, followed)).id != run.id


async def test_a_run_under_way_is_told_to_end_and_its_worker_is_not_asked_to_start_again(world: World, followed: DataSourceInstance):
    run = await run_at(world, followed, owner="a worker", **UNDER_WAY)
    ended = await sync_runs.cancel(world.runtime, world.acme, id=run.id)

    assert (ended.status, ended.is_cancelled, ended.completed_at) == ("IN_PROGRESS", True, None)
    assert await asked_for(world, followed) == []


@pytest.mark.parametrize("values", [HELD, UNDER_WAY])
async def test_a_run_that_waits_is_told_to_end_and_taken_up_for_it(values: dict[str, str], world: World, followed: DataSourceInstance):
    run = await run_at(world, followed, **values)
    ended = await sync_runs.cancel(world.runtime, world.acme, id=run.id)

    assert (ended.status, ended.is_cancelled) == (values["status"], True)
    assert await asked_for(world, followed) == [TaskKind.FULL]


async def test_a_run_that_has_ended_can_be_neither_cancelled_nor_released(world: World, followed: DataSourceInstance):
    run = await run_at(world, followed, **DONE)

    async with refused(world.runtime, ConflictError, "The run has ended already.", field=["input", "id"]):
        await sync_runs.cancel(world.runtime, world.acme, id=run.id)
    message = "The run is not held, it is COMPLETED: there is nothing to release."
    async with refused(world.runtime, ConflictError, message, field=["input", "id"]):
        await sync_runs.release(world.runtime, world.acme, id=run.id)
    assert await asked_for(world, followed) == []


async def test_a_held_run_is_released_and_taken_up_at_once(world: World, followed: DataSourceInstance):
    run = await run_at(world, followed, **HELD)
    for _ in range(2):
        assert (await sync_runs.release(world.runtime, world.acme, id=run.id)).is_released
    assert await asked_for(world, followed) == [TaskKind.FULL]


async def test_anothers_run_is_one_that_does_not_exist(world: World, followed: DataSourceInstance):
    run = await run_at(world, followed, **HELD)
    globex = await customer(world.runtime, "globex")

    for act in (sync_runs.cancel, sync_runs.release):
        for run_id in (run.id, new_id()):
            async with refused(world.runtime, NotFoundError, "There is no sync run of that id.", field=["input", "id"]):
                await act(world.runtime, globex, id=run_id)
    async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "by", "id"]):
        await sync_runs.request(world.runtime, globex, by=by(followed), kind=SyncKind.FULL_SYNC)
    assert await asked_for(world, followed) == []
    assert (await sync_runs.release(world.runtime, SYSTEM, id=run.id)).is_released


async def test_a_listener_whose_time_is_over_is_no_interest(world: World, instance: DataSourceInstance):
    await event_subscriptions.subscribe(world.runtime, world.acme, by=by(instance))
    rows = await following.subscriptions_of(world.runtime, instance)
    async with world.runtime.database.write(SYSTEM) as session:
        for row in rows.values():
            row.expires_at = world.runtime.clock.now() - timedelta(seconds=1)
            await session.merge(row)

    with pytest.raises(InvalidError, match="Nobody is interested"):
        await request(world, instance)
