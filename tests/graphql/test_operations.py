"""What one operation costs, and what it shares with others."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlmodel import col, select

from gateway.models import ChangeType, DataSourceInstance, EventSubscription, Pointer, SyncKind, SyncRun
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.services import data_sources
from gateway.services.selectors import DataSourceSelector
from tests.graphql.world import World
from tests.support import following
from tests.support.database import recorded_statements
from tests.support.runtime import connection, customer, definition

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


async def furnish(world: World, names: Sequence[str], *, instances_each: int = 1) -> None:
    """Customers with a connection each, and instances in it; these are written at once, because setting each up takes its time."""
    now = world.runtime.clock.now()
    source = await data_sources.by_selector(world.runtime, SYSTEM, by=DataSourceSelector(key="jottings")) or await definition(world.runtime)
    owners = [await customer(world.runtime, name) for name in names]
    homes = [await connection(world.runtime, owner) for owner in owners]
    async with world.runtime.database.write(SYSTEM) as session:
        for home in homes:
            common = {"connection_id": home.id, "customer_id": home.customer_id, "data_source_id": source.id}
            for key in range(instances_each):
                session.add(DataSourceInstance(**common, instance_key=str(key), created_at=now, updated_at=now))


async def statements_of(world: World, document: str, **variables: Any) -> list[str]:
    with recorded_statements(world.runtime.database) as statements:
        await world.ask(document, SYSTEM, **variables)
    return statements


async def test_a_hundred_instances_cost_as_many_statements_as_one(world: World):
    await furnish(world, ["first"])
    few = await statements_of(world, NESTED)
    await furnish(world, [f"customer {number}" for number in range(9)], instances_each=11)
    many = await statements_of(world, NESTED)

    found = (await world.ask(NESTED, SYSTEM))["dataSourceInstances"]
    assert (found["totalCount"], len(found["nodes"])) == (100, 100)
    assert len(many) == len(few) == 13


async def test_an_instance_with_all_that_decides_it_costs_a_statement_for_each_pair_of_layers(world: World):
    await furnish(world, ["first"])
    document = """{ dataSourceInstances { nodes { path state settings { origin }
      connection { name integration { key } customer { externalId } } dataSource { key } } } }"""

    statements = await statements_of(world, document)

    tables = sorted(statement.split("FROM ")[1].split()[0] for statement in statements)
    # A connection comes with its integration, a root definition with its customisation.
    assert tables == ["connection", "customer", "data_source", "data_source_instance"]


async def test_fifty_instances_with_what_is_known_of_their_changes_cost_as_many_statements_as_one(world: World):
    document = """{ dataSourceInstances(first: 100) { nodes {
      subscriptions { type method status error { code } nextPullAt nextFullSyncAt webhookUrl dataSourceInstance { path } }
      latestSyncRun { kind status dataSourceInstance { path } } syncRuns(first: 2) { totalCount nodes { id } } eventsCursor
      events(first: 2) { totalCount nodes { type externalId record { id fields } changedFields dataSourceInstance { path } } } } } }"""
    await furnish(world, ["first"])
    await _follow(world)
    few = await statements_of(world, document)
    await furnish(world, [f"customer {number}" for number in range(7)], instances_each=7)
    await _follow(world)
    many = await statements_of(world, document)

    nodes = (await world.ask(document, SYSTEM))["dataSourceInstances"]["nodes"]
    assert [len(node["subscriptions"]) for node in nodes] == [1] * 50
    assert [node["events"]["nodes"][0]["record"]["fields"] for node in nodes] == [{"title": "First"}] * 50
    assert [node["events"]["totalCount"] for node in nodes] == [1] * 50
    assert len(many) == len(few)


async def _follow(world: World) -> None:
    """Has somebody interested in every instance that nobody is interested in yet, with a run and an event each."""
    now = world.runtime.clock.now()
    async with world.runtime.database.read(SYSTEM) as session:
        known = select(EventSubscription.instance_id)
        new = (await session.exec(select(DataSourceInstance).where(col(DataSourceInstance.id).not_in(known)))).all()
    async with world.runtime.database.write(SYSTEM) as session:
        for row in new:
            common = {"instance_id": row.id, "customer_id": row.customer_id, "created_at": now}
            session.add_all([*sync_rows(row), SyncRun(kind=SyncKind.FULL_SYNC.value, **common)])
            session.add(EventSubscription(type=ChangeType.UPDATED.value, updated_at=now, **common))
    for row in new:
        place = await following.in_sync(world.runtime, row, Pointer("cards"))
        await following.observe(world.runtime, place, {"1": {"title": "First"}})


async def test_a_list_is_counted_only_when_asked(world: World):
    await furnish(world, ["first"])

    assert len(await statements_of(world, "{ connections { nodes { name } } }")) == 1
    assert len(await statements_of(world, "{ connections { nodes { name } totalCount } }")) == 2
    assert len(await statements_of(world, "{ connections { totalCount } }")) == 2


async def test_the_instance_of_a_data_source_costs_the_same_in_one_connection_and_in_many(world: World):
    document = """{ connections { nodes {
      dataSourceInstance(dataSource: { key: "jottings" }, instanceKey: "0") { id connection { customer { externalId } } }
      none: dataSourceInstance(dataSource: { key: "jottings" }) { id } unknown: dataSourceInstance(dataSource: { key: "x" }) { id } } } }"""
    await furnish(world, ["first"])
    few = await statements_of(world, document)
    await furnish(world, ["second", "third"])
    many = await statements_of(world, document)

    nodes = (await world.ask(document, SYSTEM))["connections"]["nodes"]
    assert [node["dataSourceInstance"]["connection"]["customer"]["externalId"] for node in nodes] == ["first", "second", "third"]
    assert [(node["none"], node["unknown"]) for node in nodes] == [(None, None)] * 3
    assert len(many) == len(few) == 7


@pytest.mark.parametrize("aliases", [1, 50])
@pytest.mark.parametrize("field", ["node(id: {})", "dataSource(by: {{ id: {} }})"])
async def test_the_same_thing_asked_twice_is_read_once(world: World, field: str, aliases: int):
    await furnish(world, ["first"])
    found = await world.ask("{ dataSources { nodes { id } } }")
    asked = field.format(f'"{found["dataSources"]["nodes"][0]["id"]}"')

    fields = " ".join(f"n{number}: {asked} {{ id }}" for number in range(aliases))

    assert len(await statements_of(world, f"{{ {fields} }}")) == 1


async def test_many_rows_selected_by_their_ids_are_read_at_once(world: World):
    await furnish(world, ["first", "second"], instances_each=3)
    found = await world.ask("{ dataSourceInstances { nodes { id connection { id } } } }", SYSTEM)
    nodes = found["dataSourceInstances"]["nodes"]
    instances = " ".join(f'i{n}: dataSourceInstance(by: {{ id: "{node["id"]}" }}) {{ id }}' for n, node in enumerate(nodes))
    connections = " ".join(f'c{n}: connection(by: {{ id: "{node["connection"]["id"]}" }}) {{ id }}' for n, node in enumerate(nodes))

    statements = await statements_of(world, f"{{ {instances} {connections} }}")

    assert len(statements) == 2
    assert (await world.ask(f"{{ {instances} }}", SYSTEM))["i5"] == {"id": nodes[5]["id"]}


async def test_what_the_app_is_asked_of_many_instances_costs_as_many_statements_as_of_one(world: World):
    document = """{ dataSourceInstances { nodes {
      collection { name spec { key } } fieldsSchema records(first: 1) { nodes { id } } locations { nodes { path } } } } }"""
    await furnish(world, ["first"])
    few = await statements_of(world, document)
    await furnish(world, ["second", "third"], instances_each=2)

    assert len(await statements_of(world, document)) == len(few) == 3
