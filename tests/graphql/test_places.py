"""Browsing an app and reading its records, through the schema."""

from gateway.errors import UpstreamRateLimitError, UpstreamUnavailableError
from gateway.graphql.ids import global_id, record_id
from gateway.models import Pointer
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources
from gateway.services.selectors import DataSourceInstanceSelector, DataSourceSelector, PointerInput
from tests.graphql.world import World
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, definition, instance

LOCATION = """query ($path: String!) { connection(by: { integrationKey: "notes" }) { location(path: $path) {
  __typename path key parameters name
  ... on Directory { locations { nodes { __typename path key parameters name ... on DataCollection { isDefault } } } }
  ... on DataCollection { isDefault spec { key fieldsSchema } records(first: 2) { nodes { externalId } } } } } }"""


async def test_the_root_is_a_directory_of_what_the_app_holds(world: World):
    await connection(world.runtime, world.acme)

    found = (await world.ask(LOCATION, path="/"))["connection"]["location"]

    assert (found["__typename"], found["path"], found["key"], found["name"]) == ("Directory", "/", "", "Notes")
    places = [(node["__typename"], node["path"], node["name"], node.get("isDefault")) for node in found["locations"]["nodes"]]
    assert places == [
        ("DataCollection", "/data/notes", "Notes", True),
        ("DataCollection", "/data/people", "People", False),
        ("Directory", "/data/archive", "Archive", None),
        ("Directory", "/data/notebook?notebookId=7", "Garden", None),
        ("Directory", "/data/notebook?notebookId=8", "Kitchen", None),
        ("Directory", "/data/notebook?notebookId=9", "Cellar", None),
    ]


async def test_a_directory_holds_collections_with_parameters(world: World):
    await connection(world.runtime, world.acme)

    found = (await world.ask(LOCATION, path="/data/notebook?notebookId=7"))["connection"]["location"]

    assert found["parameters"] == {"notebookId": 7}
    assert found["locations"]["nodes"] == [
        {
            "__typename": "DataCollection",
            "path": "/data/notes?notebookId=7",
            "key": "notes",
            "parameters": {"notebookId": 7},
            "name": "Notes",
            "isDefault": False,
        }
    ]


async def test_a_collection_has_a_spec_and_records(world: World):
    await connection(world.runtime, world.acme)

    assert (await world.ask(LOCATION, path="/data/notes?isPinned=true"))["connection"]["location"] == {
        "__typename": "DataCollection",
        "path": "/data/notes?isPinned=true",
        "key": "notes",
        "parameters": {"isPinned": True},
        "name": "Notes",
        "isDefault": False,
        "spec": {"key": "notes", "fieldsSchema": {"type": "object", "properties": {"text": {"type": "string"}}}},
        "records": {"nodes": [{"externalId": "note 1"}, {"externalId": "note 2"}]},
    }


async def test_a_location_that_the_app_does_not_have_is_null(world: World):
    await connection(world.runtime, world.acme)

    assert (await world.ask(LOCATION, path="/data/notebook?notebookId=70"))["connection"] == {"location": None}


async def test_a_collection_is_found_by_key_and_parameters(world: World):
    await connection(world.runtime, world.acme)
    document = """query ($key: String!, $parameters: JSON) { connection(by: { integrationKey: "notes" }) {
      collection(key: $key, parameters: $parameters) { path } } }"""

    assert (await world.ask(document, key="notes"))["connection"]["collection"] == {"path": "/data/notes"}
    found = await world.ask(document, key="notes", parameters={"notebookId": 7})
    assert found["connection"]["collection"] == {"path": "/data/notes?notebookId=7"}
    assert (await world.error(document, key="archive"))[0] == "INVALID"
    assert (await world.error(document, key="notes", parameters={"notebookId": "seven"}))[0] == "INVALID"
    assert await world.error(document, key="notes", parameters=[1]) == ("INVALID", "The value must be a JSON object.")


async def test_an_integration_lists_its_locations_through_the_viewers_only_connection(world: World, notes_app: NotesApp):
    document = """query ($path: String!) { integration(key: "notes") { dataCollections(path: $path) {
      nodes { path name ... on DataCollection { spec { key fieldsSchema } records { nodes { id } } } } } } }"""
    static = await world.execute(document, path="/data/archive")
    unconnected = await world.error(document, path="/")
    await connection(world.runtime, world.acme)
    notes_app.requests.clear()
    listed = await world.execute(document, path="/")

    assert static.data["integration"]["dataCollections"]["nodes"][0] == {
        "path": "/data/notes?isPinned=false",
        "name": "Notes",
        "spec": {"key": "notes", "fieldsSchema": {"type": "object", "properties": {"text": {"type": "string"}}}},
        "records": None,
    }
    assert [error.extensions["code"] for error in static.errors] == ["UNSUPPORTED"]
    assert unconnected[0] == "UNSUPPORTED"
    assert [node["path"] for node in listed.data["integration"]["dataCollections"]["nodes"]][:2] == ["/data/notes", "/data/people"]
    assert {error.extensions["code"] for error in listed.errors} == {"UNSUPPORTED"}
    assert notes_app.requests == ["locations"]


async def test_under_an_instance_the_default_is_its_own(world: World):
    await definition(world.runtime, "people", udm="users")
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), "people")
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) {
      collection { path name isDefault } locations { nodes { path ... on DataCollection { isDefault } } } } }"""

    found = (await world.ask(document, id=global_id(row)))["dataSourceInstance"]

    assert found["collection"] == {"path": "/data/people", "name": "People", "isDefault": True}
    assert found["locations"]["nodes"][:2] == [{"path": "/data/people", "isDefault": True}, {"path": "/data/notes", "isDefault": False}]


async def test_an_instance_pointed_elsewhere_is_not_at_its_default(world: World):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    by = DataSourceInstanceSelector(id=row.id)
    await data_source_instances.update(world.runtime, world.acme, by=by, pointer=PointerInput(path="/data/notes?notebookId=7"))
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) {
      path isCustomized defaultPath collection { isDefault parameters } } }"""

    assert (await world.ask(document, id=global_id(row)))["dataSourceInstance"] == {
        "path": "/data/notes?notebookId=7",
        "isCustomized": True,
        "defaultPath": "/data/notes",
        "collection": {"isDefault": False, "parameters": {"notebookId": 7}},
    }


async def test_a_record_is_shown_whole(world: World):
    await definition(world.runtime)
    connected = await connection(world.runtime, world.acme)
    row = await instance(world.runtime, world.acme, connected)
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { records(first: 1) { edges { node {
      __typename id externalId name url version fields rawFields createdAt updatedAt collection { path name } } } } } }"""

    (edge,) = (await world.ask(document, id=global_id(row)))["dataSourceInstance"]["records"]["edges"]

    assert edge["node"] == {
        "__typename": "Record",
        "id": record_id(connected.id, Pointer("notes"), "note 1"),
        "externalId": "note 1",
        "name": None,
        "url": None,
        "version": None,
        "fields": {"text": "note 1"},
        "rawFields": None,
        "createdAt": None,
        "updatedAt": None,
        "collection": {"path": "/data/notes", "name": "Notes"},
    }


async def test_one_answer_asks_the_app_once_for_the_same_thing(world: World, notes_app: NotesApp):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    notes_app.requests.clear()

    await world.ask(
        """query ($id: ID!) { dataSourceInstance(by: { id: $id }) {
          collectionSpec { key } fieldsSchema collection { name spec { key } } records { nodes { collection { name } } } } }""",
        id=global_id(row),
    )

    assert sorted(notes_app.requests) == ["describe", "location", "records"]


async def test_when_the_app_fails_the_rest_of_the_answer_stands(world: World, notes_app: NotesApp):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    notes_app.failure = UpstreamUnavailableError("Notes cannot be reached. Try again later.", may_have_been_received=False)

    result = await world.execute(
        """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { path state
          records { nodes { id } } collectionSpec { key } collection { path name } connection { name location { path } } } }""",
        id=global_id(row),
    )

    assert result.data["dataSourceInstance"] == {
        "path": "/data/notes",
        "state": "READY",
        "records": None,
        "collectionSpec": None,
        "collection": None,
        "connection": {"name": "Notes", "location": None},
    }
    assert {(error.message, error.extensions["code"]) for error in result.errors} == {
        ("Notes cannot be reached. Try again later.", "UPSTREAM_UNAVAILABLE")
    }
    assert len(result.errors) == 4


async def test_an_app_that_asks_to_slow_down_says_for_how_long(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.failure = UpstreamRateLimitError("Notes asks us to slow down.", retry_after_seconds=7)

    result = await world.execute('{ connection(by: { integrationKey: "notes" }) { location { path } } }')

    assert [error.extensions for error in result.errors] == [{"code": "UPSTREAM_RATE_LIMIT", "retryAfterSeconds": 7}]


async def test_credentials_that_are_refused_disconnect_and_the_next_read_does_not_ask(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.accepted_tokens.clear()
    document = '{ connection(by: { integrationKey: "notes" }) { location { path } } }'
    first = await world.error(document)
    notes_app.requests.clear()
    second = await world.error(document)

    assert (first[0], second[0]) == ("UPSTREAM_AUTH", "UPSTREAM_AUTH")
    assert notes_app.requests == []
    state = await world.ask('{ connection(by: { integrationKey: "notes" }) { state errors { code } } }')
    assert state["connection"] == {"state": "DISCONNECTED", "errors": [{"code": "UPSTREAM_AUTH"}]}


async def test_an_admin_sees_every_customers_places(world: World):
    connected = await connection(world.runtime, world.acme)

    document = "query ($id: ID!) { connection(by: { id: $id }) { customer { externalId } location { name } } }"
    assert await world.ask(document, SYSTEM, id=global_id(connected)) == {
        "connection": {"customer": {"externalId": "acme"}, "location": {"name": "Notes"}}
    }


WHAT_ASKS_THE_APP = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { path
  records { nodes { id } } locations { nodes { path } } collection { name } collectionSpec { key } fieldsSchema } }"""


async def test_an_archived_instance_tells_what_it_was_and_asks_the_app_nothing(world: World, notes_app: NotesApp):
    connected = await connection(world.runtime, world.acme)
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, connected)
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=row.id))
    notes_app.requests.clear()

    result = await world.execute(WHAT_ASKS_THE_APP, id=global_id(row))

    assert result.data["dataSourceInstance"] == dict.fromkeys(("records", "locations", "collection", "collectionSpec", "fieldsSchema")) | {
        "path": "/data/notes"
    }
    assert {(error.extensions["code"], error.message) for error in result.errors} == {
        ("INVALID", "The instance is archived. Restore it first.")
    }
    assert len(result.errors) == 5
    assert notes_app.requests == []


async def test_instances_of_an_archived_data_source_ask_the_app_nothing(world: World, notes_app: NotesApp):
    connected = await connection(world.runtime, world.acme)
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, connected)
    await data_sources.archive(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings"))
    notes_app.requests.clear()

    document = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { records { nodes { id } } } }"

    assert await world.error(document, id=global_id(row)) == ("INVALID", "Data source 'jottings' is archived. Restore it first.")
    assert notes_app.requests == []
