"""What an operation leaves goes at once: left to the search for garbage, a page of records would stay until then."""

from functools import partial

import pytest

from gateway.graphql.ids import global_id
from tests.graphql.world import World
from tests.support.garbage import garbage_of
from tests.support.runtime import connection, definition, instance

RECORDS = """
query ($id: ID!) { connection(by: {id: $id}) {
  integration { name } customer { externalId }
  collection(key: "notes") { records(first: 5) { nodes { id externalId fields unified { externalId } } } }
} }
"""
OWN = "{ dataSourceInstances(first: 9) { totalCount nodes { id path state dataSource { name } connection { name integration { key } } } } }"


@pytest.mark.parametrize("query", [RECORDS, OWN, "{ __typename }"])
async def test_an_operation_leaves_nothing_to_the_search_for_garbage(world: World, query: str):
    made = await connection(world.runtime, world.acme)
    await definition(world.runtime)
    await instance(world.runtime, world.acme, made)
    given = {"id": global_id(made)} if query == RECORDS else {}

    assert await garbage_of(partial(world.ask, query, **given), "gateway.", "graphql.", "strawberry.", "aiodataloader") == {}


async def test_an_operation_that_fails_leaves_nothing_that_was_read(world: World):
    made = await connection(world.runtime, world.acme)
    unknown = RECORDS.replace("unified {", 'unified(udm: "nothing") {')

    async def work() -> None:
        result = await world.execute(unknown, id=global_id(made))
        assert {error.message for error in result.errors or ()} == {"There is no universal data model 'nothing'."}

    assert await garbage_of(work, "gateway.", "graphql.", "strawberry.", "aiodataloader") == {}
