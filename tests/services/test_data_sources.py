"""The life of definitions: universal ones, those of one integration, and customisations, and what each passes on."""

import pytest

from gateway.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    AmbiguousError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnsupportedError,
)
from gateway.models import ElementState
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources, elements, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceFilter, DataSourceSelector, PointerInput
from gateway.storage.rows import RowWindow
from tests.support import runtime as given
from tests.support.runtime import context_of, counts, refused

JOTTINGS = DataSourceSelector(key="jottings")
BOTH_AGAIN = "There is a data source 'both' again. Archive that one first."

IN_NOTES = DataSourceSelector(key="jottings", integration_key="notes")


async def update(world, by=JOTTINGS, **changes):
    return await data_sources.update(world.runtime, SYSTEM, by=by, **changes)


async def applied(world, *integration_keys):
    return await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=list(integration_keys or ["notes"]))


async def test_applying_makes_one_customisation_per_integration_and_finds_those_that_are_there(world):
    await given.integration(world.runtime, "other")
    first = await applied(world, "other", "notes", "other")
    again = await applied(world, "notes", "other")

    assert [(row.key, row.universal_id, row.is_customized) for row in first] == [("jottings", world.jottings.id, False)] * 2
    assert [row.id for row in again] == [first[1].id, first[0].id]
    assert (await counts(world.runtime))["DataSource"] == 3
    assert await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=[]) == []


async def test_applying_to_an_integration_that_is_not_there_applies_nothing(world):
    async with refused(world.runtime, NotFoundError, "There is no integration 'nowhere'.", field=["input", "integrationKeys"]):
        await applied(world, "notes", "nowhere")
    async with refused(world.runtime, NotFoundError, "There is no universal data source 'nothing'.", field=["input", "key"]):
        await data_sources.apply(world.runtime, SYSTEM, key="nothing", integration_keys=["notes"])


async def test_only_a_universal_definition_is_applied(world):
    await given.definition(world.runtime, "own", integration_key="notes")
    await given.integration(world.runtime, "other")

    async with refused(world.runtime, NotFoundError, "There is no universal data source 'own'.", field=["input", "key"]):
        await data_sources.apply(world.runtime, SYSTEM, key="own", integration_keys=["other"])


TAKEN = "There is a data source 'jottings' already. Choose another key, or customise a universal one with `universalKey`."


async def test_a_key_names_one_universal_definition_or_one_in_each_integration(world):
    await given.integration(world.runtime, "other")
    for arguments in ({}, {"integration_key": "notes"}):
        async with refused(world.runtime, AlreadyExistsError, TAKEN, field=["input", "key"]):
            await given.definition(world.runtime, **arguments)

    for home in ("notes", "other"):
        await given.definition(world.runtime, "own", integration_key=home)
    message = TAKEN.replace("jottings", "own")
    for arguments in ({}, {"integration_key": "notes"}):
        async with refused(world.runtime, AlreadyExistsError, message, field=["input", "key"]):
            await given.definition(world.runtime, "own", **arguments)


async def test_a_customisation_is_created_once_beside_its_universal_definition(world):
    child = await given.definition(world.runtime, integration_key="notes", universal_key="jottings", udm=None, name="Scribbles")
    assert (child.universal_id, child.integration_id, child.is_customized) == (world.jottings.id, world.integration.id, True)

    message = "Data source 'jottings' is customised in that integration already. Update it."
    async with refused(world.runtime, AlreadyExistsError, message, field=["input", "key"]):
        await given.definition(world.runtime, integration_key="notes", universal_key="jottings")
    async with refused(world.runtime, NotFoundError, "There is no universal data source 'other'.", field=["input", "universalKey"]):
        await given.definition(world.runtime, "other", integration_key="notes", universal_key="other")
    message = "A customisation has an `integrationKey`, and the key of its universal data source."
    for arguments in ({"universal_key": "jottings"}, {"key": "other", "universal_key": "jottings", "integration_key": "notes"}):
        async with refused(world.runtime, InvalidError, message, field=["input", "universalKey"]):
            await given.definition(world.runtime, **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message", "field"),
    [
        (
            {"key": "no key"},
            InvalidError,
            "Key 'no key' must start with a letter and hold at most 100 letters, digits, '-' and '_'.",
            "key",
        ),
        ({"name": " "}, InvalidError, "The text must not be blank.", "name"),
        ({"udm": "taks"}, InvalidError, "There is no universal data model 'taks'. There is 'tasks'.", "udm"),
        (
            {"udm": "\ud800"},
            InvalidError,
            "There is no universal data model '\\ud800'. There is 'activities', 'bills', 'campaign-members'.",
            "udm",
        ),
        ({"integration_key": "nowhere"}, NotFoundError, "There is no integration 'nowhere'.", "integrationKey"),
        (
            {"pull_updates_interval_seconds": 1},
            InvalidError,
            "The interval of 1 seconds must lie between 60 and 31536000.",
            "pullUpdatesIntervalSeconds",
        ),
        (
            {"full_sync_interval_seconds": 0},
            InvalidError,
            "The interval of 0 seconds must lie between 60 and 31536000.",
            "fullSyncIntervalSeconds",
        ),
    ],
)
async def test_a_wrong_definition_is_refused_with_the_field_at_fault(world, arguments, error, message, field):
    async with refused(world.runtime, error, message, field=["input", field]):
        await given.definition(world.runtime, **({"key": "other"} | arguments))


@pytest.mark.parametrize(
    ("integration_key", "pointer", "message"),
    [
        (None, "/", "Path '/' is the root directory. Point the data source at a collection."),
        (None, "/data/%00", "Key '\\x00' must start with a letter and hold at most 100 letters, digits, '-' and '_'."),
        (None, "/data/a%20b", "Key 'a b' must start with a letter and hold at most 100 letters, digits, '-' and '_'."),
        (None, "/data/x?a=%00", "The object holds a text with a NUL character or half of a surrogate pair."),
        (None, "/data/\udfff", "The text holds a NUL character or half of a surrogate pair."),
        (
            "notes",
            "/data/archive",
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
        ),
    ],
)
async def test_a_definition_that_points_nowhere_is_refused(world, integration_key, pointer, message):
    async with refused(world.runtime, InvalidError, message, field=["input", "pointer", "path"]):
        await given.definition(world.runtime, "other", integration_key=integration_key, pointer=PointerInput(path=pointer))


async def test_what_was_left_out_of_an_update_stays_and_null_returns_to_what_is_inherited(world):
    await update(world, name="Jottings", pointer=PointerInput(path="/data/people"), pull_updates_interval_seconds=60, event_bodies=False)
    updated = await update(world, name=None)

    assert (updated.name, updated.udm, updated.pointer) == (None, "notes", {"key": "people", "parameters": {}})
    assert (updated.pull_updates_interval_seconds, updated.event_bodies, updated.revision) == (60, False, 3)
    message = "It has changed: its revision is 3, not '2'. Read it again."
    async with refused(world.runtime, ConflictError, message, field=["input", "ifRevision"]):
        await update(world, name="Other", if_revision="2")
    async with refused(world.runtime, InvalidError, "The interval of 1 seconds must lie between 60 and 31536000.", field=PULL):
        await update(world, name="Other", pull_updates_interval_seconds=1)


PULL = ["input", "pullUpdatesIntervalSeconds"]


async def test_a_root_has_nothing_to_return_to(world):
    message = "Data source 'jottings' customises no other, so there is nothing to return to."
    async with refused(world.runtime, UnsupportedError, message, field=["input", "by"]):
        await data_sources.reset(world.runtime, SYSTEM, by=JOTTINGS)


async def test_archiving_a_universal_definition_takes_its_customisations_along_and_brings_them_back(world, clock):
    await given.integration(world.runtime, "other")
    in_notes, in_other = await applied(world, "notes", "other")
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings", integration_key="other"))
    instance = await given.instance(world.runtime, world.acme, world.connection)
    clock.advance(1)

    archived = await data_sources.archive(world.runtime, SYSTEM, by=JOTTINGS)
    assert (await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(id=world.jottings.id))).revision == archived.revision
    assert await data_sources.by_selector(world.runtime, SYSTEM, by=JOTTINGS) is None
    assert await data_sources.by_selector(world.runtime, SYSTEM, by=IN_NOTES) is None
    health = (await context_of(world.runtime, instance)).health(world.runtime)
    assert [(error.code, error.message) for error in health.errors] == [
        ("CONFIGURATION", "Data source 'jottings' is archived. Restore it first.")
    ]
    assert health.errors[0].element.id == world.jottings.id
    message = "Data source 'jottings' is archived. Restore it first."
    by_id = DataSourceSelector(id=in_notes.id)
    for action in (
        update(world, by_id, name="x"),
        data_sources.reset(world.runtime, SYSTEM, by=by_id),
        data_sources.setup(world.runtime, SYSTEM, by=by_id),
    ):
        async with refused(world.runtime, InvalidError, message, field=["input", "by"]):
            await action
    message = "Its universal data source 'jottings' is archived. Restore that one first."
    async with refused(world.runtime, InvalidError, message, field=["input", "id"]):
        await data_sources.restore(world.runtime, SYSTEM, id=in_notes.id)

    clock.advance(1)
    restored = await data_sources.restore(world.runtime, SYSTEM, id=world.jottings.id)
    assert (await data_sources.by_selector(world.runtime, SYSTEM, by=IN_NOTES)).id == in_notes.id
    assert (await data_sources.by_selector(world.runtime, SYSTEM, by=DataSourceSelector(id=in_other.id))).archived_at is not None
    assert (await context_of(world.runtime, instance)).health(world.runtime).state == ElementState.READY
    assert (await data_sources.restore(world.runtime, SYSTEM, id=world.jottings.id)).revision == restored.revision


async def test_a_definition_whose_key_was_given_away_stays_archived(world):
    (child,) = await applied(world)
    await data_sources.archive(world.runtime, SYSTEM, by=IN_NOTES)
    (other_child,) = await applied(world)
    assert other_child.id != child.id
    async with refused(world.runtime, AlreadyExistsError, TAKEN_MEANWHILE, field=["input", "id"]):
        await data_sources.restore(world.runtime, SYSTEM, id=child.id)

    await data_sources.archive(world.runtime, SYSTEM, by=JOTTINGS)
    for arguments in ({}, {"integration_key": "notes"}):
        other = await given.definition(world.runtime, **arguments)
        async with refused(world.runtime, AlreadyExistsError, TAKEN_MEANWHILE, field=["input", "id"]):
            await data_sources.restore(world.runtime, SYSTEM, id=world.jottings.id)
        await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(id=other.id))


TAKEN_MEANWHILE = "There is a data source 'jottings' again. Archive that one first."


async def test_a_key_alone_means_the_universal_definition_or_the_only_one(world):
    (child,) = await applied(world)
    await given.integration(world.runtime, "other")
    in_notes = await given.definition(world.runtime, "own", integration_key="notes")

    async def found(**selector):
        return (await data_sources.by_selector(world.runtime, world.acme, by=DataSourceSelector(**selector))).id

    assert await found(key="jottings") == world.jottings.id
    assert await found(key="jottings", integration_key="notes") == child.id
    assert await found(key="jottings", integration_key="other") == world.jottings.id
    assert await found(key="own") == in_notes.id
    in_other = await given.definition(world.runtime, "own", integration_key="other")
    assert await found(key="own", integration_key="other") == in_other.id
    message = "Several integrations have a data source 'own'. Name the integration, or select by id."
    async with refused(world.runtime, AmbiguousError, message, field=["by", "key"]):
        await found(key="own")
    instance = await given.instance(world.runtime, world.acme, world.connection, "own")
    assert instance.data_source_id == in_notes.id


async def test_a_key_names_a_universal_definition_or_those_of_integrations_after_a_restore_too(world):
    universal = await given.definition(world.runtime, "both")
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(id=universal.id))
    own = await given.definition(world.runtime, "both", integration_key="notes")
    async with refused(world.runtime, AlreadyExistsError, BOTH_AGAIN, field=["input", "id"]):
        await data_sources.restore(world.runtime, SYSTEM, id=universal.id)

    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(id=own.id))
    await data_sources.restore(world.runtime, SYSTEM, id=universal.id)
    async with refused(world.runtime, AlreadyExistsError, BOTH_AGAIN, field=["input", "id"]):
        await data_sources.restore(world.runtime, SYSTEM, id=own.id)


async def test_a_filter_narrows_the_list(world):
    (child,) = await applied(world)
    own = await given.definition(world.runtime, "own_team", integration_key="notes", udm="users", name="Team 100%")

    async def found(include_archived=False, **given_filter):
        listing = await data_sources.page(
            world.runtime,
            world.acme,
            window=RowWindow(first=10),
            filter=DataSourceFilter(**given_filter),
            include_archived=include_archived,
        )
        assert await listing.count() == len(listing.rows)
        return [row.id for row in listing.rows]

    assert await found() == [world.jottings.id, child.id, own.id]
    assert await found(is_universal=True) == [world.jottings.id]
    assert await found(is_universal=False) == [child.id, own.id]
    assert await found(integration_key="notes") == [child.id, own.id]
    assert await found(integration_key="nowhere") == []
    assert await found(udm="notes") == [world.jottings.id, child.id]
    await update(world, IN_NOTES, udm="users")
    assert await found(udm="notes") == [world.jottings.id]
    assert await found(udm="users") == [child.id, own.id]
    assert await found(udm="users", search="TEAM") == [own.id]
    assert await found(search="100%") == [own.id]
    assert await found(search="_") == [own.id]
    await data_sources.archive(world.runtime, SYSTEM, by=JOTTINGS)
    assert await found() == [own.id]
    assert await found(include_archived=True) == [world.jottings.id, child.id, own.id]


async def test_definitions_tell_whether_they_can_be_used(world):
    (child,) = await applied(world)

    def health(integration):
        return elements.definition_health(world.runtime, child, universal=world.jottings, integration=integration)

    assert health(world.integration) == elements.Health(state=ElementState.READY, errors=())
    archived = await integrations.archive(world.runtime, SYSTEM, key="notes")
    message = "Its integration 'notes' cannot be used: Integration 'notes' is archived. Restore it first."
    assert [(error.code, error.message, error.element) for error in health(archived).errors] == [("CONFIGURATION", message, archived)]


async def test_only_an_admin_writes_definitions(world):
    actions = (
        data_sources.create(world.runtime, world.acme, key="other"),
        data_sources.update(world.runtime, world.acme, by=JOTTINGS, name="x"),
        data_sources.apply(world.runtime, world.acme, key="jottings", integration_keys=["notes"]),
        data_sources.setup(world.runtime, world.acme, by=JOTTINGS),
        data_sources.reset(world.runtime, world.acme, by=JOTTINGS),
        data_sources.archive(world.runtime, world.acme, by=JOTTINGS),
        data_sources.restore(world.runtime, world.acme, id=world.jottings.id),
    )
    for action in actions:
        async with refused(world.runtime, AccessDeniedError, "Only an admin may do this."):
            await action


async def test_setting_a_definition_up_shows_it_as_it_is(world):
    assert (await data_sources.setup(world.runtime, SYSTEM, by=JOTTINGS)).model_dump() == world.jottings.model_dump()


async def test_a_connection_selector_means_the_integrations_definition(world):
    own = await given.definition(world.runtime, "own", integration_key="notes")
    await given.integration(world.runtime, "other")
    await given.definition(world.runtime, "own", integration_key="other")

    created, _ = await data_source_instances.create(
        world.runtime,
        world.acme,
        connection=ConnectionSelector(integration_key="notes"),
        data_source=DataSourceSelector(key="own"),
        instance_key=None,
    )

    assert created.data_source_id == own.id
