"""Universal data models of records: which one is meant, how it reads them, and where records of another one are."""

import pytest

from gateway.errors import InvalidError, NotFoundError, UnsupportedError, UserError
from gateway.models import Pointer
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources, records, unified
from gateway.services.selectors import DataSourceSelector, PointerInput
from tests.services.instances import by, update
from tests.services.record_world import cards, notes, people
from tests.support import runtime as given
from tests.support.notes_cards import MAPPINGS

PEOPLE = PointerInput(path="/data/people")


def refusal(read):
    with pytest.raises(UserError) as caught:
        read()
    return type(caught.value), caught.value.message, caught.value.field


async def place_of(world, model, *, place=None, principal=None):
    place = place or await cards(world)
    found = await unified.model_place(world.runtime, principal or world.acme, place=place, model=model)
    return found.pointer, found.udm


async def test_a_record_reads_as_the_model_of_its_data_source(world):
    place = await cards(world, udm="tasks")
    record = await records.record(world.runtime, world.acme, place=place, external_id="5")

    assert unified.translation_of(world.runtime, place).read(record) == {
        "id": "5",
        "subject": "card 5",
        "status": "closed",
        "followerIds": ["101", "102"],
        "createdTime": "2026-01-05T00:00:00Z",
    }


async def test_the_model_is_the_one_asked_for_else_the_data_sources_else_the_only_one(world):
    place = await cards(world)
    read = unified.translation_of

    assert read(world.runtime, place).model.key == "tasks"
    assert read(world.runtime, await cards(world, udm="tasks"), "activities").model.key == "activities"
    assert read(world.runtime, await cards(world, udm="activities")).model.key == "activities"
    assert read(world.runtime, await notes(world)).model.key == "notes"


async def test_a_model_like_the_mapped_one_is_read_through_it_one_level_down(world):
    record = await records.record(world.runtime, world.acme, place=await cards(world), external_id="1")

    activity = unified.translation_of(world.runtime, await cards(world), "activities").read(record)

    assert (activity["id"], activity["status"]) == ("1", "open")
    # Meetings are like activities, and those like tasks: that is two levels.
    place = await cards(world)
    assert refusal(lambda: unified.translation_of(world.runtime, place, "meetings"))[0] is UnsupportedError


async def test_a_model_that_cannot_be_read_here_is_refused_with_those_that_can(world):
    place = await cards(world)

    assert refusal(lambda: unified.translation_of(world.runtime, place, "deals")) == (
        UnsupportedError,
        "Records of collection 'cards' cannot be read or written as 'deals'. They can as tasks.",
        ["udm"],
    )
    assert refusal(lambda: unified.translation_of(world.runtime, place, "colours")) == (
        NotFoundError,
        "There is no universal data model 'colours'.",
        ["udm"],
    )
    scraps = await given.place(world.runtime, world.connection, Pointer("scraps", {"box": 1}))
    assert refusal(lambda: unified.translation_of(world.runtime, scraps)) == (
        UnsupportedError,
        "Records of collection 'scraps' cannot be read or written as any universal data model.",
        ["udm"],
    )
    assert refusal(lambda: unified.translation_of(world.runtime, scraps, "tasks")) == (
        UnsupportedError,
        "Records of collection 'scraps' cannot be read or written as 'tasks'. They can as no model.",
        ["udm"],
    )


async def test_of_several_models_one_must_be_named(world):
    connector = world.runtime.connectors["notes"]
    two = [
        spec if spec.key != "cards" else type(spec)(**{**vars(spec), "universal_data_models": ("tasks", "deals")})
        for spec in connector.spec.collections
    ]
    connector.spec = type(connector.spec)(**{**vars(connector.spec), "collections": tuple(two)})
    connector.mappings["cards", "deals"] = MAPPINGS["cards", "tasks"]
    place = await cards(world)

    assert refusal(lambda: unified.translation_of(world.runtime, place)) == (
        InvalidError,
        "Name the model (`udm`): records of collection 'cards' can be tasks, deals.",
        ["udm"],
    )


async def test_without_a_data_source_the_connectors_default_holds_a_models_records(world):
    assert await place_of(world, "users") == (Pointer("people"), "users")
    assert await place_of(world, "activities") == (Pointer("notes"), "activities")


async def test_a_model_that_the_app_has_nowhere_is_refused(world):
    with pytest.raises(UnsupportedError, match="No data source of this connection is of the model 'deals', and Notes has no collection"):
        await place_of(world, "deals")
    with pytest.raises(UnsupportedError, match="No data source of this connection is of the model 'colours'"):
        await place_of(world, "colours")


async def test_the_default_instance_of_the_model_comes_first_and_follows_where_it_points(world):
    await given.definition(world.runtime, "jobs", udm="tasks", pointer=PointerInput(path="/data/cards?box=1"))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 1}), "tasks")

    instance = await given.instance(world.runtime, world.acme, world.connection, "jobs")
    await update(world, instance, pointer=PointerInput(path="/data/cards?box=2"))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 2}), "tasks")
    keyed = await given.instance(world.runtime, world.acme, world.connection, "jobs", instance_key="other")
    await update(world, keyed, pointer=PointerInput(path="/data/cards?box=3"))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 2}), "tasks")

    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 1}), "tasks")
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jobs"))
    with pytest.raises(UnsupportedError):
        await place_of(world, "tasks")


async def test_of_several_instances_the_oldest_that_points_somewhere_decides(world):
    await given.definition(world.runtime, "nowhere", udm="tasks")
    for number in (1, 2):
        await given.definition(world.runtime, f"jobs{number}", udm="tasks", pointer=PointerInput(path=f"/data/cards?box={number}"))
    for key in ("nowhere", "jobs2", "jobs1"):
        await given.instance(world.runtime, world.acme, world.connection, key)

    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 2}), "tasks")


async def test_a_customisation_for_the_integration_outweighs_its_universal_definition(world):
    await given.definition(world.runtime, "jobs", udm="tasks", pointer=PointerInput(path="/data/cards?box=1"))
    await given.definition(
        world.runtime, "jobs", udm=None, universal_key="jobs", integration_key="notes", pointer=PointerInput(path="/data/cards?box=2")
    )

    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 2}), "tasks")
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jobs", integration_key="notes"))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 1}), "tasks")


async def test_definitions_of_other_integrations_and_customers_instances_do_not_count(world):
    await given.integration(world.runtime, "elsewhere")
    await given.definition(world.runtime, "jobs", udm="tasks", integration_key="elsewhere", pointer=PointerInput(path="/data/cards"))
    other = await given.customer(world.runtime, "globex")
    await given.definition(world.runtime, "folk", udm="users")
    theirs = await given.connection(world.runtime, other)
    instance = await given.instance(world.runtime, other, theirs, "folk")
    await data_source_instances.update(
        world.runtime,
        other,
        by=by(instance),
        pointer=PointerInput(path="/data/cards"),
    )

    with pytest.raises(UnsupportedError):
        await place_of(world, "tasks")
    assert await place_of(world, "users") == (Pointer("people"), "users")


async def test_instances_of_an_archived_data_source_and_definitions_that_point_nowhere_do_not_count(world):
    await given.definition(world.runtime, "nowhere", udm="tasks")
    await given.definition(world.runtime, "old", udm="tasks", pointer=PointerInput(path="/data/cards?box=1"))
    await given.instance(world.runtime, world.acme, world.connection, "old")
    await given.definition(world.runtime, "new", udm="tasks", pointer=PointerInput(path="/data/cards?box=2"))
    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 1}), "tasks")

    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="old"))

    assert await place_of(world, "tasks") == (Pointer("cards", {"box": 2}), "tasks")


async def test_instances_of_other_connections_do_not_count_whoever_asks(world):
    await given.definition(world.runtime, "jobs", udm="tasks", pointer=PointerInput(path="/data/cards?box=1"))
    second = await given.connection(world.runtime, world.acme, name="Second")
    await update(world, await given.instance(world.runtime, world.acme, second, "jobs"), pointer=PointerInput(path="/data/cards?box=2"))

    for principal in (world.acme, SYSTEM):
        found = await unified.model_place(world.runtime, principal, place=await cards(world), model="tasks")
        assert (found.connection.id, found.pointer) == (world.connection.id, Pointer("cards", {"box": 1}))


async def test_a_data_source_whose_records_are_not_of_its_model_is_no_place_to_look(world):
    await given.definition(world.runtime, "folk", udm="users", pointer=PointerInput(path="/data/cards"))

    with pytest.raises(UnsupportedError, match=r"Records of collection 'cards' cannot be read or written as 'users'. They can as tasks."):
        await place_of(world, "users")


async def test_the_sibling_of_a_record_is_read_where_its_model_is(world, notes_app):
    place = await cards(world, udm="tasks")
    task = unified.translation_of(world.runtime, place).read(await records.record(world.runtime, world.acme, place=place, external_id="1"))
    users = await unified.model_place(world.runtime, world.acme, place=place, model="users")
    found = await records.by_ids(world.runtime, world.acme, place=users, external_ids=[task["assigneeId"], *task["followerIds"]])

    names = [unified.translation_of(world.runtime, users).read(record)["fullName"] for record in found.values()]
    assert (names, users.identity) == (["Ada", "Grace"], (await people(world)).identity)
    assert notes_app.ids == [("1",), ("101", "102")]


async def test_a_connector_that_was_taken_away_translates_nothing(world):
    place = await cards(world)
    place.integration.connector_key = "gone"

    message = "Connector 'gone' is not installed in this gateway."
    assert refusal(lambda: unified.translation_of(world.runtime, place)) == (InvalidError, message, None)
    with pytest.raises(InvalidError, match="Connector 'gone' is not installed"):
        await unified.model_place(world.runtime, world.acme, place=place, model="users")
