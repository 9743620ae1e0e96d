"""JSON Schemas from connectors and apps."""

import json

import pytest

from gateway.connectors.schemas import CompiledSchema, SchemaError, Violation, coerce_parameters, writable_secrets

SCHEMA = {
    "type": "object",
    "required": ["project"],
    "additionalProperties": False,
    "properties": {
        "project": {"type": "integer", "minimum": 1},
        "since": {"type": "string", "format": "date-time"},
        "states": {"type": "array", "items": {"enum": ["open", "done"]}},
    },
}


def violations(schema, value):
    return CompiledSchema.compile(schema, at="schema").violations(value)


def test_a_valid_value_breaks_nothing():
    assert violations(SCHEMA, {"project": 12, "since": "2026-11-21T10:00:00Z", "states": ["open"]}) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, [Violation((), '"project" is a required property', missing="project")]),
        ({"project": "12"}, [Violation(("project",), '"12" is not of type "integer"')]),
        ({"project": 0}, [Violation(("project",), "0 is less than the minimum of 1")]),
        ({"project": 1, "since": "today"}, [Violation(("since",), '"today" is not a "date-time"')]),
        ({"project": 1, "states": ["open", "lost"]}, [Violation(("states", 1), '"lost" is not one of "open" or "done"')]),
        ({"project": 1, "x": 1}, [Violation((), "Additional properties are not allowed ('x' was unexpected)", unexpected=("x",))]),
        (None, [Violation((), 'null is not of type "object"')]),
    ],
)
def test_a_violation_says_where_and_what(value, expected):
    assert violations(SCHEMA, value) == expected


@pytest.mark.parametrize("value", ["\ud800", {1: 2}, object(), b"x"])
def test_a_value_that_is_not_json_is_a_violation(value):
    assert violations({"type": ["string", "object"]}, value) == [Violation((), "the value is not JSON")]


def test_a_value_that_nests_without_end_is_a_violation():
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"type": ["array", "object"], "items": {"$ref": "#/$defs/a"}}}}
    deep: object = []
    for _ in range(100_000):
        deep = [{"a": deep}]
    shallow: object = []
    for _ in range(198):
        shallow = [shallow]

    assert violations(schema, deep) == [Violation((), "the value nests deeper than 200 levels")]
    assert violations(schema, shallow) == []


def test_violations_of_a_schema_with_secrets_show_no_values():
    schema = {"type": "object", "properties": {"key": {"type": "string", "minLength": 40, "writeOnly": True}, "user": {"type": "string"}}}

    assert violations(schema, {"key": "s3cret", "user": 5}) == [
        Violation(("key",), "the value is shorter than 40 characters"),
        Violation(("user",), 'the value is not of type "string"'),
    ]


def test_at_most_50_violations_are_told_and_each_is_short():
    found = violations({"type": "array", "items": {"type": "integer"}}, ["x" * 10_000] * 80)

    assert len(found) == 50
    assert all(len(violation.message) < 320 and violation.message.endswith('is not of type "integer"') for violation in found)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$id": "http://127.0.0.1:1/a", "properties": {"x": {"$ref": "b"}}},
        {"$schema": "http://127.0.0.1:1/meta"},
        {"$ref": "#/$defs/missing"},
    ],
)
def test_a_schema_that_refers_to_another_document_is_refused_without_asking_for_it(schema):
    with pytest.raises(SchemaError, match=r"^fields: not a usable JSON Schema"):
        CompiledSchema.compile(schema, at="fields")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "text"}, "x: not a usable JSON Schema at type: "),
        ({"properties": {"a": {"minimum": "1"}}}, "x: not a usable JSON Schema at properties.a.minimum: "),
        ({"pattern": "("}, "x: not a usable JSON Schema at pattern: "),
        ({"pattern": "(?=a)"}, "x: not a usable JSON Schema at pattern: "),
        ([], "x: a JSON Schema is a mapping"),
        (True, "x: a JSON Schema is a mapping"),
        (None, "x: a JSON Schema is a mapping"),
        ({"enum": ["\ud800"]}, "x: not JSON, or nested too deeply"),
        ({"description": "x" * 600_000}, "x: the schema takes 600018 bytes; at most 524288 are read"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_the_place(schema, message):
    with pytest.raises(SchemaError) as caught:
        CompiledSchema.compile(schema, at="x")

    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 500


def test_a_schema_that_nests_without_end_is_refused():
    schema: dict = {}
    for _ in range(100_000):
        schema = {"items": schema}

    with pytest.raises(SchemaError, match=r"^x: not JSON, or nested too deeply"):
        CompiledSchema.compile(schema, at="x")


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}]
)
def test_a_schema_that_goes_in_a_circle_is_refused(schema):
    with pytest.raises(SchemaError, match="a part of it refers to itself at the same place, which never ends"):
        CompiledSchema.compile(schema, at="x")


def test_patterns_take_linear_time():
    assert len(violations({"type": "string", "pattern": "^(a+)+$"}, "a" * 50_000 + "!")) == 1


PARAMETERS = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "b": {"type": "boolean"},
        "t": {"type": "string"},
        "maybe": {"type": ["integer", "null"]},
        "either": {"type": ["integer", "string"]},
        "choice": {"enum": [1, 2]},
        "fixed": {"const": True},
        "list": {"type": "array"},
        "object": {"type": "object"},
        "shared": {"$ref": "#/$defs/count"},
        "any": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
        "circle": {"$ref": "#/properties/circle"},
    },
    "$defs": {"count": {"type": "integer"}},
}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("n", "12", 12),
        ("n", "-1", -1),
        ("n", "9" * 40, int("9" * 40)),
        ("n", "1.5", "1.5"),
        ("n", "012", "012"),
        ("n", "1_000", "1_000"),
        ("n", " 1", " 1"),
        ("n", "१", "१"),
        ("n", "", ""),
        ("n", "9" * 5000, "9" * 5000),
        ("x", "1.5", 1.5),
        ("x", "2", 2),
        ("x", "1e3", 1000.0),
        ("x", "1e999", "1e999"),
        ("x", "nan", "nan"),
        ("b", "true", True),
        ("b", "True", "True"),
        ("t", "12", "12"),
        ("t", "true", "true"),
        ("maybe", "null", None),
        ("maybe", "3", 3),
        ("either", "3", "3"),
        ("choice", "2", 2),
        ("fixed", "true", True),
        ("list", '["a"]', ["a"]),
        ("list", '{"a": 1}', '{"a": 1}'),
        ("list", "[" * 100_000, "[" * 100_000),
        ("object", '{"a": 1}', {"a": 1}),
        ("shared", "4", 4),
        ("any", "false", False),
        ("circle", "1", "1"),
        ("unknown", "1", "1"),
    ],
)
def test_the_text_of_a_parameter_takes_the_type_of_its_schema_and_else_stays(name, text, value):
    typed = coerce_parameters(PARAMETERS, {name: text})

    assert typed == {name: value}
    assert type(typed[name]) is type(value)


def test_what_a_pointer_writes_a_path_reads_back():
    values = {"n": 5, "x": 1.5, "b": False, "t": "1", "list": [1, "a"], "object": {"k": None}}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}

    assert coerce_parameters(PARAMETERS, texts) == values


def test_secrets_are_the_properties_that_are_or_hold_what_is_write_only():
    schema = {"properties": {"a": {"writeOnly": True}, "b": {"properties": {"c": {"writeOnly": True}}}, "d": {"writeOnly": False}, "e": {}}}

    assert writable_secrets(schema) == {"a", "b"}
    assert writable_secrets({}) == frozenset()
