"""Rules for the JSON Schemas in a connector file."""

from collections.abc import Iterator

from gateway.connectors.schemas import CompiledSchema, SchemaError
from gateway.documents import Place, Problem
from gateway.models import JsonObject, JsonSchema, JsonValue


def schema_problems(place: Place, schema: JsonSchema, *, is_object: bool = True) -> Iterator[Problem]:
    """What keeps the schema from being used; parameters, credentials and fields are objects."""
    try:
        CompiledSchema.compile(schema, at="schema")
    except SchemaError as error:
        yield place, str(error).removeprefix("schema: ")
        return
    if is_object and schema.get("type") != "object":
        yield place, "the schema must be of `type: object`"


def value_problems(place: Place, value: JsonValue, schema: JsonSchema) -> Iterator[Problem]:
    """What a value breaks in its schema."""
    for violation in CompiledSchema.compile(schema, at="value").violations(value):
        yield (*place, *violation.path), violation.message


def constant_problems(place: Place, parameters: JsonObject, schema: JsonSchema) -> Iterator[Problem]:
    """What constant parameters break in their schema."""
    try:
        violations = CompiledSchema.compile(schema, at="parameters").violations(parameters)
    except SchemaError:
        return  # Told where the schema stands.
    for violation in violations:
        yield (*place, *violation.path), violation.message
