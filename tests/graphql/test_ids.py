"""Global ids and cursors: opaque, exact, and refused with a message that helps."""

import base64
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import models
from gateway.errors import InvalidError
from gateway.graphql import ids
from gateway.models import Pointer
from gateway.models.base import new_id
from tests.graphql.world import World
from tests.support.runtime import connection, definition, instance

SOME_ID = UUID("0192f0a0-0000-7000-8000-0123456789ab")
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_an_id_says_type_and_row():
    row = models.DataSource(id=new_id(), key="tasks")

    assert ids.global_id(row) == encoded(f"DataSource:{row.id}")
    assert ids.local_id(ids.global_id(row), models.DataSource) == row.id
    assert ids.parse_global_id(ids.global_id(row)) == ("DataSource", str(row.id))


def test_padding_is_taken_though_never_given():
    row_id = uuid4()

    assert ids.local_id(encoded(f"Customer:{row_id}") + "==", models.Customer) == row_id


def test_the_id_of_another_type_is_refused_by_both_names():
    row = models.Connection(id=UUID(int=7), name="x", auth_method="none", credentials=b"")

    with pytest.raises(InvalidError) as caught:
        ids.local_id(ids.global_id(row), models.DataSource, field=["input", "by", "id"])

    assert caught.value.message == f"Id {ids.global_id(row)!r} is the id of a Connection. Pass the `id` of a DataSource."
    assert caught.value.field == ["input", "by", "id"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "ä",
        "====",
        "AAAA",
        "-" * 20_000,
        str(SOME_ID),
        encoded("DataSource:7"),
        encoded(f"DataSource:{SOME_ID.hex}"),
        encoded(f"datasource:{SOME_ID}"),
        encoded(f"Secret:{SOME_ID}"),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_is_no_id_is_refused(text: str):
    with pytest.raises(InvalidError, match=r"is not an id of this gateway\. Pass the `id` of a DataSource\."):
        ids.local_id(text, models.DataSource)
    with pytest.raises(InvalidError, match="is not an id of this gateway"):
        ids.parse_global_id(text)
    with pytest.raises(InvalidError, match="is not of this list"):
        ids.parse_cursor(text)


def test_a_long_text_is_not_repeated_whole():
    with pytest.raises(InvalidError) as caught:
        ids.local_id("x" * 5000, models.DataSource)

    assert len(caught.value.message) < 250


@given(st.text(st.characters()), st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_a_record_has_one_id_whatever_its_app_calls_it(external_id: str, parameters: dict[str, object]):
    connection_id = uuid4()
    one = ids.record_id(connection_id, Pointer("tasks", parameters), external_id)
    other = ids.record_id(connection_id, Pointer("tasks", dict(reversed(parameters.items()))), external_id)

    assert one == other
    assert one.isascii()


def test_records_of_different_places_have_different_ids():
    here, there = uuid4(), uuid4()
    places = [(here, Pointer("a"), "1"), (there, Pointer("a"), "1"), (here, Pointer("b"), "1"), (here, Pointer("a", {"p": 1}), "1")]
    found = {ids.record_id(*place) for place in [*places, (here, Pointer("a", {"p": "1"}), "1"), (here, Pointer("a"), "2")]}

    assert len(found) == 6


async def test_every_row_is_found_by_its_id(world: World):
    source = await definition(world.runtime)
    connected = await connection(world.runtime, world.acme)
    found = await instance(world.runtime, world.acme, connected)
    document = """{ integration(key: "notes") { id } viewer { customer { id } } }"""
    answer = await world.ask(document)
    wanted = [
        ("Integration", answer["integration"]["id"]),
        ("Customer", answer["viewer"]["customer"]["id"]),
        ("DataSource", ids.global_id(source)),
        ("Connection", ids.global_id(connected)),
        ("DataSourceInstance", ids.global_id(found)),
    ]

    for name, node_id in wanted:
        assert await world.ask(NODE, id=node_id) == {"node": {"__typename": name, "id": node_id}}
    nodes = await world.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=[node_id for _, node_id in reversed(wanted)])
    assert nodes["nodes"] == [{"__typename": name, "id": node_id} for name, node_id in reversed(wanted)]


async def test_an_id_without_a_row_is_null(world: World):
    assert await world.ask(NODE, id=encoded(f"DataSource:{new_id()}")) == {"node": None}


async def test_a_bad_id_among_good_ones_fails_alone(world: World):
    source = await definition(world.runtime)

    result = await world.execute("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["nonsense", ids.global_id(source)])

    assert result.data == {"nodes": [None, {"id": ids.global_id(source)}]}
    assert [(error.extensions["code"], error.path) for error in result.errors] == [("INVALID", ["nodes", 0])]


async def test_more_ids_than_a_hundred_are_refused(world: World):
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert await world.error(document, ids=["x"] * 101) == ("INVALID", "There are 101 ids; at most 100 are read at once.")


RECORD = ids.record_id(SOME_ID, Pointer("notes", {"notebookId": 7}), "a/b \ud800")


def test_the_id_of_a_record_says_where_it_is():
    assert ids.parse_global_id(RECORD)[0] == "Record"
    assert ids.parse_record_id(RECORD) == (SOME_ID, Pointer("notes", {"notebookId": 7}), "a/b \ud800")
    assert ids.parse_record_id(RECORD + "==") == ids.parse_record_id(RECORD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        "[" * 2_000,
        f'["{SOME_ID}","notes",{{}}]',
        f'["{SOME_ID}","notes",{{}},7]',
        f'["{SOME_ID}","notes",[],"a"]',
        f'["{SOME_ID}","notes",null,"a"]',
        '["7","notes",{},"a"]',
        f'["{str(SOME_ID).upper()}","notes",{{}},"a"]',
        f'["{SOME_ID}", "notes", {{}}, "a"]',
        f'["{SOME_ID}","notes",{{"b":1,"a":1}},"a"]',
        f'["{SOME_ID}","notes",{{"a":null}},"a"]',
        f'["{SOME_ID}","notes",{{"a":NaN}},"a"]',
    ],
)
def test_what_is_no_id_of_a_record_is_refused(text: str):
    with pytest.raises(InvalidError, match="is not an id of this gateway"):
        ids.parse_record_id(encoded(f"Record:{text}"), field=["id"])


@pytest.mark.parametrize("field", ["connection", "dataSource", "dataSourceInstance"])
async def test_an_empty_id_in_a_selector_is_refused_and_not_taken_for_another_spelling(world: World, field: str):
    code, message = await world.error(f'{{ {field}(by: {{ id: "" }}) {{ id }} }}')

    assert (code, message) == ("INVALID", f"Id '' is not an id of this gateway. Pass the `id` of a {field[0].upper()}{field[1:]}.")
