"""Reading, through the schema."""

from gateway.graphql.ids import global_id
from gateway.models.principal import SYSTEM
from gateway.services import connections, customers, data_source_instances, data_sources, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, PointerInput
from tests.graphql.world import World
from tests.support.runtime import connection, customer, definition, instance, integration

INSTANCE = """
query ($by: DataSourceInstanceSelector!) {
  dataSourceInstance(by: $by) {
    path collectionKey collectionParameters defaultPath defaultCollectionKey defaultCollectionParameters instanceKey isCustomized
    pullUpdatesIntervalSeconds fullSyncIntervalSeconds state errors { code message } settings { name value origin } udm { key } revision
    archivedAt createdAt
    connection { name authMethod state integration { key connector { key } } customer { externalId } }
    dataSource { key name isCustomized integration { key } universalDataSource { key } }
  }
}
"""


async def test_an_instance_tells_its_settings_and_where_it_belongs(world: World):
    connected = await connection(world.runtime, world.acme, name="Our notes")
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, connected)

    answer = await world.ask(INSTANCE, by={"id": global_id(row)})

    assert answer["dataSourceInstance"] == {
        "path": "/data/notes",
        "collectionKey": "notes",
        "collectionParameters": {},
        "defaultPath": "/data/notes",
        "defaultCollectionKey": "notes",
        "defaultCollectionParameters": {},
        "instanceKey": None,
        "isCustomized": False,
        "pullUpdatesIntervalSeconds": 300,
        "fullSyncIntervalSeconds": 10_800,
        "state": "READY",
        "errors": [],
        "settings": [
            {"name": "POINTER", "value": {"key": "notes", "parameters": {}}, "origin": "CONNECTOR"},
            {"name": "PULL_UPDATES_INTERVAL_SECONDS", "value": 300, "origin": "DEFAULT"},
            {"name": "FULL_SYNC_INTERVAL_SECONDS", "value": 10_800, "origin": "DEFAULT"},
            {"name": "EVENT_BODIES", "value": True, "origin": "DEFAULT"},
        ],
        "udm": {"key": "notes"},
        "revision": str(row.revision),
        "archivedAt": None,
        "createdAt": row.created_at.isoformat().replace("+00:00", "Z"),
        "connection": {
            "name": "Our notes",
            "authMethod": "token",
            "state": "READY",
            "integration": {"key": "notes", "connector": {"key": "notes"}},
            "customer": {"externalId": "acme"},
        },
        "dataSource": {"key": "jottings", "name": "jottings", "isCustomized": False, "integration": None, "universalDataSource": None},
    }


async def test_an_instance_is_selected_by_connection_and_data_source_as_well(world: World):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), instance_key="second")
    key = {"connection": {"integrationKey": "notes"}, "dataSource": {"key": "jottings"}}

    found = await world.ask(INSTANCE, by={"of": {**key, "instanceKey": "second"}})

    assert found["dataSourceInstance"]["revision"] == str(row.revision)
    assert found["dataSourceInstance"]["instanceKey"] == "second"
    assert await world.ask(INSTANCE, by={"of": key}) == {"dataSourceInstance": None}


async def test_an_instance_without_a_collection_is_ready_and_its_records_say_what_is_missing(world: World):
    await definition(world.runtime, "loose", udm=None)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), "loose")
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) {
      state path defaultPath collectionParameters udm { key } collection { key } collectionSpec { key } fieldsSchema
      records { nodes { id } } settings { name value origin } } }"""

    result = await world.execute(document, id=global_id(row))

    found = result.data["dataSourceInstance"]
    assert found.pop("settings")[0] == {"name": "POINTER", "value": None, "origin": "DEFAULT"}
    assert found.pop("state") == "READY"
    assert set(found.values()) == {None}
    assert [(error.extensions["code"], error.path) for error in result.errors] == [
        ("NO_COLLECTION_SELECTED", ["dataSourceInstance", "records"])
    ]


async def test_the_viewer_is_the_customer_of_the_token(world: World):
    document = "{ viewer { isAdmin customer { externalId name fields } } }"

    assert (await world.ask(document))["viewer"] == {"isAdmin": False, "customer": {"externalId": "acme", "name": None, "fields": {}}}
    assert (await world.ask(document, SYSTEM))["viewer"] == {"isAdmin": True, "customer": None}


async def test_connectors_come_by_key_and_page_by_page(world: World):
    document = """query ($after: String) { connectors(first: 2, after: $after) {
      nodes { key } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor } } }"""
    first = (await world.ask(document))["connectors"]
    second = (await world.ask(document, after=first["pageInfo"]["endCursor"]))["connectors"]

    keys = sorted(world.runtime.connectors)
    assert [node["key"] for node in first["nodes"] + second["nodes"]] == keys[:4]
    assert (first["totalCount"], second["totalCount"]) == (len(keys), len(keys))
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert second["pageInfo"]["hasPreviousPage"] is True
    assert [first["pageInfo"]["startCursor"], first["pageInfo"]["endCursor"]] == [edge["cursor"] for edge in first["edges"]]


async def test_connectors_are_found_by_a_part_of_their_name(world: World):
    assert (await world.ask('{ connectors(search: "NOT") { nodes { key } } }'))["connectors"]["nodes"] == [{"key": "notes"}]


async def test_a_connector_tells_what_is_known_without_a_connection(world: World):
    document = """{ connector(key: "notes") { name version connectionSchema authMethods { key type credentialsSchema }
      collections { key operations fieldsSchema universalDataModels { key } } universalDataModels { key } } }"""

    found = (await world.ask(document))["connector"]

    assert (found["name"], found["version"]) == ("Notes", "1.0.0")
    assert [(method["key"], method["type"]) for method in found["authMethods"]] == [("token", "HTTP_BEARER"), ("open", "NONE")]
    assert found["authMethods"][0]["credentialsSchema"]["properties"]["token"]["writeOnly"] is True
    assert [(c["key"], c["operations"], c["universalDataModels"]) for c in found["collections"]] == [
        ("notes", ["LIST"], [{"key": "notes"}]),
        ("people", ["LIST", "FIND_BY_ID", "MATCH"], [{"key": "users"}]),
        ("scraps", ["LIST"], []),
        ("cards", ["LIST", "SEARCH", "MATCH", "FIND_BY_ID", "CREATE", "UPDATE", "DELETE"], [{"key": "tasks"}]),
    ]
    assert found["collections"][2]["fieldsSchema"] is None
    assert found["universalDataModels"] == [{"key": "notes"}, {"key": "users"}, {"key": "tasks"}]


async def test_an_integration_whose_connector_is_gone_stays_readable(world: World):
    async with world.runtime.database.write(SYSTEM) as session:
        row = await integrations.by_key(world.runtime, SYSTEM, key="notes")
        row.connector_key = "gone"
        await session.merge(row)

    document = """{ integration(key: "notes") { state errors { code message element { id } }
      connector { key name version description authMethods { key } collections { key } } } }"""
    assert (await world.ask(document))["integration"] == {
        "state": "CONFIGURATION_ERROR",
        "errors": [{"code": "CONFIGURATION", "message": "Connector 'gone' is not installed in this gateway.", "element": None}],
        "connector": {
            "key": "gone",
            "name": "gone",
            "version": "0.0.0",
            "description": "This connector is not installed in this gateway.",
            "authMethods": [],
            "collections": [],
        },
    }


async def test_an_error_names_the_element_at_fault(world: World):
    await definition(world.runtime)
    connected = await connection(world.runtime, world.acme)
    row = await instance(world.runtime, world.acme, connected)
    await integrations.archive(world.runtime, SYSTEM, key="notes")

    document = """query ($id: ID!) { node(id: $id) { ... on DataSourceInstance {
      state errors { code element { __typename id } } connection { state errors { element { __typename } } } } } }"""
    found = (await world.ask(document, id=global_id(row)))["node"]

    assert found["state"] == "CONFIGURATION_ERROR"
    assert found["errors"] == [{"code": "CONFIGURATION", "element": {"__typename": "Connection", "id": global_id(connected)}}]
    assert found["connection"] == {"state": "CONFIGURATION_ERROR", "errors": [{"element": {"__typename": "Integration"}}]}


async def test_lists_of_rows_come_oldest_first_and_page_by_page(world: World):
    names = [f"Notes {number}" for number in range(5)]
    for name in names:
        await connection(world.runtime, world.acme, name=name)
    document = """query ($after: String) { connections(first: 2, after: $after) {
      totalCount nodes { name } pageInfo { hasNextPage endCursor } } }"""

    seen, after = [], None
    for _ in range(3):
        page = (await world.ask(document, after=after))["connections"]
        seen += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["totalCount"] == 5

    assert seen == names
    assert page["pageInfo"]["hasNextPage"] is False


async def test_lists_are_narrowed_by_a_filter(world: World):
    await definition(world.runtime)
    connected = await connection(world.runtime, world.acme, name="Ours")
    await connection(world.runtime, world.acme, name="Others'")
    await instance(world.runtime, world.acme, connected)
    document = """query ($connection: ConnectionSelector) {
      connections(filter: { search: "our", states: [READY], integrationKey: "notes" }) { nodes { name } }
      dataSources(filter: { isUniversal: true, udm: "notes" }) { nodes { key } }
      none: dataSources(filter: { isUniversal: false }) { nodes { key } }
      dataSourceInstances(filter: { connection: $connection, dataSource: { key: "jottings" }, states: [READY] }) { totalCount } }"""

    answer = await world.ask(document, connection={"id": global_id(connected)})

    assert answer == {
        "connections": {"nodes": [{"name": "Ours"}]},
        "dataSources": {"nodes": [{"key": "jottings"}]},
        "none": {"nodes": []},
        "dataSourceInstances": {"totalCount": 1},
    }


async def test_nested_lists_leave_out_what_is_archived_unless_asked(world: World):
    await definition(world.runtime)
    connected = await connection(world.runtime, world.acme)
    row = await instance(world.runtime, world.acme, connected)
    await instance(world.runtime, world.acme, connected, instance_key="second")
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=row.id))

    document = """{ connection(by: { integrationKey: "notes" }) {
      dataSourceInstances { totalCount nodes { instanceKey } }
      all: dataSourceInstances(includeArchived: true, first: 1) { totalCount nodes { instanceKey } pageInfo { hasNextPage } } } }"""

    assert (await world.ask(document))["connection"] == {
        "dataSourceInstances": {"totalCount": 1, "nodes": [{"instanceKey": "second"}]},
        "all": {"totalCount": 2, "nodes": [{"instanceKey": None}], "pageInfo": {"hasNextPage": True}},
    }


async def test_a_definition_lists_its_customisations_and_instances(world: World):
    universal = await definition(world.runtime)
    pointer = PointerInput(key="notes", parameters={"isPinned": True})
    own = await data_sources.create(
        world.runtime, SYSTEM, key="jottings", integration_key="notes", universal_key="jottings", pointer=pointer
    )
    await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))

    document = """query ($universal: ID!, $own: ID!) {
      universal: dataSource(by: { id: $universal }) { isCustomized fieldsSchema customizations { nodes { id } } instances { totalCount } }
      own: dataSource(by: { id: $own }) {
        isCustomized path fieldsSchema universalDataSource { id } integration { key dataSources { nodes { id } } }
        instances { nodes { path settings { origin } } } customizations { totalCount } } }"""
    answer = await world.ask(document, universal=global_id(universal), own=global_id(own))

    assert answer["universal"]["isCustomized"] is False
    assert "properties" in answer["universal"]["fieldsSchema"]
    assert answer["universal"]["customizations"] == {"nodes": [{"id": global_id(own)}]}
    assert answer["universal"]["instances"] == {"totalCount": 1}
    assert answer["own"]["isCustomized"] is True
    assert answer["own"]["path"] == "/data/notes?isPinned=true"
    assert answer["own"]["fieldsSchema"] == {"type": "object", "properties": {"text": {"type": "string"}}}
    assert answer["own"]["universalDataSource"] == {"id": global_id(universal)}
    assert answer["own"]["integration"] == {"key": "notes", "dataSources": {"nodes": [{"id": global_id(own)}]}}
    assert [node["path"] for node in answer["own"]["instances"]["nodes"]] == ["/data/notes?isPinned=true"]
    assert answer["own"]["customizations"] == {"totalCount": 0}


async def test_universal_data_models_come_by_key(world: World):
    answer = await world.ask('{ universalDataModels { key } universalDataModel(key: "tasks") { name pluralName fieldsSchema } }')

    keys = [model["key"] for model in answer["universalDataModels"]]
    assert keys == sorted(keys)
    assert "tasks" in keys
    assert (answer["universalDataModel"]["name"], answer["universalDataModel"]["pluralName"]) == ("Task", "Tasks")


async def test_the_instance_of_a_data_source_is_read_from_its_connection(world: World):
    connected = await connection(world.runtime, world.acme)
    source = await definition(world.runtime)
    row = await instance(world.runtime, world.acme, connected)
    await integration(world.runtime, "second")
    strange = await data_sources.create(world.runtime, SYSTEM, key="strange", integration_key="second")
    document = """query ($by: DataSourceSelector!) { connection(by: { integrationKey: "notes" }) {
      dataSourceInstance(dataSource: $by) { id } } }"""
    selectors = [{"id": global_id(source)}, {"key": "jottings"}, {"keyInIntegration": {"key": "jottings", "integrationKey": "notes"}}]

    for by in selectors:
        assert (await world.ask(document, by=by))["connection"] == {"dataSourceInstance": {"id": global_id(row)}}
    assert await world.error(document, by={"id": global_id(strange)}) == (
        "INVALID",
        "Data source 'strange' belongs to another integration than the connection.",
    )
    await data_source_instances.archive(world.runtime, world.acme, by=DataSourceInstanceSelector(id=row.id))
    assert (await world.ask(document, by=selectors[0]))["connection"] == {"dataSourceInstance": None}


async def test_a_row_that_was_read_before_is_as_its_last_commit_left_it_and_its_customers_alone(world: World):
    document = "query ($id: ID!) { connection(by: {id: $id}) { name } again: connection(by: {id: $id}) { integration { name } } }"
    row = await connection(world.runtime, world.acme, name="Our notes")
    stranger = await customer(world.runtime, "umbrella")
    for _ in range(2):
        assert (await world.ask(document, id=global_id(row)))["connection"] == {"name": "Our notes"}

    assert await world.ask(document, stranger, id=global_id(row)) == {"connection": None, "again": None}
    await connections.update(world.runtime, world.acme, by=ConnectionSelector(id=row.id), name="Renamed")
    assert (await world.ask(document, id=global_id(row)))["connection"] == {"name": "Renamed"}
    await customers.delete(world.runtime, SYSTEM, external_id="acme")
    assert await world.ask(document, id=global_id(row)) == {"connection": None, "again": None}
