"""What operations cost: computed before they run, and again from what they were answered with."""

from typing import Any

import pytest
from graphql import GraphQLObjectType

from gateway.graphql.cost import CEILING, Cost, cost_of
from gateway.graphql.cost_planning import planned
from gateway.graphql.fields import ASKS_APP
from tests.graphql.world import SCHEMA
from tests.support.documents import documents_of
from tests.support.limits import UNLIMITED
from tests.support.plain import compact

DOCUMENTS = documents_of(SCHEMA, **UNLIMITED)


def cost(document: str, operation: str | None = None) -> Cost:
    found = DOCUMENTS.get(document)
    assert found.errors == ()
    return cost_of(found.operation(operation), SCHEMA._schema)


def requested(document: str, operation: str | None = None, **variables: Any) -> int:
    return cost(document, operation).requested(variables)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ __typename }", 0),
        ("{ viewer { isAdmin } }", 1),
        ("{ viewer { isAdmin customer { name } } }", 2),
        ("{ __schema { types { name } } }", 100),
        # A page, and each of its items; an edge and `pageInfo` are only its frame.
        ("{ connectors { totalCount } }", 1),
        ("{ connectors { nodes { key } } }", 51),
        ("{ connectors(first: 20) { edges { cursor node { key } } pageInfo { endCursor } } }", 21),
        ("{ connectors(first: 20) { nodes { key } edges { node { key } } } }", 41),
        # Lists without a length count as five, those of ids as many as there are.
        ("{ universalDataModels { key } }", 5),
        ("{ connectors(first: 2) { nodes { collections { universalDataModels { key } } } } }", 1 + 2 * (1 + 5 * (1 + 5))),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        # What asks the app is ten dearer, each time.
        ('{ dataSourceInstance(by: {id: "x"}) { fieldsSchema } }', 11),
        ('{ dataSourceInstance(by: {id: "x"}) { records(first: 7) { nodes { id } } } }', 1 + 10 + 1 + 7),
        # Records that others name are asked for together, and each costs one more.
        ('{ dataSourceInstance(by: {id: "x"}) { record(externalId: "1") { reference(field: "owner") { id } } } }', 1 + 11 + 2),
        ("{ dataSourceInstances(first: 3) { nodes { collectionSpec { name } } } }", 1 + 3 * (1 + 11)),
        ('mutation { syncRunCancel(input: {id: "x"}) { syncRun { id } userErrors { code } } }', 10 + 1 + 1 + 5),
        ('subscription { syncRunProgressed(id: "x") { id } }', 1),
        # More than fits a page is refused by the field; it costs no more than the largest page.
        ("{ connectors(first: 2147483647) { nodes { key } } }", 1_001),
        ("{ connectors(first: -5) { nodes { key } } }", 1),
        # An object is of one type.
        ('{ node(id: "x") { id ... on Record { collection { key } } ... on Connection { integration { key } customer { id } } } }', 3),
        ("{ viewer { isAdmin } viewer { customer { name } } }", 3),
    ],
)
def test_a_document_costs_its_objects(document: str, expected: int):
    assert requested(document) == expected


def test_variables_decide_how_long_lists_are():
    page = "query ($first: Int! = 7) { connectors(first: $first) { nodes { key } } }"
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert [requested(page, first=first) for first in (1, 100, 10**30, -1, None)] == [2, 101, 1_001, 1, 8]
    assert requested(page) == 8
    assert [requested(nodes, ids=ids) for ids in (["a"] * 30, "a", [], ["a"] * 5_000)] == [30, 1, 0, 1_000]
    # What does not fit is refused by its type later; it must only not break the counting.
    assert [requested(page, first=first) for first in ("ten", True, {}, 2.0, float("inf"), float("nan"))] == [2, 2, 2, 3, 1_001, 1]


def test_variables_decide_what_is_in():
    document = "query ($in: Boolean! = false) { viewer { isAdmin } connectors @include(if: $in) { nodes { key } } }"
    other = (
        "query ($out: Boolean!) { ...All @skip(if: $out) viewer @skip(if: true) { isAdmin } } fragment All on Query { viewer { isAdmin } }"
    )

    assert (requested(document), requested(document, **{"in": True})) == (1, 52)
    assert (requested(other, out=True), requested(other, out=False)) == (0, 1)


def test_a_fragment_counts_at_each_place_with_the_length_of_the_page_there():
    document = """
    query ($first: Int!) { few: connectors(first: 3) { ...Page } many: connectors(first: $first) { ...Page } }
    fragment Page on ConnectorConnection { nodes { key authMethods { key } } }
    """

    assert requested(document, first=10) == (1 + 3 * 6) + (1 + 10 * 6)


def test_each_operation_of_a_document_has_its_own_cost():
    document = "query A { viewer { isAdmin } } query B { connectors(first: 2) { nodes { key } } }"

    assert (requested(document, "A"), requested(document, "B")) == (1, 3)


def test_a_hundred_and_fifty_fragments_within_each_other_are_each_walked_once_and_counting_ends_at_a_ceiling():
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(150)]
    document = "{ ...F0 } " + " ".join(fragments) + " fragment F150 on Query { viewer { isAdmin } }"
    found = DOCUMENTS.get(document)
    operation = found.operation(None)
    root = planned(found.node, operation.node, SCHEMA._schema)

    groups, below = set(), [root]
    while below:
        group = below.pop()
        if group not in groups:
            groups.add(group)
            below += [part.group for part in group]

    assert len(groups) == 1 + 151 + 1  # The operation, the fragments, and the viewer.
    assert Cost(root).requested({}) == CEILING
    # As many looks at the answer as are worth it, then what it may have cost.
    assert Cost(root).actual({"viewer": {"isAdmin": True}}, requested=CEILING) == CEILING


def test_what_lists_did_not_hold_and_what_was_null_has_cost_nothing():
    document = """{
      connectors(first: 100) { nodes { key collections { key universalDataModels { key } } } }
      dataSourceInstance(by: {id: "x"}) { records(first: 50) { nodes { id unified { ... on UnifiedTask { assignee { fullName } } } } } }
    }"""
    operation = cost(document)
    most = operation.requested({})
    data: dict[str, Any] = {
        "connectors": {"nodes": [{"key": "a", "collections": [{"key": "x", "universalDataModels": []}]}, {"key": "b", "collections": []}]},
        "dataSourceInstance": {
            "records": {"nodes": [{"id": "1", "unified": {"assignee": {"fullName": "Ada"}}}, {"id": "2", "unified": None}]}
        },
    }

    assert most == (1 + 100 * (1 + 5 * (1 + 5))) + (1 + 10 + 1 + 50 * (1 + 1 + 2))
    assert operation.actual(data, requested=most) == (1 + 2 + 1) + (1 + 10 + 1 + 2 + 1 + 2)
    assert operation.actual(compact(data), requested=most) == (1 + 2 + 1) + (1 + 10 + 1 + 2 + 1 + 2)
    # The app was asked, although it had nothing.
    assert operation.actual({"connectors": {"nodes": []}, "dataSourceInstance": {"records": None}}, requested=most) == 1 + 1 + 10
    assert operation.actual({}, requested=most) == 0
    # Lists of which nobody says how long they are may be longer than they count for; nobody pays for that.
    longer = cost("{ universalDataModels { key } }")
    assert longer.actual({"universalDataModels": [{"key": "a"}] * 9}, requested=longer.requested({})) == 5


def test_an_answer_costs_the_same_whatever_its_objects_are_made_of():
    listed = "... on Customer { connections { nodes { id } } } ... on Connection { customer { id } }"
    operation = cost(f"{{ nodes(ids: [1, 2, 3, 4]) {{ {listed} }} }}")
    one, other = {"connections": {"nodes": [{"id": "x"}, {"id": "y"}]}}, {"customer": {"id": "z"}}

    lists = ([made(one), None, made(other), other] for made in (compact, dict))

    assert [operation.actual({"nodes": nodes}, requested=500) for nodes in lists] == [(1 + 1 + 2) + (1 + 1) * 2] * 2


def test_the_fields_whose_description_says_that_they_ask_the_app_are_those_that_cost_it():
    asking = {
        (owner.name, name): bool(field.extensions["strawberry-definition"].metadata.get(ASKS_APP))
        for owner in SCHEMA._schema.type_map.values()
        if isinstance(owner, GraphQLObjectType) and not owner.name.startswith("__")
        for name, field in owner.fields.items()
        if "sks the external app" in (field.description or "")
    }

    # A location's name almost always came with the location.
    assert {place for place, is_marked in asking.items() if not is_marked} == {("DataCollection", "name"), ("Directory", "name")}
    assert ("DataSourceInstance", "records") in asking
    assert ("UnifiedTask", "assignee") in asking


def test_every_page_is_reached_by_a_field_that_says_how_long_it_is():
    for owner in SCHEMA._schema.type_map.values():
        for name, field in (owner.fields if isinstance(owner, GraphQLObjectType) else {}).items():
            holds = getattr(field.type, "of_type", field.type)
            if isinstance(holds, GraphQLObjectType) and "pageInfo" in holds.fields:
                assert "first" in field.args, (owner.name, name)
