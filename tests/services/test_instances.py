"""The life of an instance: created on first use, pointed elsewhere, set up, reset, archived and back."""

import pytest

from gateway.errors import (
    ConflictError,
    InvalidError,
    NoCollectionSelectedError,
    NotFoundError,
    UpstreamUnavailableError,
)
from gateway.models import ElementState, Pointer
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, data_sources, elements, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector, PointerInput
from tests.support import runtime as given
from tests.support.notes_connector import GOOD_TOKEN
from tests.support.runtime import context_of, counts, refused, stored

BY_KEY = DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="notes"), data_source=DataSourceSelector(key="jottings"))
DOWN = UpstreamUnavailableError("Notes is down.", may_have_been_received=False)


@pytest.fixture
async def instance(world, notes_app):
    instance = await given.instance(world.runtime, world.acme, world.connection)
    notes_app.requests.clear()
    return instance


def by(instance):
    return DataSourceInstanceSelector(id=instance.id)


async def update(world, instance, **changes):
    return await data_source_instances.update(world.runtime, world.acme, by=by(instance), **changes)


async def settings_of(world, instance):
    return (await context_of(world.runtime, instance)).settings(world.runtime)


async def health_of(world, instance):
    return (await context_of(world.runtime, instance)).health(world.runtime)


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


async def test_the_same_instance_is_reached_by_every_selector(world, instance):
    customization = (await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"]))[0]
    connected = [ConnectionSelector(id=world.connection.id), ConnectionSelector(integration_key="notes")]
    sources = [
        DataSourceSelector(id=world.jottings.id),
        DataSourceSelector(id=customization.id),
        DataSourceSelector(key="jottings"),
        DataSourceSelector(key="jottings", integration_key="notes"),
    ]

    found = [
        await data_source_instances.by_selector(
            world.runtime, world.acme, by=DataSourceInstanceSelector(connection=connection, data_source=source)
        )
        for connection in connected
        for source in sources
    ]
    created = [
        await data_source_instances.create(world.runtime, world.acme, connection=connected[0], data_source=source, instance_key=None)
        for source in sources
    ]

    assert {row.id for row in found} == {instance.id}
    assert [(row.id, is_created) for row, is_created in created] == [(instance.id, False)] * 4


async def test_an_admin_reaches_it_by_naming_the_customer(world, instance):
    of_acme = ConnectionSelector(integration_key="notes", customer_external_id="acme")
    jottings = DataSourceSelector(key="jottings")

    found = await data_source_instances.by_selector(
        world.runtime, SYSTEM, by=DataSourceInstanceSelector(connection=of_acme, data_source=jottings)
    )

    assert found.id == instance.id
    message = "An admin who selects a connection by integration also names the customer: `customerIntegration`."
    async with refused(world.runtime, InvalidError, message, field=["by", "of", "connection"]):
        await data_source_instances.by_selector(
            world.runtime,
            SYSTEM,
            by=DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="notes"), data_source=jottings),
        )


async def test_a_definition_of_another_integration_reaches_no_instance_of_this_connection(world, instance):
    await given.integration(world.runtime, "other")
    elsewhere = (await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["other"]))[0]
    message = "Data source 'jottings' belongs to another integration than the connection."
    selector = DataSourceInstanceSelector(
        connection=ConnectionSelector(id=world.connection.id), data_source=DataSourceSelector(id=elsewhere.id)
    )

    async with refused(world.runtime, InvalidError, message, field=["input", "dataSource"]):
        await data_source_instances.create(
            world.runtime, world.acme, connection=selector.connection, data_source=selector.data_source, instance_key=None
        )
    async with refused(world.runtime, InvalidError, message, field=["input", "by", "of", "dataSource"]):
        await data_source_instances.reset(world.runtime, world.acme, by=selector)


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        (PointerInput(path="/data/people"), Pointer("people")),
        (
            PointerInput(path="data/notes?notebookId=7&isPinned=true&label=7"),
            Pointer("notes", {"notebookId": 7, "isPinned": True, "label": "7"}),
        ),
        (PointerInput(key="notes", parameters={"notebookId": 7}), Pointer("notes", {"notebookId": 7})),
        (PointerInput(key="notes", parameters={"notebookId": None, "label": "é&="}), Pointer("notes", {"label": "é&="})),
        (PointerInput(key="people"), Pointer("people")),
    ],
)
async def test_a_pointer_is_given_as_a_path_or_as_key_and_parameters(world, instance, pointer, expected):
    updated = await update(world, instance, pointer=pointer)

    settings = await settings_of(world, instance)
    assert (settings.pointer, settings.default_pointer) == (expected, Pointer("notes"))
    assert (settings.settings[0].origin, settings.settings[0].value) == ("CONNECTION", expected.as_json())
    assert (updated.is_customized, updated.generation) == (True, 2)


async def test_parameters_are_replaced_whole_together_with_the_key(world, instance):
    await update(world, instance, pointer=PointerInput(path="/data/notes?notebookId=7&label=x"))
    await update(world, instance, pointer=PointerInput(key="notes", parameters={"label": "y"}))

    assert (await settings_of(world, instance)).pointer == Pointer("notes", {"label": "y"})


ONE_SPELLING = "A pointer is either a `path`, or a `collection` with its key and parameters."
IN_PATH = ["input", "pointer", "path"]
IN_KEY = ["input", "pointer", "collection", "key"]
IN_PARAMETERS = ["input", "pointer", "collection", "parameters"]


@pytest.mark.parametrize(
    ("pointer", "message", "field"),
    [
        (
            PointerInput(path="/data/archive"),
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
            IN_PATH,
        ),
        (
            PointerInput(path="/data/notebook?notebookId=8"),
            "Path '/data/notebook?notebookId=8' is a directory. Point the data source at a collection, such as '/data/notes?notebookId=8'.",
            IN_PATH,
        ),
        (
            PointerInput(key="notebook"),
            "Path '/data/notebook' is a directory. Point the data source at a collection, such as "
            "'/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_KEY,
        ),
        (PointerInput(path="/"), "Path '/' is the root directory. Point the data source at a collection.", IN_PATH),
        (
            PointerInput(path="/data/nowhere"),
            "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_PATH,
        ),
        (
            PointerInput(key="nowhere", parameters={"a": 1}),
            "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.",
            IN_KEY,
        ),
        (PointerInput(path="/notes"), "Path '/notes' must be '/' or start with '/data/'.", IN_PATH),
        (PointerInput(path="/data/notes?label=a&label=b"), "Path '/data/notes?label=a&label=b' gives a parameter twice.", IN_PATH),
        (
            PointerInput(path="/data/notes?notebookId=seven"),
            "The parameters of 'notes' are not valid: notebookId: \"seven\" is not of type \"integer\".",
            IN_PATH,
        ),
        (
            PointerInput(key="notes", parameters={"notebookId": "seven"}),
            "The parameters of 'notes' are not valid: notebookId: \"seven\" is not of type \"integer\".",
            IN_PARAMETERS,
        ),
        (
            PointerInput(path="/data/notes?notebookId=0"),
            "The parameters of 'notes' are not valid: notebookId: 0 is less than the minimum of 1.",
            IN_PATH,
        ),
        (
            PointerInput(path="/data/notes?colour=red"),
            "The parameters of 'notes' are not valid: Additional properties are not allowed ('colour' was unexpected).",
            IN_PATH,
        ),
        (PointerInput(path="/data/scraps"), "The parameters of 'scraps' are not valid: \"box\" is a required property.", IN_PATH),
        (PointerInput(path="/data/scraps?box=18446744073709551616"), "The object holds an integer beyond 64 bits.", IN_PATH),
        (PointerInput(path="/data/notes?label=a%00"), "The object holds a text with a NUL character or half of a surrogate pair.", IN_PATH),
        (PointerInput(path="/data/notes?label=\ud800"), "The text holds a NUL character or half of a surrogate pair.", IN_PATH),
        (PointerInput(path=" "), "The text must not be blank.", IN_PATH),
        (PointerInput(path="/data/" + "a" * 4_096), "The text has 4102 characters; at most 4096 are stored.", IN_PATH),
        (PointerInput(key="no key"), "Key 'no key' must start with a letter and hold at most 100 letters, digits, '-' and '_'.", IN_KEY),
        (PointerInput(key="notes", parameters=[1]), "The value must be a JSON object.", IN_PARAMETERS),
        (PointerInput(), ONE_SPELLING, ["input", "pointer"]),
        (PointerInput(path="/data/notes", key="notes"), ONE_SPELLING, ["input", "pointer"]),
    ],
)  # fmt: skip
async def test_a_pointer_that_leads_nowhere_is_refused_and_changes_nothing(world, instance, notes_app, pointer, message, field):
    async with refused(world.runtime, InvalidError, message, field=field):
        await update(world, instance, pointer=pointer)
    async with refused(world.runtime, InvalidError, message, field=field):
        await update(world, instance, pointer=pointer, dry_run=True)

    assert notes_app.requests == []


@pytest.mark.parametrize("seconds", [59, 31_536_001])
@pytest.mark.parametrize(
    ("name", "field"),
    [("pull_updates_interval_seconds", "pullUpdatesIntervalSeconds"), ("full_sync_interval_seconds", "fullSyncIntervalSeconds")],
)
async def test_an_interval_that_is_not_allowed_is_refused_together_with_everything_beside_it(world, instance, name, field, seconds):
    message = f"The interval of {seconds} seconds must lie between 60 and 31536000."
    async with refused(world.runtime, InvalidError, message, field=["input", field]):
        await update(world, instance, pointer=PointerInput(path="/data/people"), **{name: seconds})


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


async def test_pointing_it_where_it_points_already_is_an_override_and_no_new_generation(world, instance, notes_app):
    updated = await update(world, instance, pointer=PointerInput(path="/data/notes"))

    assert (updated.is_customized, updated.generation) == (True, 1)
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


async def test_an_app_that_is_down_makes_a_new_instance_setup_failed_until_it_is_set_up_again(world, notes_app):
    notes_app.failure = DOWN
    instance = await given.instance(world.runtime, world.acme, world.connection)

    health = await health_of(world, instance)
    assert health.state == ElementState.SETUP_FAILED
    assert [(error.code, error.message, error.element) for error in health.errors] == [("UPSTREAM_UNAVAILABLE", "Notes is down.", None)]
    failed_again = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))
    assert failed_again.revision == instance.revision

    notes_app.failure = None
    ready = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))
    assert (await health_of(world, instance)) == elements.Health(state=ElementState.READY, errors=())
    assert ready.setup_error is None
    assert (await data_source_instances.setup(world.runtime, world.acme, by=by(instance))).revision == ready.revision


async def test_a_failed_setup_tells_nothing_of_the_collection_that_it_is_pointed_at_afterwards(world, notes_app):
    notes_app.failure = DOWN
    instance = await given.instance(world.runtime, world.acme, world.connection)
    notes_app.failure = None
    assert (await health_of(world, instance)).state == ElementState.SETUP_FAILED

    await data_sources.update(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), pointer=PointerInput(path="/data/people"))
    assert (await health_of(world, instance)).state == ElementState.READY
    await data_sources.update(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"), pointer=None)
    assert (await health_of(world, instance)).state == ElementState.SETUP_FAILED
    await update(world, instance, pointer=PointerInput(path="/data/people"))
    assert (await health_of(world, instance)).state == ElementState.READY


async def test_refused_credentials_are_told_of_the_connection_and_gone_when_it_is_back(world, notes_app):
    notes_app.accepted_tokens.clear()
    instance = await given.instance(world.runtime, world.acme, world.connection)

    health = await health_of(world, instance)
    assert (health.state, [(error.code, error.message) for error in health.errors]) == (
        ElementState.CONFIGURATION_ERROR,
        [("UPSTREAM_AUTH", "Its connection 'Notes' cannot be used: Notes does not know the token [redacted].")],
    )
    assert health.errors[0].element.id == world.connection.id

    notes_app.accepted_tokens.add(GOOD_TOKEN)
    await connections.test(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id))
    assert (await health_of(world, instance)) == elements.Health(state=ElementState.READY, errors=())


async def test_an_archived_integration_is_told_with_the_element_at_fault_and_gone_when_it_is_restored(world, instance):
    await integrations.archive(world.runtime, SYSTEM, key="notes")
    set_up = await data_source_instances.setup(world.runtime, world.acme, by=by(instance))

    health = await health_of(world, instance)
    assert (health.state, [(error.code, error.message) for error in health.errors]) == (
        ElementState.CONFIGURATION_ERROR,
        [
            (
                "CONFIGURATION",
                "Its connection 'Notes' cannot be used: Its integration 'notes' cannot be used: "
                "Integration 'notes' is archived. Restore it first.",
            )
        ],
    )
    assert set_up.setup_error is None
    await integrations.restore(world.runtime, SYSTEM, id=world.integration.id)
    assert (await health_of(world, instance)).state == ElementState.READY


async def test_an_instance_without_a_collection_is_ready_and_its_operations_say_what_to_do(world, notes_app):
    await given.definition(world.runtime, "anything", udm=None)
    notes_app.requests.clear()
    instance = await given.instance(world.runtime, world.acme, world.connection, "anything")

    context = await context_of(world.runtime, instance)
    assert context.health(world.runtime) == elements.Health(state=ElementState.READY, errors=())
    with pytest.raises(NoCollectionSelectedError) as caught:
        elements.pointer_of(world.runtime, context.settings(world.runtime), context.integration)
    assert caught.value.message == "Data source 'anything' points at no collection here. Point the data source or this instance at one."
    assert notes_app.requests == []


async def test_a_re_pointing_while_the_app_is_asked_keeps_what_came_last(world, instance, notes_app):
    async def point_at_people():
        await update(world, instance, pointer=PointerInput(path="/data/people"))

    notes_app.meanwhile = point_at_people
    seen = await update(world, instance, pointer=PointerInput(path="/data/notes?label=x"))

    assert seen.pointer == {"key": "people", "parameters": {}}
    assert (await settings_of(world, instance)).pointer == Pointer("people")
    assert (await health_of(world, instance)).state == ElementState.READY


async def test_what_does_not_exist_is_not_found_and_says_which_part(world):
    cases = [
        (BY_KEY, "Data source 'jottings' has no such instance in this connection. Create it first.", ["input", "by", "of"]),
        (DataSourceInstanceSelector(id=world.connection.id), "There is no data source instance of that id.", ["input", "by", "id"]),
        (
            DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="x" * 200), data_source=BY_KEY.data_source),
            f"There is no connection to '{'x' * 100}'.",
            ["input", "by", "of", "connection", "integrationKey"],
        ),
        (
            DataSourceInstanceSelector(connection=BY_KEY.connection, data_source=DataSourceSelector(key="x" * 200)),
            f"There is no data source '{'x' * 100}'.",
            ["input", "by", "of", "dataSource", "key"],
        ),
    ]
    for selector, message, field in cases:
        async with refused(world.runtime, NotFoundError, message, field=field):
            await data_source_instances.reset(world.runtime, world.acme, by=selector)


async def test_another_customers_instance_does_not_exist(world, instance):
    globex = await given.customer(world.runtime, "globex")

    assert await data_source_instances.by_selector(world.runtime, globex, by=by(instance)) is None
    for action in (
        data_source_instances.update(world.runtime, globex, by=by(instance), pull_updates_interval_seconds=60),
        data_source_instances.reset(world.runtime, globex, by=by(instance), dry_run=True),
        data_source_instances.setup(world.runtime, globex, by=by(instance)),
        data_source_instances.archive(world.runtime, globex, by=by(instance)),
    ):
        async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "by", "id"]):
            await action
    async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "id"]):
        await data_source_instances.restore(world.runtime, globex, id=instance.id)
    async with refused(world.runtime, NotFoundError, "There is no connection of that id.", field=["input", "connection", "id"]):
        await given.instance(world.runtime, globex, world.connection)
