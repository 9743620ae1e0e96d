"""What a document may ask for, to the last one that is allowed and the first one that is not."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice

import pytest
from graphql import get_introspection_query

from gateway.demo.examples import examples
from tests.graphql.hostile_documents import chain
from tests.graphql.world import SCHEMA
from tests.support.documents import documents_of

TOO_DEEP = ("DEPTH_EXCEEDED", "The operation nests fields more than 15 deep. Ask for what lies deeper in another request.")
TOO_MANY_ALIASES = (
    "ALIASES_EXCEEDED",
    "The operation has more than 30 aliases; those of a fragment count each time that it is spread. Send it in parts.",
)
TOO_MANY_ROOT_FIELDS = ("ROOT_FIELDS_EXCEEDED", "The operation asks for more than 20 fields at its root. Send it in parts.")
TOO_MANY_DIRECTIVES = ("DIRECTIVES_EXCEEDED", "The document has more than 50 directives. Send it in parts.")
TOO_MANY_TOKENS = ("TOKENS_EXCEEDED", "The document has more than 2000 tokens. Ask for less in one document.")
TOO_LONG = (
    "TOKENS_EXCEEDED",
    "The document has more than 200000 characters. Ask for less in one document, and send values as variables.",
)


def refusals(query: str, **settings: object) -> list[tuple[str, str]]:
    """The codes and messages that a document is refused with."""
    return [(error.extensions["code"], error.message) for error in documents_of(SCHEMA, **settings).get(query).errors]


def nested(depth: int) -> str:
    """Selections whose fields are nested that deep, for the root of a query."""
    return f"connections {{ nodes {{ {below(depth - 2)} }} }}"


def below(depth: int) -> str:
    """The same for a connection."""
    return " { ".join([*islice(cycle(("dataSourceInstances", "nodes", "connection")), depth - 1), "__typename"]) + " }" * (depth - 1)


def aliases(number: int) -> str:
    """Selections with that many aliases, for a viewer."""
    return " ".join(f"a{each}: isAdmin" for each in range(number))


def roots(number: int) -> str:
    """Selections of that many names, for the root of a query."""
    return " ".join(f"viewer{each}: __typename" for each in range(number))


def directives(number: int) -> str:
    """Selections with that many directives, for a viewer."""
    return "isAdmin @include(if: true) " * number


@dataclass(frozen=True)
class Bound:
    """A document that has a number of something, the most that it may have, and what more is refused with."""

    document: Callable[[int], str]
    most: int
    refusal: tuple[str, str]


BOUNDS = {
    "tokens": Bound(lambda number: "{ nodes(ids: [" + "1 " * (number - 12) + "]) { id } }", 2_000, TOO_MANY_TOKENS),
    "comments": Bound(lambda number: "#\n" * number + "{ __typename }", 1_997, TOO_MANY_TOKENS),
    "characters": Bound("{ __typename }".ljust, 200_000, TOO_LONG),
    "depth": Bound(lambda number: f"{{ {nested(number)} }}", 15, TOO_DEEP),
    "depth of inline fragments": Bound(lambda number: f"{{ ... {{ ... {{ {nested(number)} }} }} }}", 15, TOO_DEEP),
    "depth at the end of many fragments": Bound(lambda number: chain(150, link="...NEXT", end=nested(number)), 15, TOO_DEEP),
    "depth of the second operation": Bound(
        lambda number: f"query A {{ __typename }} query B {{ ...Q }} fragment Q on Query {{ {nested(number)} }}", 15, TOO_DEEP
    ),
    "depth below fields": Bound(
        lambda number: f"{{ connections {{ nodes {{ ...C }} }} }} fragment C on Connection {{ {below(number - 2)} }}", 15, TOO_DEEP
    ),
    "aliases": Bound(lambda number: f"{{ viewer {{ {aliases(number)} }} }}", 30, TOO_MANY_ALIASES),
    "aliases of fragments": Bound(
        lambda number: f"{{ viewer {{ ...V ...V {aliases(number - 20)} }} }} fragment V on Viewer {{ {aliases(10)} }}", 30, TOO_MANY_ALIASES
    ),
    "root fields": Bound(lambda number: f"{{ {roots(number)} }}", 20, TOO_MANY_ROOT_FIELDS),
    "root fields of fragments": Bound(
        lambda number: f"{{ ...Q ... {{ {roots(number)} }} }} fragment Q on Query {{ {roots(5)} }}", 20, TOO_MANY_ROOT_FIELDS
    ),
    "directives": Bound(lambda number: f"{{ viewer {{ {directives(number)} }} }}", 50, TOO_MANY_DIRECTIVES),
    "directives of fragments": Bound(
        lambda number: (
            "{ ...Q @skip(if: false) ... @skip(if: false) { viewer { isAdmin } } } "
            f"fragment Q on Query {{ viewer {{ {directives(number - 2)} }} }}"
        ),
        50,
        TOO_MANY_DIRECTIVES,
    ),
}


@pytest.mark.parametrize("what", BOUNDS)
def test_as_much_as_is_allowed_and_no_more(what: str):
    bound = BOUNDS[what]

    assert refusals(bound.document(bound.most)) == []
    assert refusals(bound.document(bound.most + 1)) == [bound.refusal]


def test_the_operator_says_how_much_is_allowed():
    query = "{ a: viewer { b: isAdmin @include(if: true) } viewer { isAdmin } }"

    assert refusals(query, max_depth=2, max_aliases=2, max_root_fields=2, max_directives=1, max_document_tokens=21) == []
    assert refusals(query, max_depth=1, max_aliases=1, max_root_fields=1, max_directives=0) == [
        ("DEPTH_EXCEEDED", "The operation nests fields more than 1 deep. Ask for what lies deeper in another request."),
        (
            "ALIASES_EXCEEDED",
            "The operation has more than 1 aliases; those of a fragment count each time that it is spread. Send it in parts.",
        ),
        ("ROOT_FIELDS_EXCEEDED", "The operation asks for more than 1 fields at its root. Send it in parts."),
        ("DIRECTIVES_EXCEEDED", "The document has more than 0 directives. Send it in parts."),
    ]
    assert refusals(query, max_document_tokens=20) == [
        ("TOKENS_EXCEEDED", "The document has more than 20 tokens. Ask for less in one document.")
    ]


def test_a_refusal_tells_the_operation_that_asks_too_much():
    (error,) = documents_of(SCHEMA).get(f"query A {{ viewer {{ isAdmin }} }}\nquery B {{ {nested(16)} }}").errors

    assert error.formatted["locations"] == [{"line": 2, "column": 1}]


def test_what_only_speaks_of_tokens_is_a_syntax_error():
    query = '{ viewer(a: "Document contains more than 2000 tokens." }'

    assert refusals(query) == [("INVALID", "Syntax Error: Expected Name, found '}'.")]


@pytest.mark.parametrize("digits", [308, 309, 5_000])
def test_integers_of_more_digits_than_a_request_may_hold_are_the_clients_mistake(digits: int):
    (refusal,) = refusals(f"{{ connections(first: -{'9' * digits}) {{ totalCount }} }}")

    too_long = ("INVALID", "Syntax Error: An integer has more than 308 digits.")
    assert refusal == too_long if digits > 308 else refusal[1].startswith("Int cannot represent non 32-bit signed integer value: -999")


def test_fragments_in_circles_are_invalid_and_no_deeper_for_it():
    query = "{ ...A } fragment A on Query { viewer { isAdmin } ...B } fragment B on Query { b: viewer { isAdmin } ...A }"

    assert refusals(query) == [("INVALID", "Cannot spread fragment 'A' within itself via 'B'.")]


COMPONENT = "id __typename createdAt integration { id key name } dataSourceInstances(first: 3) { nodes { id } }"
PARTS = [f"Page_part{number}" for number in range(20)]
ASKED_BY_CLIENTS = {
    "GraphiQL, to know the schema": get_introspection_query(
        input_value_deprecation=True, specified_by_url=True, schema_description=True, directive_is_repeatable=True
    ),
    "Apollo Client, which adds the names of types": "query Connections($after: String) { connections(first: 10, after: $after) "
    "{ edges { node { id name integration { id name __typename } __typename } cursor __typename } "
    "pageInfo { hasNextPage endCursor __typename } __typename } }",
    "Relay, with a fragment for each component": "query Page($id: ID!, $is: Boolean!) { node(id: $id) { __typename id "
    + " ".join(f"...{part} @include(if: $is)" for part in PARTS)
    + " } }"
    + "".join(f" fragment {part} on Connection {{ {COMPONENT} }}" for part in PARTS),
} | {f"the demo, {tab.title}": tab.query for tab in examples(customer=None, admin=None)}


@pytest.mark.parametrize("client", ASKED_BY_CLIENTS)
def test_what_clients_ask_is_within_the_limits(client: str):
    assert refusals(ASKED_BY_CLIENTS[client]) == []


@pytest.mark.parametrize("field", ["__schema { queryType { name } }", '__type(name: "Query") { name }'])
@pytest.mark.parametrize("query", ["{ __typename FIELD }", "{ ...Q } fragment Q on Query { ... { told: FIELD } }"])
def test_without_introspection_the_schema_is_not_told(query: str, field: str):
    query, name = query.replace("FIELD", field), field.split("(")[0].split()[0]

    assert refusals(query) == []
    assert refusals(query, introspection=False) == [
        ("INTROSPECTION_DISABLED", f"`{name}` is not answered: this gateway does not tell its schema. Ask its operator for it.")
    ]


def test_without_introspection_names_of_types_stay_and_none_are_suggested():
    assert refusals("{ __typename viewer { __typename isAdmin } }", introspection=False) == []
    assert refusals("{ viewr { isAdmin } }") == [("INVALID", "Cannot query field 'viewr' on type 'Query'. Did you mean 'viewer'?")]
    assert refusals("{ viewr { isAdmin } }", introspection=False) == [("INVALID", "Cannot query field 'viewr' on type 'Query'.")]
