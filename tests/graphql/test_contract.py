"""The printed schema has every name and shape that clients were promised."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    print_ast,
)

from tests.support.printed_schema import PRINTED

CONTRACT = build_schema(Path(__file__).with_name("contract.graphql").read_text(encoding="utf-8"))


def own_types(schema: GraphQLSchema) -> dict[str, GraphQLNamedType]:
    return {name: type_ for name, type_ in schema.type_map.items() if not name.startswith("__") and not is_specified_scalar_type(type_)}


def default(given: GraphQLArgument | GraphQLInputField) -> str:
    node = given.ast_node.default_value if given.ast_node else None
    return f" = {print_ast(node)}" if node is not None else ""


def shape(type_: GraphQLNamedType) -> dict[str, object]:
    """Everything of a type that a client relies on, as text."""
    kind: dict[str, object] = {"kind": type(type_).__name__}
    if isinstance(type_, GraphQLEnumType):
        return kind | dict.fromkeys(type_.values, "value")
    if isinstance(type_, GraphQLInputObjectType):
        fields = {name: f"{field.type}{default(field)}" for name, field in type_.fields.items()}
        return kind | {"oneOf": type_.is_one_of} | fields
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        fields = {
            name: ", ".join([str(field.type), *sorted(f"{key}: {arg.type}{default(arg)}" for key, arg in field.args.items())])
            for name, field in type_.fields.items()
        }
        return kind | {"interfaces": sorted(interface.name for interface in type_.interfaces)} | fields
    return kind


def types_of_models() -> Iterator[str]:
    """The types that implement `UnifiedRecord`, and the parts of theirs."""
    waiting: list[GraphQLNamedType] = [*PRINTED.get_implementations(PRINTED.type_map["UnifiedRecord"]).objects]
    seen = {"Record"}
    while waiting:
        type_ = waiting.pop()
        if isinstance(type_, GraphQLObjectType) and type_.name not in seen:
            seen.add(type_.name)
            waiting += [get_named_type(field.type) for field in type_.fields.values()]
            yield type_.name


@pytest.mark.parametrize("name", sorted(own_types(CONTRACT)))
def test_a_promised_type_is_there_with_every_field_argument_and_nullability(name: str):
    promised, printed = shape(CONTRACT.type_map[name]), shape(PRINTED.type_map[name])

    assert {key: printed.get(key) for key in promised} == promised


def test_the_schema_has_no_type_that_was_not_promised():
    # The contract shows two models; the catalog has more.
    assert sorted(set(own_types(PRINTED)) - set(own_types(CONTRACT)) - set(types_of_models())) == []
