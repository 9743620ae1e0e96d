"""Schemas that values are held against: compiled once, and kept as long as there is room."""

import pytest

from gateway.connectors.schemas import SchemaError
from gateway.services import pointers


def wide(number):
    """A schema of nearly half a megabyte, as an app may describe its fields; each number has one of its own."""
    return {"title": str(number), "properties": {f"column{place:06}": {"type": "string"} for place in range(12_000)}}


def test_large_schemas_do_not_fill_the_memory():
    for number in range(6):
        assert [found.path for found in pointers.found_violations(wide(number), {"column000001": 5})] == [("column000001",)]

    assert 0 < pointers._kept.weight <= pointers.MAXIMUM_COMPILED_BYTES
    assert len(pointers._kept) < 6


def test_an_equal_schema_is_compiled_once():
    first = pointers._compiled({"type": "object", "title": "once"})

    assert pointers._compiled({"type": "object", "title": "once"}) is first
    assert pointers._compiled({"type": "object", "title": "another"}) is not first


@pytest.mark.parametrize("schema", [{"maximum": 2**70}, {"enum": ["\ud800"]}, {"type": "nonsense"}], ids=["long", "surrogate", "wrong"])
def test_a_schema_that_cannot_be_used_says_so(schema):
    with pytest.raises(SchemaError, match="schema: not "):
        pointers.found_violations(schema, {})
