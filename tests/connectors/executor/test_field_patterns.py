"""Lists of fields whose names only the app knows, of which it takes some."""

import pytest

from gateway.connectors.executor.conditions import told_query
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.rules import problems
from gateway.errors import UnsupportedError
from gateway.models import Condition, FilterOperator, RecordOrder, RecordQuery
from tests.connectors.executor.notes import notes_file

LISTING = {
    "request": {"path": "/notes", "query": {"sort": "${order.field}"}},
    "records": "${body}",
    "field_pattern": "[a-z.]+",
    "filters": {"*": {"eq": {"query": "${field}"}}, "Odd one": {"eq": {"query": "odd"}}},
    "order": {"fields": ["*", "Odd one"]},
}


def told(field: str) -> tuple[object, object]:
    query = RecordQuery(conditions=(Condition(field=field, operator=FilterOperator.EQ, value=1),), order=RecordOrder(field=field))
    found = told_query(ListOperation.model_validate(LISTING), query, names={})
    return found.query, found.names["order"]


@pytest.mark.parametrize(("field", "name"), [("size", "size"), ("size.width", "size.width"), ("Odd one", "odd")])
def test_names_that_fit_or_are_said_are_told(field, name):
    assert told(field) == ({name: 1}, {"field": field, "direction": "asc"})


@pytest.mark.parametrize("field", ["Size", "a b", "a&b", "a\n", "\na", "", "*", "ä"])
def test_names_that_do_not_fit_are_refused_in_filters_and_in_the_order(field):
    listing = ListOperation.model_validate(LISTING)

    with pytest.raises(UnsupportedError, match="cannot be filtered by"):
        told_query(listing, RecordQuery(conditions=(Condition(field=field, operator=FilterOperator.EQ, value=1),)), names={})
    with pytest.raises(UnsupportedError, match="cannot be ordered by"):
        told_query(listing, RecordQuery(order=RecordOrder(field=field)), names={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"field_pattern": "[a-z"}, 'not a usable JSON Schema at pattern: "^(?:[a-z)$" is not a "regex"'),
        (
            {"filters": {}, "order": {"fields": ["size"]}},
            "neither `filters` nor `order` say `*`, for which these names would stand; take it out",
        ),
    ],
    ids=["no pattern", "for nothing"],
)
def test_a_pattern_that_cannot_be_is_told(changes, message):
    file = ConnectorFile.model_validate(notes_file("http://app", listing={**LISTING, **changes}))

    assert [text for place, text in problems(file) if place[-1] == "field_pattern"] == [message]
