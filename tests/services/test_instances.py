"""The life of an instance: created on first use, pointed elsewhere, set up, reset, archived and back."""

import pytest

from gateway.errors import (
    ConflictError,
    InvalidError,
)
from gateway.models import ElementState, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, data_sources, elements
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput
from tests.services.instances import by, health_of, settings_of, update
from tests.support import runtime as given
from tests.support.runtime import counts, refused, stored

BY_KEY = DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="notes"), data_source=DataSourceSelector(key="jottings"))


async def test_a_new_instance_points_at_the_default_collection_and_overrides_nothing(world, notes_app):
    instance, is_created = await data_source_instances.create(
        world.runtime,
        world.acme,
        connection=ConnectionSelector(integration_key="notes"),
        data_source=DataSourceSelector(key="jottings"),
        instance_key=None,
    )

    settings = await settings_of(world, instance)
    assert is_created
    assert (settings.pointer, settings.default_pointer) == (Pointer("notes"), Pointer("notes"))
    assert {setting.name.value: setting.origin.value for setting in settings.settings} == {
        "POINTER": "CONNECTOR",
        "PULL_UPDATES_INTERVAL_SECONDS": "DEFAULT",
        "FULL_SYNC_INTERVAL_SECONDS": "DEFAULT",
        "EVENT_BODIES": "DEFAULT",
    }
    assert (instance.is_customized, instance.generation, instance.revision, instance.instance_key) == (False, 1, 1, None)
    assert await health_of(world, instance) == elements.Health(state=ElementState.READY, errors=())
    assert notes_app.requests == ["check", "describe"]


async def test_creating_it_again_returns_the_one_that_exists_and_asks_nothing(world, instance, notes_app):
    before = await stored(world.runtime)

    again, is_created = await data_source_instances.create(
        world.runtime,
        world.acme,
        connection=ConnectionSelector(id=world.connection.id),
        data_source=DataSourceSelector(id=world.jottings.id),
        instance_key="",
    )

    assert (again.id, is_created) == (instance.id, False)
    assert await stored(world.runtime) == before
    assert notes_app.requests == []


async def test_every_instance_key_is_an_instance_of_its_own(world, instance):
    draft = await given.instance(world.runtime, world.acme, world.connection, instance_key="draft")
    await update(world, draft, pointer=PointerInput(path="/data/people"))

    assert (await settings_of(world, draft)).pointer == Pointer("people")
    assert (await settings_of(world, instance)).pointer == Pointer("notes")
    found = await data_source_instances.by_selector(
        world.runtime,
        world.acme,
        by=DataSourceInstanceSelector(
            connection=ConnectionSelector(id=world.connection.id), data_source=DataSourceSelector(key="jottings"), instance_key="draft"
        ),
    )
    assert (found.id, found.instance_key) == (draft.id, "draft")
    assert (await counts(world.runtime))["DataSourceInstance"] == 2


@pytest.mark.parametrize(
    ("key", "message"), [(" ", "The text must not be blank."), ("a" * 256, "The text has 256 characters; at most 255 are stored.")]
)
async def test_an_instance_key_is_a_text_that_can_be_stored(world, key, message):
    async with refused(world.runtime, InvalidError, message, field=["input", "instanceKey"]):
        await given.instance(world.runtime, world.acme, world.connection, instance_key=key)


async def test_intervals_are_overridden_one_by_one_and_null_returns_to_the_inherited_one(world, instance, notes_app):
    await update(world, instance, pull_updates_interval_seconds=60)
    settings = await settings_of(world, instance)
    assert (settings.pull_updates_interval_seconds, settings.full_sync_interval_seconds) == (60, 10_800)
    assert [setting.origin.value for setting in settings.settings] == ["CONNECTOR", "CONNECTION", "DEFAULT", "DEFAULT"]

    unchanged = await update(world, instance, full_sync_interval_seconds=600)
    assert (unchanged.pull_updates_interval_seconds, unchanged.full_sync_interval_seconds) == (60, 600)

    cleared = await update(world, instance, pull_updates_interval_seconds=None, full_sync_interval_seconds=None)
    assert (cleared.is_customized, cleared.generation, cleared.revision) == (False, 1, 4)
    assert notes_app.requests == []


async def test_a_changed_row_is_refused_to_whoever_read_the_one_before(world, instance):
    await update(world, instance, pull_updates_interval_seconds=60, if_revision="1")

    message = "It has changed: its revision is 2, not '1'. Read it again."
    async with refused(world.runtime, ConflictError, message, field=["input", "ifRevision"]):
        await update(world, instance, pull_updates_interval_seconds=90, if_revision="1")


async def test_a_dry_run_shows_the_same_and_saves_nothing(world, instance, notes_app):
    before = await stored(world.runtime)
    changes = {"pointer": PointerInput(path="/data/people"), "pull_updates_interval_seconds": 90}

    tried = await update(world, instance, dry_run=True, **changes)
    assert await stored(world.runtime) == before
    done = await update(world, instance, **changes)

    assert (tried.pointer, tried.pull_updates_interval_seconds, tried.is_customized) == ({"key": "people", "parameters": {}}, 90, True)
    assert (tried.pointer, tried.pull_updates_interval_seconds) == (done.pointer, done.pull_updates_interval_seconds)
    before = await stored(world.runtime)
    assert not (await data_source_instances.reset(world.runtime, world.acme, by=by(instance), dry_run=True)).is_customized
    assert await stored(world.runtime) == before
    assert notes_app.requests == ["describe"]


async def test_a_reset_drops_every_override_and_starts_a_new_generation(world, instance, notes_app):
    await update(
        world, instance, pointer=PointerInput(path="/data/people"), pull_updates_interval_seconds=90, full_sync_interval_seconds=90
    )

    reset = await data_source_instances.reset(world.runtime, world.acme, by=by(instance))

    settings = await settings_of(world, instance)
    assert (settings.pointer, settings.pull_updates_interval_seconds, settings.full_sync_interval_seconds) == (
        Pointer("notes"),
        300,
        10_800,
    )
    assert (reset.is_customized, reset.generation) == (False, 3)
    assert notes_app.requests == ["describe", "describe"]
    assert (await data_source_instances.reset(world.runtime, world.acme, by=by(instance))).generation == 3


async def test_archiving_hides_it_and_a_restore_brings_it_back_as_it_was(world, instance, clock):
    await update(world, instance, pointer=PointerInput(path="/data/people"), pull_updates_interval_seconds=90)
    clock.advance(60)
    archived = await data_source_instances.archive(world.runtime, world.acme, by=by(instance))

    assert archived.archived_at == archived.updated_at == clock.now()
    assert await data_source_instances.by_selector(world.runtime, world.acme, by=BY_KEY) is None
    assert (await data_source_instances.by_selector(world.runtime, world.acme, by=by(instance))).id == instance.id
    for refused_action in (
        update(world, instance, pull_updates_interval_seconds=60),
        update(world, instance, pull_updates_interval_seconds=60, dry_run=True),
        data_source_instances.setup(world.runtime, world.acme, by=by(instance)),
        data_source_instances.reset(world.runtime, world.acme, by=by(instance)),
    ):
        async with refused(world.runtime, InvalidError, "The instance is archived. Restore it first.", field=["input", "by"]):
            await refused_action

    clock.advance(60)
    again = await data_source_instances.archive(world.runtime, world.acme, by=by(instance))
    assert (again.archived_at, again.revision) == (archived.archived_at, archived.revision)
    restored = await data_source_instances.restore(world.runtime, world.acme, id=instance.id)
    assert (restored.archived_at, restored.pointer, restored.pull_updates_interval_seconds) == (
        None,
        {"key": "people", "parameters": {}},
        90,
    )
    assert (restored.generation, restored.updated_at) == (2, clock.now())
    assert (await data_source_instances.restore(world.runtime, world.acme, id=instance.id)).revision == restored.revision


async def test_creating_an_archived_one_revives_it_without_its_overrides(world, instance, notes_app):
    await update(world, instance, pointer=PointerInput(path="/data/people"), full_sync_interval_seconds=90)
    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))
    notes_app.requests.clear()

    revived, is_created = await data_source_instances.create(
        world.runtime,
        world.acme,
        connection=ConnectionSelector(id=world.connection.id),
        data_source=DataSourceSelector(key="jottings"),
        instance_key=None,
    )

    assert (revived.id, is_created, revived.archived_at, revived.is_customized) == (instance.id, True, None, False)
    assert revived.generation == 3
    assert (await settings_of(world, instance)).pointer == Pointer("notes")
    assert notes_app.requests == ["describe"]
    assert (await counts(world.runtime))["DataSourceInstance"] == 1


async def test_it_is_not_created_or_restored_below_something_archived(world, instance):
    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"))
    message = "Its data source 'jottings' is archived. Restore that one first."
    async with refused(world.runtime, InvalidError, message, field=["input", "id"]):
        await data_source_instances.restore(world.runtime, world.acme, id=instance.id)
    arguments = {"data_source": DataSourceSelector(id=world.jottings.id), "instance_key": None}
    async with refused(world.runtime, InvalidError, "Data source 'jottings' is archived. Restore it first.", field=["input", "dataSource"]):
        await data_source_instances.create(world.runtime, world.acme, connection=ConnectionSelector(id=world.connection.id), **arguments)

    await data_sources.restore(world.runtime, SYSTEM, id=world.jottings.id)
    await connections.archive(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id))
    message = "Its connection 'Notes' is archived. Restore that one first."
    async with refused(world.runtime, InvalidError, message, field=["input", "id"]):
        await data_source_instances.restore(world.runtime, world.acme, id=instance.id)
    async with refused(world.runtime, InvalidError, "Connection 'Notes' is archived. Restore it first.", field=["input", "connection"]):
        await data_source_instances.create(world.runtime, world.acme, connection=ConnectionSelector(id=world.connection.id), **arguments)
