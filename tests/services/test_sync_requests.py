"""Whoever changes what syncs go by asks for a look at the instances that somebody was ever interested in, and at no others."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.models import DataSourceInstance, TaskKind
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, data_sources, event_subscriptions, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceSelector, PointerInput
from tests.services.conftest import World
from tests.services.instances import by, update
from tests.support import following
from tests.support.notes_connector import GOOD_TOKEN, NotesApp
from tests.support.runtime import connection, customer, definition, integration
from tests.support.runtime import instance as created

Act = Callable[[World, DataSourceInstance], Awaitable[Any]]


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


def _acme(world: World) -> tuple[Any, Any]:
    return world.runtime, world.acme


def _connected(world: World) -> ConnectionSelector:
    return ConnectionSelector(id=world.connection.id)


async def _pause(world: World, instance: DataSourceInstance, **values: Any) -> None:
    await following.change_task(world.runtime, instance, TaskKind.PULL, failures=3, due_at=world.runtime.clock.now(), **values)


CHANGES: dict[str, Act] = {
    "instance updated": lambda world, row: update(world, row, full_sync_interval_seconds=600),
    "instance pointed elsewhere": lambda world, row: update(world, row, pointer=PointerInput(path="/data/notes?isPinned=true")),
    "instance reset": lambda world, row: data_source_instances.reset(*_acme(world), by=by(row)),
    "instance archived": lambda world, row: data_source_instances.archive(*_acme(world), by=by(row)),
    "definition updated": lambda world, row: data_sources.update(
        world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), pull_updates_interval_seconds=600
    ),
    "definition customised": lambda world, row: data_sources.create(
        world.runtime, SYSTEM, key="jottings", integration_key="notes", universal_key="jottings", pull_updates_interval_seconds=600
    ),
    "definition archived": lambda world, row: data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings")),
    "connection updated": lambda world, row: connections.update(
        *_acme(world), by=_connected(world), auth_method="token", credentials={"token": GOOD_TOKEN}
    ),
    "connection archived": lambda world, row: connections.archive(*_acme(world), by=_connected(world)),
    "integration updated": lambda world, row: integrations.update(world.runtime, SYSTEM, key="notes", parameters={"region": "eu"}),
    "integration archived": lambda world, row: integrations.archive(world.runtime, SYSTEM, key="notes"),
}


async def is_asked_for(world: World, row: DataSourceInstance, kind: TaskKind = TaskKind.SETUP) -> bool:
    return await following.is_asked_for(world.runtime, row, kind)


@pytest.mark.parametrize("name", sorted(CHANGES))
async def test_a_change_asks_for_a_look_at_the_instances_that_it_is_about(name: str, world: World, instance: DataSourceInstance):
    runtime = world.runtime
    await integration(runtime, "elsewhere")
    globex = await customer(runtime, "globex")
    apart = await created(runtime, globex, await connection(runtime, globex, integration_key="elsewhere"), await _key_of(world))
    idle = await created(runtime, world.acme, world.connection, instance_key="idle")
    await event_subscriptions.subscribe(runtime, world.acme, by=by(instance))
    await event_subscriptions.subscribe(runtime, globex, by=by(apart))
    await following.forget_requests(runtime)
    rung = runtime.events.bell.count

    await CHANGES[name](world, instance)

    assert await is_asked_for(world, instance)
    assert not await is_asked_for(world, apart)
    assert not await is_asked_for(world, idle)
    assert runtime.events.bell.count > rung


async def _key_of(world: World) -> str:
    """A definition that has nothing to do with `jottings`."""
    await definition(world.runtime, "others")
    return "others"


async def test_what_comes_back_from_the_archive_is_looked_at(world: World, instance: DataSourceInstance):
    runtime = world.runtime
    await event_subscriptions.subscribe(runtime, world.acme, by=by(instance))
    jottings = await data_sources.archive(runtime, SYSTEM, by=DataSourceSelector(key="jottings"))
    await following.forget_requests(runtime)
    await data_sources.restore(runtime, SYSTEM, id=jottings.id)
    assert await is_asked_for(world, instance)

    notes = await integrations.archive(runtime, SYSTEM, key="notes")
    await following.forget_requests(runtime)
    await integrations.restore(runtime, SYSTEM, id=notes.id)
    assert await is_asked_for(world, instance)

    await data_source_instances.archive(runtime, world.acme, by=by(instance))
    await following.forget_requests(runtime)
    await data_source_instances.restore(runtime, world.acme, id=instance.id)
    assert await is_asked_for(world, instance)

    await connections.archive(runtime, world.acme, by=_connected(world))
    await following.forget_requests(runtime)
    await connections.restore(runtime, world.acme, id=world.connection.id)
    assert await is_asked_for(world, instance)

    await data_source_instances.archive(runtime, world.acme, by=by(instance))
    await following.forget_requests(runtime)
    await created(runtime, world.acme, world.connection)
    assert await is_asked_for(world, instance)


async def test_what_failed_in_a_connection_is_tried_again_when_the_app_accepts_it_again(
    world: World, instance: DataSourceInstance, notes_app: NotesApp
):
    await event_subscriptions.subscribe(world.runtime, world.acme, by=by(instance))
    notes_app.accepted_tokens.clear()
    assert not (await connections.test(*_acme(world), by=_connected(world))).is_accepted
    await following.forget_requests(world.runtime)
    await _pause(world, instance)

    notes_app.accepted_tokens.add(GOOD_TOKEN)
    assert (await connections.test(*_acme(world), by=_connected(world))).is_accepted

    assert await is_asked_for(world, instance)
    assert await is_asked_for(world, instance, TaskKind.PULL)
    assert not await is_asked_for(world, instance, TaskKind.FULL)


async def test_a_dry_run_asks_for_nothing(world: World, instance: DataSourceInstance):
    await event_subscriptions.subscribe(world.runtime, world.acme, by=by(instance))
    await following.forget_requests(world.runtime)

    await update(world, instance, pointer=PointerInput(path="/data/notes?isPinned=true"), dry_run=True)

    assert not await is_asked_for(world, instance)
