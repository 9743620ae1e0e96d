"""Every argument of the schema, with what nobody in good faith sends: refused with a code, and nothing has changed."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLScalarType,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from gateway.errors import InternalError
from gateway.testing import FakeClock
from tests.guard.arguments import Operation, object_types, operations
from tests.guard.hostile import FITTING, HUGE, UNFITTING
from tests.guard.world import MALLORY, World
from tests.support.gateway_client import GatewayUnderTest
from tests.support.runtime import stored
from tests.support.stored_content import read_content, write_content

_PATIENCE_SECONDS = 20.0

Path = tuple[str, ...]
Value = Any
ROUTES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Connection": ("connection(by: {id: $connectionId}) { %s }", {"connectionId": "ID!"}),
    "Customer": ("viewer { customer { %s } }", {}),
    "DataCollection": ('connection(by: {id: $connectionId}) { collection(key: "cards") { %s } }', {"connectionId": "ID!"}),
    "DataSource": ("dataSource(by: {key: $root}) { %s }", {"root": "String!"}),
    "DataSourceInstance": ("dataSourceInstance(by: {id: $instanceId}) { %s }", {"instanceId": "ID!"}),
    "Directory": ("connection(by: {id: $connectionId}) { location { ... on Directory { %s } } }", {"connectionId": "ID!"}),
    "Integration": ("integration(key: $home) { %s }", {"home": "String!"}),
    "Record": (
        'connection(by: {id: $connectionId}) { collection(key: "cards") { records(first: 1) { nodes { %s } } } }',
        {"connectionId": "ID!"},
    ),
}
"""How one of each type with arguments in its fields is reached, and by which variables."""


NO_REQUESTS: Sequence[bytes] = [
    b'{"query": "query($a: String!) { connector(key: $a) { key } }", "variables": {"a": "\\ud800"}}',
    b'{"query": "query($a: String!) { connector(key: $a) { key } }", "variables": {"a": "\\ud800", "b": 1234567890123456789012}}',
    b'{"query": "{ connector(key: \\"\\\\ud800\\") { key } }"}',
    b'{"query": "{ connector(key: \\"\\\\u{D800}\\") { key } }"}',
    b'{"query": "{ connector(key: \\"\xed\xa0\x80\\") { key } }"}',
    b'{"query": "{ viewer { isAdmin } }", "operationName": "\\udfff"}',
    b'{"query": "{ viewer { isAdmin } }", "variables": {"a": NaN}}',
    b'{"query": "{ viewer { isAdmin } }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    b'{"query": "{ viewer { isAdmin } }", "variables": ' + b'{"a":' * 1_100 + b"1" + b"}" * 1_101,
    b'{"query": "{ viewer { isAdmin } }", "variables": ' + b'{"a":' * 1_100 + b"1234567890123456789" + b"}" * 1_101,
    b'{"query": "\\u0000"}',
    b'{"query": "{' + b"a{" * 50_000 + b'"}',
    b'{"query": "{ connector(key: ' + b"[" * 50_000 + b'"}',
    b'{"query": "{ ...A } fragment A on Query { ...A }"}',
    b"\x00",
    b"[]",
    b"null",
]


@pytest.fixture
def clock() -> FakeClock:
    """Time that stands still: whatever waits for a stream's end waits for ever."""
    return FakeClock(sleep_waits=True)


@pytest.fixture
def runtime_url(database_url: str) -> str:
    return database_url


@dataclass(frozen=True)
class Leaf:
    """A place in the arguments of a field that takes a value of a scalar type."""

    path: Path
    scalar: str
    is_list: bool
    row: str
    """The argument or input field that it is, such as `PointerInput.path`."""


@dataclass(frozen=True)
class Asked:
    """A field, the way to it, and good values for its arguments in every spelling."""

    operation: Operation
    selection: str
    spellings: Sequence[Mapping[str, Value]]
    route: str = "%s"
    known: Mapping[str, tuple[str, Value]] = field(default_factory=dict)
    """What it takes to reach the field: types and values of variables."""

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def takes_many(self) -> bool:
        """Whether one refusal leaves the other answers of a request as they are."""
        return not is_non_null_type(self.operation.field.type)

    def request(self, path: Path, values: Sequence[Value]) -> str:
        """A request that asks the field once with each value in a place, and with good ones in all others."""
        varied, *rest = path
        good = next(spelling for spelling in self.spellings if _holds(spelling, path[:-1]))
        arguments = self.operation.field.args
        types = {name: kind for name, (kind, _) in self.known.items()} | {name: str(of.type) for name, of in arguments.items()}
        types |= {f"{varied}_{number}": types[varied] for number in range(len(values))}
        del types[varied]
        variables = {name: value for name, (_, value) in self.known.items()} | {name: good[name] for name in arguments if name != varied}
        variables |= {f"{varied}_{number}": _with(good[varied], rest, value) for number, value in enumerate(values)}
        head = ", ".join(f"${name}: {kind}" for name, kind in types.items())
        asked = " ".join(self._aliased(number, varied) for number in range(len(values)))
        root = self.operation.root.lower()
        kind = root if root in ("mutation", "subscription") else "query"
        return json.dumps({"query": f"{kind}({head}) {{ {self.route % asked} }}", "variables": variables})

    def _aliased(self, number: int, varied: str) -> str:
        given = ", ".join(f"{name}: ${name}{f'_{number}' if name == varied else ''}" for name in self.operation.field.args)
        return f"_{number}: {self.operation.field_name}({given}) {self.selection}"


async def test_queries_refuse_what_is_hostile(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    before = await stored(world.runtime)
    seen: set[str] = set()
    for asked in [*_roots("Query", world), *_below(world)]:
        with subtests.test(asked.name):
            for leaf in _leaves(asked.operation):
                requests = list(_hostile(leaf, together=asked.takes_many))
                # Selectors stand in many queries: the first gets every value, the others a part.
                if leaf.row in seen:
                    requests = [requests[0][::4]] if asked.takes_many else requests[::4]
                for values in requests:
                    await _done(gateway, asked, leaf.path, values)
                seen.add(leaf.row)
            # Reads of one operation together, as looking at every row takes as long as a request.
            assert await stored(world.runtime) == before


async def test_mutations_refuse_what_is_hostile_and_change_nothing(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    seen: set[str] = set()
    database = world.runtime.database
    untouched = await read_content(database)
    for operation in (each for each in operations().values() if each.root == "Mutation"):
        # What is odd and allowed is done, so the next mutation finds the world as it was.
        first = before = await stored(world.runtime)
        asked = _root(operation, world)
        with subtests.test(asked.name):
            for leaf in _leaves(operation):
                # Selectors stand in many mutations: the first gets every value, the others a part.
                before = await _change_at_most_what_is_taken(gateway, asked, leaf, before, is_known=leaf.row in seen)
                seen.add(leaf.row)
        if await stored(world.runtime) != first:
            await write_content(database, await read_content(database, to_be_written=False), untouched)


async def test_subscriptions_refuse_what_is_hostile_before_anybody_counts_as_listening(
    world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests
):
    before = await stored(world.runtime)
    headers = {"content-type": "application/json", "authorization": f"Bearer {gateway.admin.token}", "accept": "text/event-stream"}
    seen: set[str] = set()
    for asked in _roots("Subscription", world):
        with subtests.test(asked.name):
            for leaf in _leaves(asked.operation):
                values = [*(value for (value,) in _hostile(leaf, together=False)), *_unfitting(leaf)]
                # Selectors stand in two subscriptions: the first gets every value, the other a part.
                for value in values[::4] if leaf.row in seen else values:
                    if leaf.row == "DataSourceInstanceKey.instanceKey" and value == "":
                        continue  # It means the default instance, and that there is.
                    async with asyncio.timeout(_PATIENCE_SECONDS):
                        response = await gateway.http.post("/graphql", content=asked.request(leaf.path, [value]), headers=headers)
                    shown = (asked.name, leaf.path, repr(value)[:200], response.text[:1_000])
                    assert response.status_code in (200, 400, 413), shown
                    frames = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
                    codes = {error["extensions"]["code"] for error in json.loads(frames[0] if frames else response.text)["errors"]}
                    assert codes, shown
                    assert InternalError.code not in codes, shown
                    assert len(response.content) < 200_000, shown
                seen.add(leaf.row)
            assert await stored(world.runtime) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_value_of_another_type_is_refused_before_anything_is_done(
    world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests
):
    # Refused before a database is asked: one kind of it is enough.
    for asked in [*_roots("Query", world), *_below(world), *_roots("Mutation", world)]:
        before = await stored(world.runtime)
        with subtests.test(asked.name):
            for leaf in _leaves(asked.operation):
                await _all_refused(gateway, asked, leaf.path, _unfitting(leaf))
            assert await stored(world.runtime) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_one_of_several_is_exactly_one(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    for asked in [*_roots("Query", world), *_roots("Mutation", world)]:
        before = await stored(world.runtime)
        with subtests.test(asked.name):
            for path, kind in _choices(asked.operation):
                one, other, *_ = ({name: _any(kind, name)} for name in kind.fields)
                wrong = [{}, {**one, **other}, dict.fromkeys(one), {**one, **dict.fromkeys(other)}, {"neither": 1}, [], "text"]
                await _all_refused(gateway, asked, path, wrong)
            assert await stored(world.runtime) == before


async def test_a_body_that_is_no_request_is_refused(gateway: GatewayUnderTest, subtests: pytest.Subtests):
    headers = {"content-type": "application/json", "authorization": f"Bearer {gateway.admin.token}"}
    for body in NO_REQUESTS:
        with subtests.test(repr(body)[:60]):
            response = await gateway.http.post("/graphql", content=body, headers=headers)
            assert response.status_code in (200, 400)
            assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["INVALID"]
            assert "data" not in response.json()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later versions read what orjson reads")
async def test_a_body_that_orjson_reads_and_the_standard_library_does_not_is_refused(gateway: GatewayUnderTest):
    body = b'{"query": "{ viewer { isAdmin } }", "variables": ' + b'{"a":' * 1_000 + b"1234567890123456789" + b"}" * 1_001
    headers = {"content-type": "application/json", "authorization": f"Bearer {gateway.admin.token}"}

    response = await gateway.http.post("/graphql", content=body, headers=headers)

    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["INVALID"]


def _roots(root: str, world: World) -> Iterator[Asked]:
    return (_root(operation, world) for operation in operations().values() if operation.root == root)


def _root(operation: Operation, world: World) -> Asked:
    selection = _least(operation) if operation.root != "Mutation" else "{ userErrors { code message field } }"
    return Asked(operation, selection, operation.spellings(world, world.own))


def _below(world: World) -> Iterator[Asked]:
    """The fields with arguments of every type below the roots."""
    found = {"connectionId": world.own.connection, "instanceId": world.own.instance, "home": world.shared, "root": world.key}
    for kind in object_types():
        for name, each in kind.fields.items():
            if each.args and kind.name not in ("Query", "Mutation", "Subscription"):
                operation = Operation(f"{kind.name}.{name}", each)
                route, variables = ROUTES[kind.name]
                known = {variable: (type_, found[variable]) for variable, type_ in variables.items()}
                yield Asked(operation, _least(operation), operation.spellings(world, world.own), route, known)


def _least(operation: Operation) -> str:
    """The shortest selection that makes the gateway do all the work."""
    kind = get_named_type(operation.field.type)
    if isinstance(kind, GraphQLScalarType):
        return ""
    pages = ["nodes { __typename }", *(["totalCount"] if "totalCount" in kind.fields else [])]
    return "{ " + " ".join(pages if "nodes" in kind.fields else ["__typename"]) + " }"


def _holds(variables: Mapping[str, Value], path: Path) -> bool:
    place: Value = variables
    for name in path:
        if not isinstance(place, dict) or not isinstance(place.get(name), dict):
            return False
        place = place[name]
    return True


def _leaves(operation: Operation) -> Iterator[Leaf]:
    for name, argument in operation.field.args.items():
        yield from _leaves_of(argument.type, (name,), f"{operation.name}.{name}")


def _leaves_of(kind: Any, path: Path, row: str) -> Iterator[Leaf]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _leaves_of(field.type, (*path, name), f"{named.name}.{name}")
    elif isinstance(named, GraphQLScalarType):
        yield Leaf(path, named.name, is_list_type(kind.of_type if is_non_null_type(kind) else kind), row)
    else:
        assert isinstance(named, GraphQLEnumType)
        yield Leaf(path, "Boolean", is_list_type(kind.of_type if is_non_null_type(kind) else kind), row)


def _choices(operation: Operation) -> Iterator[tuple[Path, GraphQLInputObjectType]]:
    for name, argument in operation.field.args.items():
        yield from _choices_of(argument.type, (name,))


def _choices_of(kind: Any, path: Path) -> Iterator[tuple[Path, GraphQLInputObjectType]]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        if named.is_one_of:
            yield path, named
        for name, field in named.fields.items():
            yield from _choices_of(field.type, (*path, name))


def _any(kind: GraphQLInputObjectType, name: str) -> Value:
    """Any value of the type of a field."""
    named = get_named_type(kind.fields[name].type)
    if not isinstance(named, GraphQLInputObjectType):
        return "text"
    names = list(named.fields)[:1] if named.is_one_of else list(named.fields)
    return {each: _any(named, each) for each in names}


def _hostile(leaf: Leaf, *, together: bool) -> Iterator[list[Value]]:
    """Values that a place of that type takes, as many as one request is to carry."""
    values: list[Value] = [[value] if leaf.is_list else value for value in FITTING[leaf.scalar]]
    if leaf.is_list:
        values += [[], ["a"] * 101]
    yield from [values] if together else ([value] for value in values)
    if leaf.scalar in HUGE:
        yield [[HUGE[leaf.scalar]] if leaf.is_list else HUGE[leaf.scalar]]


def _unfitting(leaf: Leaf) -> list[Value]:
    return [[value] if leaf.is_list else value for value in UNFITTING[leaf.scalar]] + ([[["a"]]] if leaf.is_list else [])


async def _change_at_most_what_is_taken(
    gateway: GatewayUnderTest, asked: Asked, leaf: Leaf, before: dict[str, Value], *, is_known: bool
) -> dict[str, Value]:
    """Holds that what was refused changed nothing; what is stored then."""
    whole, *huge = _hostile(leaf, together=True)
    requests = [whole[::4]] if is_known else [whole, *huge]
    done = [await _done(gateway, asked, leaf.path, values) for values in requests if values]
    if any(done):
        before = await stored(gateway.runtime)
        for values, taken in zip(requests, done, strict=False):
            refused = [value for place, value in enumerate(values) if place not in taken]
            assert not refused or await _done(gateway, asked, leaf.path, refused) == set()
    assert await stored(gateway.runtime) == before, (asked.name, leaf.path)
    return before


async def _all_refused(gateway: GatewayUnderTest, asked: Asked, path: Path, values: Sequence[Value]) -> None:
    """Holds that each value is refused before anything is done, and so all in one request."""
    assert not values or await _done(gateway, asked, path, values) == set(), (asked.name, path)


async def _done(gateway: GatewayUnderTest, asked: Asked, path: Path, values: Sequence[Value]) -> set[int]:
    """The places of the values that were taken; all others were refused as every refusal is."""
    # Admins reach further; what is below a customer only a customer reaches.
    caller = gateway.customer(MALLORY) if asked.name.startswith("Customer.") else gateway.admin
    headers = {"content-type": "application/json", "authorization": f"Bearer {caller.token}"}
    response = await gateway.http.post("/graphql", content=asked.request(path, values), headers=headers)
    shown = (asked.name, path, repr(values)[:200], response.text[:1_000])
    assert response.status_code in (200, 400, 413), shown
    assert InternalError.code not in response.text, shown
    assert len(response.content) < 200_000, shown
    body = response.json()
    errors = body.get("errors", [])
    assert all(error["extensions"]["code"] for error in errors), shown
    if any("path" not in error for error in errors):
        return set()
    refused = {int(name[1:]) for error in errors for name in error["path"] if str(name).startswith("_")}
    for name, answer in (body["data"] or {}).items():
        if isinstance(answer, dict) and answer.get("userErrors"):
            assert all(error["code"] for error in answer["userErrors"]), shown
            refused.add(int(name[1:]))
    return set(range(len(values))) - refused


def _with(value: Value, path: Sequence[str], replaced: Value) -> Value:
    """A copy of a value with another one in a place."""
    if not path:
        return replaced
    return {**value, path[0]: _with(value.get(path[0]), path[1:], replaced)}
