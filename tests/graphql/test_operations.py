"""What one operation costs, and what it shares with others."""

from typing import Any

import pytest

from gateway.graphql import make_context
from gateway.graphql.ids import global_id
from gateway.models.principal import SYSTEM
from gateway.services import connections
from gateway.services.selectors import ConnectionSelector
from tests.graphql.world import SCHEMA, World
from tests.support.database import recorded_statements
from tests.support.runtime import connection, customer, definition, instance

NESTED = """
{ dataSourceInstances(first: 100) { totalCount nodes {
  id path state isCustomized settings { name value origin } errors { message element { id } } udm { key }
  dataSource { key name state settings { origin } instances(first: 3) { totalCount nodes { id } } customizations { nodes { key } } }
  connection {
    name state errors { code }
    integration { key state connector { key } connections(first: 2) { totalCount nodes { name } } }
    customer { externalId connections(first: 5) { nodes { name dataSourceInstances { totalCount } } } }
  }
} } }
"""


@pytest.fixture
def runtime_url(database_url: str) -> str:
    """These tests run on both kinds of database."""
    return database_url


async def furnish(world: World, *, customers: int, instances_each: int) -> None:
    await definition(world.runtime)
    for number in range(customers):
        principal = await customer(world.runtime, f"customer-{number}")
        connected = await connection(world.runtime, principal)
        for key in range(instances_each):
            await instance(world.runtime, principal, connected, instance_key=str(key))


async def statements_of(world: World, document: str, **variables: Any) -> list[str]:
    with recorded_statements(world.runtime.database) as statements:
        await world.ask(document, SYSTEM, **variables)
    return statements


async def test_a_hundred_instances_cost_as_many_statements_as_one(world: World):
    await furnish(world, customers=1, instances_each=1)
    few = await statements_of(world, NESTED)
    for number in range(1, 10):
        principal = await customer(world.runtime, f"customer-{number}")
        connected = await connection(world.runtime, principal)
        for key in range(11):
            await instance(world.runtime, principal, connected, instance_key=str(key))
    many = await statements_of(world, NESTED)

    found = (await world.ask(NESTED, SYSTEM))["dataSourceInstances"]
    assert (found["totalCount"], len(found["nodes"])) == (100, 100)
    assert len(many) == len(few) == 15


async def test_an_instance_with_all_around_it_costs_a_statement_a_table(world: World):
    await furnish(world, customers=1, instances_each=1)
    document = """{ dataSourceInstances { nodes { path state settings { origin }
      connection { name integration { key } customer { externalId } } dataSource { key } } } }"""

    statements = await statements_of(world, document)

    tables = sorted(statement.split("FROM ")[1].split()[0] for statement in statements)
    assert tables == ["connection", "customer", "data_source", "data_source", "data_source_instance", "integration"]


async def test_a_list_is_counted_only_when_asked(world: World):
    await furnish(world, customers=1, instances_each=1)

    assert len(await statements_of(world, "{ connections { nodes { name } } }")) == 1
    assert len(await statements_of(world, "{ connections { nodes { name } totalCount } }")) == 2
    assert len(await statements_of(world, "{ connections { totalCount } }")) == 2


async def test_operations_on_one_socket_see_each_what_is_true_then(world: World):
    connected = await connection(world.runtime, world.acme, name="Old")
    await definition(world.runtime)
    row = await instance(world.runtime, world.acme, connected)
    # A socket makes one context for all of its operations.
    context = make_context(world.runtime, world.acme)
    document = "query ($id: ID!) { node(id: $id) { ... on DataSourceInstance { connection { name } } } }"

    async def read() -> str:
        result = await SCHEMA.execute(document, variable_values={"id": global_id(row)}, context_value=context)
        return result.data["node"]["connection"]["name"]

    first = await read()
    await connections.update(world.runtime, world.acme, by=ConnectionSelector(id=connected.id), name="New")

    assert (first, await read()) == ("Old", "New")


async def test_an_operation_has_a_context_of_its_own(world: World):
    context = make_context(world.runtime, world.acme)
    mine = context.loaders
    copy = context.for_operation()

    assert (copy.runtime, copy.principal) == (context.runtime, context.principal)
    assert copy.loaders is not mine
    assert context.loaders is mine


@pytest.mark.parametrize("aliases", [1, 50])
async def test_the_same_thing_asked_twice_is_read_once(world: World, aliases: int):
    await furnish(world, customers=1, instances_each=1)
    found = await world.ask("{ dataSources { nodes { id } } }")
    node_id = found["dataSources"]["nodes"][0]["id"]
    nodes = " ".join(f'n{number}: node(id: "{node_id}") {{ id }}' for number in range(aliases))

    assert len(await statements_of(world, f"{{ {nodes} }}")) == 1
