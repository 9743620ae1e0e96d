"""Schemas of a few lines whose references ask for more work than any process would ever finish."""

import pytest

from gateway.connectors.executor.fields import merged_schema
from gateway.connectors.schema_work import MAX_WORK
from gateway.connectors.schemas import CompiledSchema, SchemaError
from gateway.errors import UpstreamResponseError


def doubling(steps):
    """Each part applies the next one twice to the same value."""
    parts = {f"a{step}": {"anyOf": [{"allOf": [{"$ref": f"#/$defs/a{step + 1}"}]}] * 2} for step in range(steps)}
    return {"$defs": {**parts, f"a{steps}": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a0"}}}


TWICE_ITSELF = {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}
ENDLESS = {
    "each part twice the next": doubling(30),
    "each member twice the whole": {"additionalProperties": TWICE_ITSELF},
    "each item twice the whole": {"items": TWICE_ITSELF},
    "one of two patterns each": {"patternProperties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}},
    "by a name and by a pattern": {"properties": {"a": {"$ref": "#"}}, "patternProperties": {"a": {"$ref": "#"}}},
    "items that are contained too": {"items": {"$ref": "#"}, "contains": {"$ref": "#"}},
    "with an escaped pointer": {
        "$defs": {"a/b %": {"items": {"allOf": [{"$ref": "#/$defs/a~1b%20%25"}] * 2}}},
        "$ref": "#/$defs/a~1b%20%25",
    },
    "through a dependency": {"dependentSchemas": {"a": {"items": TWICE_ITSELF, "properties": {"a": TWICE_ITSELF}}}},
    "itself": {"$ref": "#"},
    "each other": {"$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "a long way": {
        "$defs": {f"a{step}": {"allOf": [{"$ref": f"#/$defs/a{(step + 1) % 3000}"}]} for step in range(3000)},
        "$ref": "#/$defs/a0",
    },
}
HONEST = {
    "a tree of two branches": {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "more": {"items": {"$ref": "#"}}}},
    "parts that may be null": {"properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
    "any JSON": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#"}},
            {"type": "object", "additionalProperties": {"$ref": "#"}},
        ]
    },
    "many references to one part": {
        "$defs": {"t": {"type": "integer"}},
        "properties": {f"p{n}": {"$ref": "#/$defs/t"} for n in range(2000)},
    },
    "references into lists": {"$defs": {"t": {"allOf": [{"type": "object"}]}}, "$ref": "#/$defs/t/allOf/0"},
    "fields of such names": {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}},
    "twice the next a few times": doubling(4),
}


@pytest.mark.parametrize("schema", ENDLESS.values(), ids=ENDLESS)
def test_a_schema_of_too_much_work_is_refused_before_any_value(schema):
    with pytest.raises(SchemaError, match=r"^fields: not a usable JSON Schema: (its references lead on|a part of it refers to itself)"):
        CompiledSchema.compile(schema, at="fields")


@pytest.mark.parametrize("schema", HONEST.values(), ids=HONEST)
def test_a_schema_that_grows_with_its_values_only_is_taken(schema):
    assert CompiledSchema.compile(schema, at="fields").violations({}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"t": {"$anchor": "here"}}, "$ref": "#here"},
        {"$defs": {"t": {"$id": "http://a/b", "$ref": "#/$defs/q", "$defs": {"q": {}}}}, "$ref": "#/$defs/t"},
        {"$dynamicAnchor": "t", "items": {"$dynamicRef": "#t"}},
    ],
    ids=["anchor", "id", "dynamic reference"],
)
def test_references_that_are_no_pointers_are_refused(schema):
    with pytest.raises(SchemaError, match=r"'#/\.\.\.'"):
        CompiledSchema.compile(schema, at="fields")


def test_a_schema_without_references_is_as_much_work_as_it_is_long():
    CompiledSchema.compile({"allOf": [{"anyOf": [{"type": "object"}] * 100}] * (MAX_WORK // 50)}, at="fields")


def test_what_an_app_describes_so_is_told_as_its_fault():
    with pytest.raises(UpstreamResponseError, match="its references lead on in too many ways"):
        merged_schema({"type": "object"}, doubling(30))
