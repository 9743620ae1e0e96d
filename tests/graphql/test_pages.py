"""The bounds of pages."""

from dataclasses import replace

import pytest

from gateway.graphql.ids import key_cursor
from tests.graphql.world import World
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, definition, instance

ROWS = ["connectors", "integrations", "customers", "connections", "dataSources", "dataSourceInstances"]
NESTED = '{ connection(by: { integrationKey: "notes" }) { %s } }'


def refusal_of(first: int, *, maximum: int) -> tuple[str, str]:
    bounds = f"`first` is {first}; it must lie between 1 and {maximum}."
    return ("PAGE_TOO_LARGE", f"{bounds} Ask for several pages, by `after`.") if first > maximum else ("INVALID", bounds)


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_of_rows_holds_one_to_a_hundred(world: World, first: int):
    refusal = refusal_of(first, maximum=100)

    for name in ROWS:
        assert await world.error(f"{{ {name}(first: {first}) {{ pageInfo {{ hasNextPage }} }} }}") == refusal


@pytest.mark.parametrize("first", [0, 1001])
async def test_a_page_of_an_app_holds_one_to_a_thousand(world: World, notes_app: NotesApp, first: int):
    await connection(world.runtime, world.acme)
    notes_app.requests.clear()
    refusal = refusal_of(first, maximum=1000)
    listing = f'{{ integration(key: "notes") {{ dataCollections(first: {first}) {{ nodes {{ path }} }} }} }}'

    assert await world.error(listing) == refusal
    records = f'collection(key: "notes") {{ records(first: {first}) {{ nodes {{ id }} }} }}'
    assert await world.error(NESTED % records) == refusal
    assert notes_app.requests == ["location"]


async def test_an_operator_may_allow_longer_pages_of_rows_and_only_shorter_ones_of_an_app(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    others = world.runtime.settings.model_copy(update={"max_page_size": 1_000, "max_app_page_size": 60})
    bounded = World(replace(world.runtime, settings=others), world.acme)
    records = 'collection(key: "notes") { records(first: %d) { nodes { externalId } } }'

    assert await bounded.ask("{ connections(first: 1000) { totalCount } }") == {"connections": {"totalCount": 1}}
    assert await bounded.error("{ connections(first: 1001) { totalCount } }") == refusal_of(1001, maximum=1000)
    read = await bounded.ask(NESTED % (records % 60))
    assert len(read["connection"]["collection"]["records"]["nodes"]) == 7
    assert await bounded.error(NESTED % (records % 61)) == refusal_of(61, maximum=60)


async def test_the_cursor_of_another_list_is_refused(world: World):
    for name in ROWS[1:2] + ROWS[3:]:
        code, message = await world.error(f'{{ {name}(after: "{key_cursor("notes")}") {{ pageInfo {{ hasNextPage }} }} }}')
        assert code == "INVALID"
        assert message.endswith("is not of this list. Start again without `after`.")


async def test_an_empty_page_has_no_cursors(world: World):
    answer = await world.ask("{ connections { edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }")

    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert answer["connections"] == {"edges": [], "pageInfo": nothing}


async def test_records_come_in_pages_of_any_size(world: World, notes_app: NotesApp):
    notes_app.page_size = 2
    await definition(world.runtime)
    await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    document = """query ($after: String) { dataSourceInstances { nodes { records(first: 3, after: $after) {
      nodes { externalId } pageInfo { hasNextPage hasPreviousPage endCursor } } } } }"""

    seen, after = [], None
    for _ in range(3):
        records = (await world.ask(document, after=after))["dataSourceInstances"]["nodes"][0]["records"]
        seen.append([node["externalId"] for node in records["nodes"]])
        assert records["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = records["pageInfo"]["endCursor"]

    assert seen == [["note 1", "note 2", "note 3"], ["note 4", "note 5", "note 6"], ["note 7"]]
    assert records["pageInfo"]["hasNextPage"] is False


async def test_a_nested_page_has_the_same_bounds(world: World):
    await connection(world.runtime, world.acme)

    assert await world.error(NESTED % "dataSourceInstances(first: 101) { totalCount }") == refusal_of(101, maximum=100)
