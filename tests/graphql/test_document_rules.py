"""However a document is made, looking at it costs little, and what is told of it is short."""

import json
import sys
from collections.abc import Callable

import pytest
from graphql import parse, specified_rules, validate

from gateway.graphql.document_limits import refusals_of
from tests.graphql.hostile_documents import COSTLY, MOST_CHARACTERS, MOST_TOKENS, chain, tokens
from tests.graphql.world import SCHEMA
from tests.support.documents import documents_of

MOST_CALLS = 1_000_000
"""Of functions, to look at a document: a tenth of a second or less. Validation without bounds takes a hundred times as many."""


def calls_of(work: Callable[[], object]) -> int:
    """How many functions some work calls, which is the same on every machine."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("what", COSTLY)
def test_the_costliest_documents_within_the_limits_cost_little(what: str):
    query, documents = COSTLY[what], documents_of(SCHEMA)
    assert (tokens(query) <= MOST_TOKENS, len(query) <= MOST_CHARACTERS) == (True, True)

    assert calls_of(lambda: documents.get(query)) < MOST_CALLS

    told = [error.formatted for error in documents.get(query).errors]
    assert len(json.dumps(told)) < 10_000
    assert {error["extensions"]["code"] for error in told} <= {"INVALID", "COST_EXCEEDED"}


def test_fragments_within_fragments_are_looked_at_once_each():
    """The attack doubles with each fragment: a rule that follows every spread needs a second for 600 bytes, and days for 1,200."""

    def attack(length: int) -> str:
        return chain(length, link="...NEXT ...NEXT", end="a: __typename")

    documents = documents_of(SCHEMA)
    shorter, longer = (parse(attack(length)) for length in (40, 120))
    calls = [calls_of(lambda document=document: refusals_of(document, documents.limits)) for document in (shorter, longer)]

    assert calls[1] < 3.1 * calls[0] < 10_000
    (refusal,) = documents.get(attack(14)).errors
    assert refusal.message == (
        "The operation has more than 30 aliases; those of a fragment count each time that it is spread. Send it in parts."
    )


def test_what_is_repeated_too_often_is_not_compared_to_the_end():
    (error,) = documents_of(SCHEMA).get(COSTLY["an object again and again"]).errors

    assert error.formatted == {
        "message": "The document repeats the same fields too often to be checked, itself or through fragments within fragments. "
        "Ask for each field once in one place.",
        "extensions": {"code": "COST_EXCEEDED"},
    }


def test_many_components_may_ask_the_same_object_for_what_each_needs():
    each = "id __typename isActive integration { id key name } dataSourceInstances(first: 3) { nodes { id } }"
    components = " ".join(f"...Part{number}" for number in range(25))
    query = f"{{ connections {{ nodes {{ {components} }} edges {{ node {{ {components} }} }} }} }}" + "".join(
        f" fragment Part{number} on Connection {{ {each.replace('isActive', 'createdAt')} }}" for number in range(25)
    )

    assert documents_of(SCHEMA).get(query).errors == ()


def test_at_most_ten_faults_are_told_then_the_rest_is_not_looked_for():
    errors = documents_of(SCHEMA).get("{ viewer { " + " ".join(f"isAdmn{number}" for number in range(200)) + " } }").errors

    assert [error.message for error in errors] == [
        *(f"Cannot query field 'isAdmn{number}' on type 'Viewer'." for number in range(10)),
        "Too many validation errors, error limit reached. Validation aborted.",
    ]
    assert {error.extensions["code"] for error in errors} == {"INVALID"}


def test_names_are_suggested_where_no_more_than_three_are_wrong():
    three, four = (documents_of(SCHEMA).get(f"{{ viewer {{ {names} }} }}").errors for names in ("isAdmn a b", "isAdmn a b c"))

    assert three[0].message == "Cannot query field 'isAdmn' on type 'Viewer'. Did you mean 'isAdmin'?"
    assert four[0].message == "Cannot query field 'isAdmn' on type 'Viewer'."


def test_a_long_name_is_not_repeated_in_every_message():
    errors = documents_of(SCHEMA).get(COSTLY["variables of an operation with a long name"]).errors

    assert {len(error.message) for error in errors[:-1]} == {503}
    assert errors[0].message.startswith("Variable '$v0' is never used in operation 'NNN")


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_faults_have_their_places_however_many_lines_come_before(line_break: str):
    query = line_break * 90_000 + "{ viewer { nothing" + line_break + "  nobody } }"

    errors = documents_of(SCHEMA).get(query).errors

    assert [error.formatted["locations"] for error in errors] == [
        [{"line": 90_001, "column": 12}],
        [{"line": 90_002, "column": 3}],
    ]


def test_places_are_those_that_the_library_finds():
    query = (
        "query A($x: Int) {\r\n  viewer { ...F\n nothing }\r}\nquery A { viewer { isAdmin: customer, isAdmin } }\n"
        "fragment F on Viewer { ...F }"
    )

    told = documents_of(SCHEMA).get(query).errors
    found = validate(SCHEMA._schema, parse(query), specified_rules)

    assert len(told) == 6
    assert sorted((error.message.split(".")[0], error.locations) for error in told) == sorted(
        (error.message.split(".")[0], error.locations) for error in found
    )


def test_a_fault_names_ten_places_at_most():
    (error,) = documents_of(SCHEMA).get("{ connections(" + "first: 1 " * 600 + ") { totalCount } }").errors

    assert (error.message, len(error.locations)) == ("There can be only one argument named 'first'.", 10)
