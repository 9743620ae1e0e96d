"""Every operation of the schema, tried by a customer with another's names, by a customer for an admin, and by nobody."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import pytest
from graphql import get_named_type
from sqlmodel import select

from gateway.graphql.ids import cursor_of
from gateway.models import Connection, DataSourceInstance
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.storage import rows
from gateway.storage.rows import RowWindow
from gateway.testing import FakeClock
from tests.guard.arguments import NODES, Operation, operations
from tests.guard.selections import everything, widest
from tests.guard.world import MALLORY, Names, World, add_victim
from tests.support.gateway_client import Answer, GatewayUnderTest
from tests.support.notes_connector import NotesApp
from tests.support.runtime import stored


class Row(Enum):
    """What a customer gets who uses another customer's names."""

    NULL = "null"
    NULLS = "a null for each"
    EMPTY = "an empty page"
    SHARED = "what everybody sees, and of it what is the customer's own"
    ADMIN_QUERY = "ACCESS_DENIED among the errors"
    ADMIN = "ACCESS_DENIED among the user errors"
    NOT_FOUND = "NOT_FOUND among the user errors"
    NO_STREAM = "NOT_FOUND instead of a stream"


MATRIX: Mapping[str, Row] = {
    "Query.node": Row.NULL,
    "Query.nodes": Row.NULLS,
    "Query.viewer": Row.SHARED,
    "Query.connectors": Row.SHARED,
    "Query.connector": Row.SHARED,
    "Query.integrations": Row.SHARED,
    "Query.integration": Row.SHARED,
    "Query.customers": Row.ADMIN_QUERY,
    "Query.customer": Row.ADMIN_QUERY,
    "Query.connections": Row.EMPTY,
    "Query.connection": Row.NULL,
    "Query.dataSources": Row.SHARED,
    "Query.dataSource": Row.SHARED,
    "Query.dataSourceInstances": Row.EMPTY,
    "Query.dataSourceInstance": Row.NULL,
    "Query.universalDataModels": Row.SHARED,
    "Query.universalDataModel": Row.SHARED,
    "Mutation.dataSourceInstanceCreate": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceUpdate": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceSetup": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceReset": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceArchive": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceRestore": Row.NOT_FOUND,
    "Mutation.dataSourceCreate": Row.ADMIN,
    "Mutation.dataSourceUpdate": Row.ADMIN,
    "Mutation.dataSourceApply": Row.ADMIN,
    "Mutation.dataSourceSetup": Row.ADMIN,
    "Mutation.dataSourceReset": Row.ADMIN,
    "Mutation.dataSourceArchive": Row.ADMIN,
    "Mutation.dataSourceRestore": Row.ADMIN,
    # Whoever is no admin connects for nobody but themselves, whether or not there is such a customer.
    "Mutation.connectionCreate": Row.ADMIN,
    "Mutation.connectionUpdate": Row.NOT_FOUND,
    "Mutation.connectionTest": Row.NOT_FOUND,
    "Mutation.connectionArchive": Row.NOT_FOUND,
    "Mutation.connectionRestore": Row.NOT_FOUND,
    "Mutation.customerUpsert": Row.ADMIN,
    "Mutation.customerDelete": Row.ADMIN,
    "Mutation.integrationCreate": Row.ADMIN,
    "Mutation.integrationUpdate": Row.ADMIN,
    "Mutation.integrationArchive": Row.ADMIN,
    "Mutation.integrationRestore": Row.ADMIN,
    "Mutation.recordCreate": Row.NOT_FOUND,
    "Mutation.recordUpdate": Row.NOT_FOUND,
    "Mutation.recordDelete": Row.NOT_FOUND,
    "Mutation.unifiedFieldsToNative": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceSubscribe": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceUnsubscribe": Row.NOT_FOUND,
    "Mutation.dataSourceInstanceSync": Row.NOT_FOUND,
    "Mutation.syncRunCancel": Row.NOT_FOUND,
    "Mutation.syncRunRelease": Row.NOT_FOUND,
    "Subscription.recordsChanged": Row.NO_STREAM,
    "Subscription.connectionRecordsChanged": Row.NO_STREAM,
    "Subscription.dataSourceInstanceChanged": Row.NO_STREAM,
    "Subscription.syncRunProgressed": Row.NO_STREAM,
}
QUERIES = [name for name in MATRIX if name.startswith("Query.")]
MUTATIONS = [name for name in MATRIX if name.startswith("Mutation.")]
SUBSCRIPTIONS = [name for name in MATRIX if name.startswith("Subscription.")]
OPERATIONS = operations()
_TOGETHER = 40
NOBODY_ASKS = "A token is needed. Send it as `Authorization: Bearer <token>`."


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still: whatever waits for a stream's end or heartbeat waits for ever."""
    return FakeClock(sleep_waits=True)


def test_every_operation_of_the_schema_has_a_row():
    assert sorted(MATRIX) == sorted(OPERATIONS)


async def test_what_is_anothers_answers_exactly_as_what_does_not_exist(
    world: World, gateway: GatewayUnderTest, notes_app: NotesApp, subtests: pytest.Subtests
):
    victim = await add_victim(world)
    mallory = gateway.customer(MALLORY)
    before, requests = await stored(world.runtime), list(notes_app.requests)

    for name, row in MATRIX.items():
        operation = OPERATIONS[name]
        spellings = zip(_asked(operation, world, victim), _asked(operation, world, world.nobody), strict=True)
        with subtests.test(name):
            for (document, of_victim), (_, of_nobody) in spellings if row is not Row.SHARED else ():
                ask = mallory.listen if row is Row.NO_STREAM else mallory.ask
                told = await ask(document, **of_victim)
                absent = await ask(document, **of_nobody)
                assert (told.status, victim.translated(told.text, world.nobody)) == (absent.status, absent.text), of_victim
                _require(row, operation, told)
            assert await stored(world.runtime) == before
            assert notes_app.requests == requests


async def test_an_answer_is_the_same_to_the_byte_when_another_customer_comes(
    world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests
):
    mallory = gateway.customer(MALLORY)

    async def ask(operation: Operation) -> list[Answer]:
        return [await mallory.ask(widest(operation), **operation.spellings(world, world.own)[0])]

    alone = {name: await ask(OPERATIONS[name]) for name in QUERIES}
    victim = await add_victim(world)
    for name in QUERIES:
        with subtests.test(name):
            together = await ask(OPERATIONS[name])
            assert [_settled(answer) for answer in together] == [_settled(answer) for answer in alone[name]]
            assert not any(known in answer.text for answer in together for known in _all_of(victim))

    # The same selection would show the victim where it may be seen.
    shared = OPERATIONS["Query.dataSource"]
    seen = await gateway.admin.ask(widest(shared), **shared.spellings(world, world.own)[0])
    assert all(known in seen.text for known in (victim.connection, victim.instance, victim.keyed_instance))


@pytest.mark.parametrize("name", ["Query.connection", "Query.dataSourceInstance", "Query.node", "Query.nodes"])
async def test_the_names_of_the_matrix_mean_something_to_their_owner(name, world: World, gateway: GatewayUnderTest):
    victim = await add_victim(world)
    operation = OPERATIONS[name]
    answers = [await gateway.customer(victim.external_id).ask(_shallow(operation), **each) for each in operation.spellings(world, victim)]
    found = sum(answer.data[operation.field_name] not in (None, [None] * len(NODES)) for answer in answers)
    # Not all: instances are asked for in connections that are archived, and by a definition of another integration, too.
    assert found >= len(answers) * 0.3


async def test_nobody_reads_anything(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    for name in QUERIES:
        operation = OPERATIONS[name]
        with subtests.test(name):
            for variables in operation.spellings(world, world.own):
                answer = await _ask_without_token(gateway, _shallow(operation), variables)
                assert {(error["extensions"]["code"], error["message"]) for error in answer["errors"]} == {
                    ("NOT_AUTHENTICATED", NOBODY_ASKS)
                }
                assert answer["data"] in (None, {operation.field_name: None}, {operation.field_name: [None] * len(NODES)})


async def test_nobody_changes_anything(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    before = await stored(world.runtime)
    for name in MUTATIONS:
        operation = OPERATIONS[name]
        with subtests.test(name):
            for document, variables in _asked(operation, world, world.own):
                for payload in (await _ask_without_token(gateway, document, variables))["data"].values():
                    assert payload.pop("userErrors") == [{"code": "NOT_AUTHENTICATED", "message": NOBODY_ASKS, "field": None}], variables
                    assert set(payload.values()) == {None}
            assert await stored(world.runtime) == before


async def test_nobody_listens_to_anything(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    before = await stored(world.runtime)
    for name in SUBSCRIPTIONS:
        operation = OPERATIONS[name]
        with subtests.test(name):
            for variables in operation.spellings(world, world.own):
                body = {"query": _shallow(operation), "variables": variables}
                response = await gateway.http.post("/graphql", json=body, headers={"Accept": "text/event-stream"})
                (frame,) = [line for line in response.text.splitlines() if line.startswith("data: {")]
                answer = json.loads(frame.removeprefix("data: "))
                assert [(error["extensions"]["code"], error["message"]) for error in answer["errors"]] == [
                    ("NOT_AUTHENTICATED", NOBODY_ASKS)
                ]
                assert answer.get("data") is None
            assert await stored(world.runtime) == before


async def test_cursors_of_anothers_lists_lead_to_nothing_of_the_others(world: World, gateway: GatewayUnderTest):
    victim = await add_victim(world)
    mallory = gateway.customer(MALLORY)
    for table, field in ((Connection, "connections"), (DataSourceInstance, "dataSourceInstances")):
        document = f"query($after: String) {{ {field}(after: $after, includeArchived: true) {{ totalCount nodes {{ id }} }} }}"
        own = await mallory.execute(document)
        for cursor in await _cursors(world.runtime, table):
            page = (await mallory.execute(document, after=cursor))[field]
            assert page["totalCount"] == own[field]["totalCount"]
            assert page["nodes"] == [] or all(node in own[field]["nodes"] for node in page["nodes"])
            assert not {node["id"] for node in page["nodes"]} & set(_all_of(victim))


async def test_a_cursor_of_anothers_records_and_locations_is_refused(world: World, gateway: GatewayUnderTest):
    victim = await add_victim(world)
    document = """query($id: ID!, $after: String) { node(id: $id) { ... on Connection {
        collection(key: "notes") { records(first: 2, after: $after) { nodes { externalId } pageInfo { endCursor } } }
        location { ... on Directory { locations(first: 2, after: $after) { nodes { path } pageInfo { endCursor } } } }
    } } }"""
    theirs = (await gateway.customer(victim.external_id).execute(document, id=victim.connection))["node"]
    for cursor in (theirs["collection"]["records"]["pageInfo"]["endCursor"], theirs["location"]["locations"]["pageInfo"]["endCursor"]):
        answer = await gateway.customer(MALLORY).ask(document, id=world.own.connection, after=cursor)
        assert {error["extensions"]["code"] for error in answer.errors} == {"INVALID"}
        assert answer.data["node"] == {"collection": {"records": None}, "location": {"locations": None}}


def _asked(operation: Operation, world: World, names: Names) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents with their variables that ask in every spelling for these names; those of a mutation as many together as go."""
    spellings = operation.spellings(world, names)
    if operation.root != "Mutation":
        yield from ((_shallow(operation), variables) for variables in spellings)
        return
    for start in range(0, len(spellings), _TOGETHER):
        inputs = {f"input_{number}": each["input"] for number, each in enumerate(spellings[start : start + _TOGETHER])}
        head = ", ".join(f"${name}: {operation.field.args['input'].type}" for name in inputs)
        fields = " ".join(f"{name}: {operation.field_name}(input: ${name}) {_payload(operation)}" for name in inputs)
        yield f"mutation({head}) {{ {fields} }}", inputs


def _payload(operation: Operation) -> str:
    fields = [name for name in get_named_type(operation.field.type).fields if name != "userErrors"]
    return f"{{ userErrors {{ code message field }} {' '.join(f'{name} {_typename(operation, name)}' for name in fields)} }}"


def _shallow(operation: Operation) -> str:
    return operation.document(everything(get_named_type(operation.field.type), hops=1))


def _typename(operation: Operation, name: str) -> str:
    inner = get_named_type(get_named_type(operation.field.type).fields[name].type)
    return "{ __typename }" if hasattr(inner, "fields") else ""


def _require(row: Row, operation: Operation, answer: Answer) -> None:
    """Holds an answer to its row."""
    assert answer.status == 200, answer.text
    if row in (Row.NOT_FOUND, Row.ADMIN):
        assert answer.data
        for payload in answer.data.values():
            (error,) = payload.pop("userErrors")
            assert error["code"] == ("NOT_FOUND" if row is Row.NOT_FOUND else "ACCESS_DENIED"), answer.text
            assert set(payload.values()) == {None}
        return
    told = answer.data[operation.field_name] if answer.data is not None else None
    if row is Row.NO_STREAM:
        assert ([error["extensions"]["code"] for error in answer.errors], told) == (["NOT_FOUND"], None), answer.text
    elif row is Row.ADMIN_QUERY:
        assert (answer.error[:2], told) == (("ACCESS_DENIED", "Only an admin may do this."), None)
    elif row is Row.EMPTY:
        assert (told["nodes"], told["totalCount"], told["pageInfo"]["hasNextPage"], answer.errors) == ([], 0, False, [])
    else:
        assert (told, answer.errors) == (None if row is Row.NULL else [None] * len(NODES), []), answer.text


def _settled(answer: Answer) -> tuple[str, list[str]]:
    """The data to the byte, and the errors, which come in the order in which their fields happened to end."""
    return json.dumps(answer.data), sorted(json.dumps(error) for error in answer.errors)


def _all_of(names: Names) -> list[str]:
    ids = (names.customer, names.connection, names.archived_connection, names.instance, names.keyed_instance, names.archived_instance)
    return [*ids, names.subscription, names.run, names.record, names.external_id, names.instance_key]


async def _ask_without_token(gateway: GatewayUnderTest, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    response = await gateway.http.post("/graphql", json={"query": document, "variables": variables})
    assert response.status_code == 200
    return response.json()


async def _cursors(runtime: Runtime, table: type[Any]) -> list[str]:
    async with runtime.database.read(SYSTEM) as session:
        page = await rows.page(session, select(table), window=RowWindow(first=100))
    return [cursor_of(row) for row in page.rows]
