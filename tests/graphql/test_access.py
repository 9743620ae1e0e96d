"""Who may read and change what: nobody nothing, customers their own, admins all."""

from gateway.graphql.ids import global_id
from gateway.models.principal import ANONYMOUS, SYSTEM
from gateway.services import customers, integrations
from tests.graphql.world import SCHEMA, World
from tests.support.runtime import connection, customer, definition, instance, stored

ROOTS = [
    "viewer { isAdmin }",
    "connectors { totalCount }",
    'connector(key: "notes") { key }',
    "integrations { totalCount }",
    'integration(key: "notes") { key }',
    "customers { totalCount }",
    'customer(externalId: "acme") { name }',
    "connections { totalCount }",
    'connection(by: { integrationKey: "notes" }) { name }',
    "dataSources { totalCount }",
    'dataSource(by: { key: "jottings" }) { key }',
    "dataSourceInstances { totalCount }",
    'dataSourceInstance(by: { of: { connection: { integrationKey: "notes" }, dataSource: { key: "jottings" } } }) { path }',
    "universalDataModels { key }",
    'universalDataModel(key: "tasks") { key }',
]
ADMIN_INPUTS = {
    "integrationCreate": '{ key: "x", connectorKey: "notes" }',
    "integrationUpdate": '{ key: "notes" }',
    "integrationArchive": '{ key: "notes" }',
    "integrationRestore": '{ id: "%s" }',
    "customerUpsert": '{ externalId: "acme" }',
    "customerDelete": '{ externalId: "acme" }',
    "dataSourceCreate": '{ key: "x" }',
    "dataSourceUpdate": '{ by: { key: "jottings" } }',
    "dataSourceApply": '{ key: "jottings", integrationKeys: [] }',
    "dataSourceSetup": '{ by: { key: "jottings" } }',
    "dataSourceReset": '{ by: { key: "jottings" } }',
    "dataSourceArchive": '{ by: { key: "jottings" } }',
    "dataSourceRestore": '{ id: "%s" }',
}
CUSTOMER_INPUTS = {
    "connectionCreate": '{ integrationKey: "notes" }',
    "connectionUpdate": '{ by: { integrationKey: "notes" } }',
    "connectionTest": '{ by: { integrationKey: "notes" } }',
    "connectionArchive": '{ by: { integrationKey: "notes" } }',
    "connectionRestore": '{ id: "%s" }',
    "dataSourceInstanceCreate": '{ connection: { integrationKey: "notes" }, dataSource: { key: "jottings" } }',
    "dataSourceInstanceUpdate": '{ by: { id: "%s" } }',
    "dataSourceInstanceSetup": '{ by: { id: "%s" } }',
    "dataSourceInstanceReset": '{ by: { id: "%s" } }',
    "dataSourceInstanceArchive": '{ by: { id: "%s" } }',
    "dataSourceInstanceRestore": '{ id: "%s" }',
    "dataSourceInstanceSubscribe": '{ by: { id: "%s" } }',
    "dataSourceInstanceUnsubscribe": '{ by: { id: "%s" } }',
    "dataSourceInstanceSync": '{ by: { id: "%s" } }',
    "syncRunCancel": '{ id: "%s" }',
    "syncRunRelease": '{ id: "%s" }',
    "recordCreate": '{ in: { dataSourceInstance: { id: "%s" } }, values: { fields: {} } }',
    "recordUpdate": '{ in: { dataSourceInstance: { id: "%s" } }, externalId: "1", values: { fields: {} } }',
    "recordDelete": '{ in: { dataSourceInstance: { id: "%s" } }, externalId: "1" }',
    "unifiedFieldsToNative": '{ in: { dataSourceInstance: { id: "%s" } }, unifiedFields: {} }',
}


async def test_who_has_no_token_reads_nothing(world: World):
    for root in ROOTS:
        code, message = await world.error(f"{{ {root} }}", ANONYMOUS)
        assert (code, message) == ("NOT_AUTHENTICATED", "A token is needed. Send it as `Authorization: Bearer <token>`."), root


async def test_who_has_no_token_can_still_read_the_schema(world: World):
    assert (await world.ask("{ __schema { queryType { name } } }", ANONYMOUS)) == {"__schema": {"queryType": {"name": "Query"}}}


async def test_anothers_rows_answer_as_if_they_did_not_exist(world: World):
    globex = await customer(world.runtime, "globex")
    await definition(world.runtime)
    connected = await connection(world.runtime, globex)
    row = await instance(world.runtime, globex, connected)
    document = """query ($connection: ID!, $instance: ID!, $ids: [ID!]!) {
      connection(by: { id: $connection }) { id } dataSourceInstance(by: { id: $instance }) { id }
      nodes(ids: $ids) { id } connections { totalCount } dataSourceInstances { totalCount }
      dataSource(by: { key: "jottings" }) { instances { totalCount } } integration(key: "notes") { connections { totalCount } } }"""
    hidden = [global_id(connected), global_id(row)]

    assert await world.ask(document, connection=hidden[0], instance=hidden[1], ids=hidden) == {
        "connection": None,
        "dataSourceInstance": None,
        "nodes": [None, None],
        "connections": {"totalCount": 0},
        "dataSourceInstances": {"totalCount": 0},
        "dataSource": {"instances": {"totalCount": 0}},
        "integration": {"connections": {"totalCount": 0}},
    }


async def test_customers_are_for_admins(world: World):
    await customers.upsert(world.runtime, SYSTEM, external_id="globex", name="Globex", fields={"plan": "pro"})
    document = '{ customers { totalCount nodes { externalId } } customer(externalId: "globex") { name fields connections { totalCount } } }'

    assert await world.ask(document, SYSTEM) == {
        "customers": {"totalCount": 2, "nodes": [{"externalId": "acme"}, {"externalId": "globex"}]},
        "customer": {"name": "Globex", "fields": {"plan": "pro"}, "connections": {"totalCount": 0}},
    }
    refused = await world.execute(document)
    assert refused.data == {"customers": None, "customer": None}
    assert {error.extensions["code"] for error in refused.errors} == {"ACCESS_DENIED"}


def test_every_mutation_is_in_one_of_the_two_lists():
    names = {SCHEMA.config.name_converter.from_field(field) for field in SCHEMA.mutation.__strawberry_definition__.fields}

    assert names == set(ADMIN_INPUTS) | set(CUSTOMER_INPUTS)


async def test_what_is_for_admins_is_refused_to_customers(world: World):
    source = await definition(world.runtime)
    home = await integrations.by_key(world.runtime, SYSTEM, key="notes")
    before = await stored(world.runtime)

    for name, given in ADMIN_INPUTS.items():
        text = given.replace("%s", global_id(source if name.startswith("dataSource") else home))
        answer = await world.ask(f"mutation {{ {name}(input: {text}) {{ userErrors {{ code message }} }} }}")
        assert answer == {name: {"userErrors": [{"code": "ACCESS_DENIED", "message": "Only an admin may do this."}]}}

    assert await stored(world.runtime) == before


async def test_who_has_no_token_changes_nothing(world: World):
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    before = await stored(world.runtime)

    for name, given in {**ADMIN_INPUTS, **CUSTOMER_INPUTS}.items():
        text = given.replace("%s", global_id(row))
        answer = await world.ask(f"mutation {{ {name}(input: {text}) {{ userErrors {{ code }} }} }}", ANONYMOUS)
        assert answer == {name: {"userErrors": [{"code": "NOT_AUTHENTICATED"}]}}

    assert await stored(world.runtime) == before


async def test_nobody_reads_nodes_not_even_none_of_them(world: World):
    code, _ = await world.error("{ nodes(ids: []) { id } }", ANONYMOUS)

    assert code == "NOT_AUTHENTICATED"
