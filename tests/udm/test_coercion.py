"""What apps send becomes what a model promises, or nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.udm.coercion import coercion, fitted, text_of

TEXT, NUMBER, INTEGER, BOOLEAN = ({"type": name} for name in ("string", "number", "integer", "boolean"))
TIME = {"type": "string", "format": "date-time"}
DATE = {"type": "string", "format": "date"}
CHOICE = {"type": "string", "enum": ["open", "In progress"]}
LIST = {"type": "array", "items": NUMBER}
OBJECT = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (TEXT, "", ""),
        (TEXT, 2**70, str(2**70)),
        (TEXT, 5.0, "5"),
        (TEXT, 5.25, "5.25"),
        (TEXT, True, "true"),
        (TEXT, math.nan, None),
        (TEXT, math.inf, None),
        (NUMBER, math.nan, None),
        (INTEGER, -math.inf, None),
        (BOOLEAN, math.nan, None),
        (TIME, math.nan, None),
        (TIME, math.inf, None),
        (TEXT, {"a": 1}, None),
        (TEXT, [1], None),
        (NUMBER, "12.50", 12.5),
        (NUMBER, " 12 ", 12),
        (NUMBER, str(2**70), 2**70),
        (NUMBER, True, 1),
        (NUMBER, "", None),
        (NUMBER, "1_000", None),
        (NUMBER, "nan", None),
        (NUMBER, "1e999", None),
        (NUMBER, "9" * 10_000, None),
        (INTEGER, 5.0, 5),
        (INTEGER, 5.5, None),
        (INTEGER, "7", 7),
        (BOOLEAN, 0, False),
        (BOOLEAN, "1", True),
        (BOOLEAN, "TRUE", True),
        (BOOLEAN, "maybe", None),
        (BOOLEAN, 2, None),
        (TIME, "2026-01-05T10:00:00+02:00", "2026-01-05T08:00:00Z"),
        (TIME, "2026-01-05 10:00:00.5", "2026-01-05T10:00:00.500000Z"),
        (TIME, "2026-01-05", "2026-01-05T00:00:00Z"),
        (TIME, 1_767_603_600, "2026-01-05T09:00:00Z"),
        (TIME, 1_767_603_600_000, "2026-01-05T09:00:00Z"),
        (TIME, "1767603600000", "2026-01-05T09:00:00Z"),
        (TIME, 99_999_999_999, "5138-11-16T09:46:39Z"),
        (TIME, 100_000_000_000, "1973-03-03T09:46:40Z"),
        (TIME, -100_000_000_000, "1966-10-31T14:13:20Z"),
        (TIME, "soon", None),
        (TIME, 10**300, None),
        (TIME, True, None),
        (DATE, "2026-01-05T23:00:00-08:00", "2026-01-05"),
        (DATE, "2026-01-05", "2026-01-05"),
        (DATE, 1_767_603_600, "2026-01-05"),
        (DATE, "someday", None),
        (CHOICE, "OPEN", "open"),
        (CHOICE, "in progress", "In progress"),
        (CHOICE, "won", None),
        (LIST, ["1", 2, "x", None], [1, 2]),
        (LIST, "3", [3]),
        (LIST, [], []),
        (OBJECT, {"city": "Bern", "zip": 3000, "more": 1}, {"city": "Bern", "zip": "3000"}),
        (OBJECT, "Bern", None),
        ({"type": "object"}, {"any": 1}, {"any": 1}),
        ({}, [1, {"a": None}], [1, {"a": None}]),
    ],
    ids=repr,
)
def test_a_value_becomes_one_of_the_type_or_null(schema, value, expected):
    made = coercion(schema)(value)

    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize("schema", [TEXT, NUMBER, INTEGER, BOOLEAN, TIME, DATE, CHOICE, LIST, OBJECT], ids=repr)
def test_null_stays_null(schema):
    assert coercion(schema)(None) is None


@given(JSON)
def test_any_value_at_all_is_of_the_type_or_null_and_stays_what_it_became(value):
    for schema in (TEXT, NUMBER, INTEGER, BOOLEAN, TIME, DATE, CHOICE, LIST, OBJECT):
        coerce = coercion(schema)
        made = coerce(value)
        assert coerce(made) == made


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "integer"}, "12", 12),
        ({"type": "integer"}, "twelve", "twelve"),
        ({"type": ["string", "integer"]}, "12", "12"),
        ({"type": ["integer", "null"]}, "12", 12),
        ({"type": ["integer", "null"]}, None, None),
        ({"type": "string"}, 12, "12"),
        ({"type": "string"}, [12], [12]),
        ({"type": "boolean"}, "true", True),
        ({"type": "array", "items": {"type": "integer"}}, "5", [5]),
        ({"type": "array", "items": {"type": "integer"}}, ["5", "x"], [5, "x"]),
        ({"type": "object", "properties": {"id": {"type": "integer"}}}, {"id": "5", "more": "6"}, {"id": 5, "more": "6"}),
        ({"type": "string", "format": "date"}, "2026-01-05T10:00:00Z", "2026-01-05"),
        ({"type": "string", "format": "date"}, "soon", "soon"),
        ({"$ref": "#/elsewhere"}, "5", "5"),
        ({"type": 7}, "5", "5"),
        ({"type": "object", "properties": "odd"}, {"a": 1}, {"a": 1}),
        ({"type": "array", "items": True}, "5", ["5"]),
        ({"type": "string", "enum": 7}, 5, "5"),
        ({}, "5", "5"),
    ],
    ids=repr,
)
def test_what_is_written_fits_the_apps_schema_where_it_can_and_else_stays(schema, value, expected):
    assert fitted(value, schema) == expected


def test_lists_and_objects_have_no_text():
    assert [text_of(value) for value in ("a", 1, 1.0, 1e300, False, None, [], {})] == ["a", "1", "1", "1e+300", "false", None, None, None]
