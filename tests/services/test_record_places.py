"""Where records are: what an instance points at, a collection of a connection, or what a record's id names."""

import pytest

from gateway.errors import AmbiguousError, GatewayError, InvalidError, NoCollectionSelectedError, NotFoundError, UserError
from gateway.models import Integration, Pointer
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.services import connections, data_source_instances, record_places, records
from gateway.services.selectors import (
    CollectionSelector,
    ConnectionCollectionKey,
    ConnectionSelector,
    DataSourceInstanceSelector,
    PointerInput,
)
from gateway.storage.rows import by_ids
from tests.services.instances import by, update
from tests.support import runtime as given

FIELD = ["input", "in"]


async def place(world, *, instance=None, principal=None, collection=None, **named):
    if collection is None and named:
        collection = ConnectionCollectionKey(**({"connection": ConnectionSelector(id=world.connection.id)} | named))
    selector = CollectionSelector(instance=instance, collection=collection)
    return await record_places.place_of(world.runtime, principal or world.acme, selector, field=FIELD)


async def refusal(action):
    with pytest.raises(GatewayError) as caught:
        await action
    assert isinstance(caught.value, UserError)
    return type(caught.value), caught.value.message, caught.value.field


async def test_an_instance_is_where_it_points_with_the_model_of_its_data_source(world, instance):
    found = await place(world, instance=by(instance))
    assert (found.pointer, found.udm, found.connection.id, found.integration.key) == (
        Pointer("notes"),
        "notes",
        world.connection.id,
        "notes",
    )

    await update(world, instance, pointer=PointerInput(path="/data/notes?notebookId=7"))
    assert (await place(world, instance=by(instance))).pointer == Pointer("notes", {"notebookId": 7})


async def test_a_collection_of_a_connection_has_no_model(world):
    found = await place(world, key="notes", parameters={"notebookId": "7", "label": None})

    assert (found.pointer, found.udm) == (Pointer("notes", {"notebookId": 7}), None)


async def test_the_same_collection_is_the_same_place_whatever_led_there(world, instance):
    through_instance = await place(world, instance=by(instance))
    directly = await place(world, key="notes", parameters={})
    elsewhere = await place(world, key="notes", parameters={"notebookId": 7})

    assert through_instance.identity == directly.identity != elsewhere.identity
    both = [await place(world, key="notes", parameters=p) for p in ({"notebookId": 7, "label": "x"}, {"label": "x", "notebookId": 7})]
    assert both[0].identity == both[1].identity


@pytest.mark.parametrize(
    ("key", "parameters", "message", "part"),
    [
        ("nowhere", None, "Notes has no location 'nowhere'. It has '/data/notes', '/data/people', '/data/scraps?box=...'.", "key"),
        ("", None, "Key '' must start with a letter and hold at most 100 letters, digits, '-' and '_'.", "key"),
        ("../admin", None, "Key '../admin' must start with a letter and hold at most 100 letters, digits, '-' and '_'.", "key"),
        ("x" * 101, None, f"Key {'x' * 100!r} must start with a letter and hold at most 100 letters, digits, '-' and '_'.", "key"),
        (
            "archive",
            None,
            "Path '/data/archive' is a directory. Point the data source at a collection, such as '/data/notes?isPinned=false'.",
            "key",
        ),
        (
            "notes",
            {"notebookId": 0},
            "The parameters of 'notes' are not valid: notebookId: 0 is less than the minimum of 1.",
            "parameters",
        ),
        ("notes", ["notebookId"], "The value must be a JSON object.", "parameters"),
        ("notes", "notebookId=7", "The value must be a JSON object.", "parameters"),
    ],
    ids=str,
)
async def test_a_collection_that_there_is_not_is_refused_at_its_place(world, key, parameters, message, part):
    assert await refusal(place(world, key=key, parameters=parameters)) == (InvalidError, message, [*FIELD, "collection", part])


async def test_one_of_the_two_is_named(world, instance):
    message = "Name either a data source instance, or a collection of a connection."
    both = ConnectionCollectionKey(connection=ConnectionSelector(id=world.connection.id), key="notes")
    assert await refusal(place(world)) == (InvalidError, message, FIELD)
    assert await refusal(place(world, instance=by(instance), collection=both)) == (InvalidError, message, FIELD)


async def test_what_belongs_to_somebody_else_does_not_exist(world, instance):
    other = await given.customer(world.runtime, "globex")

    kind, _, field = await refusal(place(world, instance=by(instance), principal=other))
    assert (kind, field) == (NotFoundError, [*FIELD, "dataSourceInstance", "id"])
    kind, _, field = await refusal(place(world, key="notes", principal=other))
    assert (kind, field) == (NotFoundError, [*FIELD, "collection", "connection", "id"])
    at = {"connection_id": world.connection.id, "pointer": Pointer("notes")}
    assert await record_places.place_at(world.runtime, other, **at) is None
    assert (await record_places.place_at(world.runtime, world.acme, **at)).connection.id == world.connection.id


async def test_several_connections_to_one_integration_must_be_told_apart(world):
    await given.connection(world.runtime, world.acme, name="Second")

    kind, _, field = await refusal(place(world, connection=ConnectionSelector(integration_key="notes"), key="notes"))
    assert (kind, field) == (AmbiguousError, [*FIELD, "collection", "connection", "integrationKey"])


async def test_an_instance_that_points_nowhere_or_is_archived_is_refused(world, instance):
    await given.definition(world.runtime, "deals", udm="deals")
    nowhere = await given.instance(world.runtime, world.acme, world.connection, "deals")
    await data_source_instances.archive(world.runtime, world.acme, by=by(instance))

    message = "Data source 'deals' points at no collection here. Point the data source or this instance at one."
    assert await refusal(place(world, instance=by(nowhere))) == (NoCollectionSelectedError, message, [*FIELD, "dataSourceInstance"])
    assert await refusal(place(world, instance=by(instance))) == (
        InvalidError,
        "The instance is archived. Restore it first.",
        [*FIELD, "dataSourceInstance"],
    )
    unknown = DataSourceInstanceSelector(id=new_id())
    assert (await refusal(place(world, instance=unknown)))[::2] == (NotFoundError, [*FIELD, "dataSourceInstance", "id"])


@pytest.mark.parametrize(
    "pointer",
    [
        Pointer("nowhere"),
        Pointer("archive"),
        Pointer(""),
        Pointer("notes", {"notebookId": "x"}),
        Pointer("scraps"),
        Pointer("../admin"),
        # What no selector takes, although the schema of the parameters does.
        Pointer("notes", {"label": "\x00"}),
        Pointer("notes", {"notebookId": 2**64}),
        Pointer("notes", {"label": "x" * 65_536}),
    ],
    ids=lambda pointer: repr(pointer)[:60],
)
async def test_an_id_that_names_a_collection_which_there_is_not_leads_nowhere(world, pointer):
    assert await record_places.place_at(world.runtime, world.acme, connection_id=world.connection.id, pointer=pointer) is None


async def test_an_id_of_an_unknown_or_deleted_connection_leads_nowhere(world):
    assert await record_places.place_at(world.runtime, SYSTEM, connection_id=new_id(), pointer=Pointer("notes")) is None

    async with world.runtime.database.write(SYSTEM) as session:
        integration = (await by_ids(session, Integration, {world.integration.id}))[world.integration.id]
        integration.connector_key = "gone"
    at = {"connection_id": world.connection.id, "pointer": Pointer("notes")}
    assert await record_places.place_at(world.runtime, world.acme, **at) is None


async def test_an_id_leads_to_an_archived_connection_which_then_cannot_be_used(world):
    await connections.archive(world.runtime, world.acme, by=ConnectionSelector(id=world.connection.id))
    found = await record_places.place_at(world.runtime, world.acme, connection_id=world.connection.id, pointer=Pointer("notes"))
    assert found.connection.archived_at is not None
    with pytest.raises(InvalidError, match="is archived"):
        await records.page(world.runtime, world.acme, place=found, first=1, after=None)
