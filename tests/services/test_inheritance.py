"""What definitions pass on: three layers, each overriding only what it sets, and the app's default below them."""

import pytest

from gateway.models import ElementState, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources, elements
from gateway.services.selectors import DataSourceInstanceSelector, DataSourceSelector, PointerInput
from tests.support import runtime as given
from tests.support.runtime import context_of

JOTTINGS = DataSourceSelector(key="jottings")


IN_NOTES = DataSourceSelector(key="jottings", integration_key="notes")


async def update(world, by=JOTTINGS, **changes):
    return await data_sources.update(world.runtime, SYSTEM, by=by, **changes)


async def applied(world, *integration_keys):
    return await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=list(integration_keys or ["notes"]))


async def settings_of(world, instance):
    return (await context_of(world.runtime, instance)).settings(world.runtime)


def decided(settings):
    return {setting.name.value: (setting.value, setting.origin.value) for setting in settings.settings}


async def test_each_layer_overrides_the_one_above_and_a_reset_returns_to_it(world):
    await applied(world)
    instance = await given.instance(world.runtime, world.acme, world.connection)
    of_instance = DataSourceInstanceSelector(id=instance.id)
    story = []

    async def tell():
        settings = await settings_of(world, instance)
        origin = settings.settings[0].origin.value
        story.append((settings.pointer.path, origin, settings.default_pointer.path, settings.pull_updates_interval_seconds))

    await tell()
    await update(world, pointer=PointerInput(path="/data/notes?notebookId=7"), pull_updates_interval_seconds=100)
    await tell()
    await update(world, IN_NOTES, pointer=PointerInput(path="/data/notes?notebookId=8"))
    await tell()
    await update(world, IN_NOTES, pull_updates_interval_seconds=200)
    await data_source_instances.update(world.runtime, world.acme, by=of_instance, pointer=PointerInput(path="/data/people"))
    await tell()
    await update(world, IN_NOTES, pointer=PointerInput(path="/data/notes?notebookId=9"))
    await tell()
    await data_source_instances.reset(world.runtime, world.acme, by=of_instance)
    await tell()
    await data_sources.reset(world.runtime, SYSTEM, by=IN_NOTES)
    await tell()
    await update(world, pointer=None, pull_updates_interval_seconds=None)
    await tell()

    assert story == [
        ("/data/notes", "CONNECTOR", "/data/notes", 300),
        ("/data/notes?notebookId=7", "UNIVERSAL", "/data/notes?notebookId=7", 100),
        ("/data/notes?notebookId=8", "INTEGRATION", "/data/notes?notebookId=8", 100),
        ("/data/people", "CONNECTION", "/data/notes?notebookId=8", 200),
        ("/data/people", "CONNECTION", "/data/notes?notebookId=9", 200),
        ("/data/notes?notebookId=9", "INTEGRATION", "/data/notes?notebookId=9", 200),
        ("/data/notes?notebookId=7", "UNIVERSAL", "/data/notes?notebookId=7", 100),
        ("/data/notes", "CONNECTOR", "/data/notes", 300),
    ]


async def test_only_a_customisation_with_an_override_is_customized(world):
    (child,) = await applied(world)
    assert (world.jottings.is_customized, child.is_customized) == (False, False)

    for change, back in (
        ({"name": "Scribbles"}, {"name": None}),
        ({"udm": "tasks"}, {"udm": None}),
        ({"pointer": PointerInput(key="notes")}, {"pointer": None}),
        ({"pull_updates_interval_seconds": 60}, {"pull_updates_interval_seconds": None}),
        ({"full_sync_interval_seconds": 60}, {"full_sync_interval_seconds": None}),
        ({"event_bodies": False}, {"event_bodies": None}),
    ):
        assert (await update(world, IN_NOTES, **change)).is_customized
        assert not (await update(world, IN_NOTES, **back)).is_customized
    assert not (await update(world, name="Scribbles", udm="tasks", event_bodies=False)).is_customized


async def test_bodies_of_events_are_a_setting_of_definitions(world):
    await applied(world)
    await update(world, event_bodies=False)
    instance = await given.instance(world.runtime, world.acme, world.connection)

    assert decided(await settings_of(world, instance))["EVENT_BODIES"] == (False, "UNIVERSAL")
    await update(world, IN_NOTES, event_bodies=True)
    assert decided(await settings_of(world, instance))["EVENT_BODIES"] == (True, "INTEGRATION")


async def test_an_archived_customisation_decides_nothing(world):
    await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"])
    instance = await given.instance(world.runtime, world.acme, world.connection)
    await update(world, IN_NOTES, pointer=PointerInput(path="/data/people"))
    assert (await settings_of(world, instance)).pointer == Pointer("people")

    await data_sources.archive(world.runtime, SYSTEM, by=IN_NOTES)

    assert (await settings_of(world, instance)).pointer == Pointer("notes")


@pytest.mark.parametrize(
    ("udm", "pointer"),
    [
        ("notes", Pointer("notes")),
        ("users", Pointer("people")),
        ("activities", Pointer("notes")),  # Falls back to tasks, meetings, notes, emails: notes is the first that the app has.
        ("tasks", None),  # Falls back to activities, which the app has not; its own fallbacks are a second level.
        ("companies", None),
        (None, None),
    ],
)
async def test_the_default_collection_is_the_models_or_that_of_its_fallbacks_one_level_down(world, udm, pointer):
    await given.definition(world.runtime, "things", udm=udm)
    instance = await given.instance(world.runtime, world.acme, world.connection, "things")

    settings = await settings_of(world, instance)
    assert settings.pointer == settings.default_pointer == pointer
    assert settings.settings[0].origin.value == ("CONNECTOR" if pointer is not None else "DEFAULT")


async def test_a_universal_path_has_only_text_until_a_connector_types_it(world):
    await update(world, pointer=PointerInput(path="/data/notes?notebookId=7&isPinned=false&label=7"))
    instance = await given.instance(world.runtime, world.acme, world.connection)
    expected = {"notebookId": 7, "isPinned": False, "label": "7"}

    settings = await settings_of(world, instance)
    assert settings.pointer == Pointer("notes", expected)
    assert decided(settings)["POINTER"] == ({"key": "notes", "parameters": expected}, "UNIVERSAL")
    before = await data_source_instances.by_selector(world.runtime, world.acme, by=DataSourceInstanceSelector(id=instance.id))
    after = await data_source_instances.update(
        world.runtime, world.acme, by=DataSourceInstanceSelector(id=instance.id), pointer=PointerInput(key="notes", parameters=expected)
    )
    assert after.generation == before.generation


async def test_a_universal_pointer_that_does_not_fit_the_app_is_told_of_the_instance(world):
    await update(world, pointer=PointerInput(path="/data/deals"))
    instance = await given.instance(world.runtime, world.acme, world.connection)

    health = (await context_of(world.runtime, instance)).health(world.runtime)

    message = "Notes has no location 'deals'. It has '/data/notes', '/data/people', '/data/scraps?box=...'."
    assert (health.state, [(error.code, error.message) for error in health.errors]) == (
        ElementState.CONFIGURATION_ERROR,
        [("INVALID", message)],
    )
    await update(world, pointer=None)
    assert (await context_of(world.runtime, instance)).health(world.runtime) == elements.Health(state=ElementState.READY, errors=())
