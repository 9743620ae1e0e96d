"""Selections that show all there is: every field of every type that a place leads to."""

from collections.abc import Mapping

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.guard.arguments import SCHEMA

REQUIRED_ARGUMENTS: Mapping[str, str] = {
    "Connection.collection": '(key: "notes")',
    "Connection.dataSourceInstance": '(dataSource: {key: "jottings"})',
}
"""What fields below the roots are asked with, where they ask for anything."""
HOPS = 3
"""How many elements one selection goes through: with three, everything is reached from everything that leads to it."""


def everything(kind: GraphQLNamedType, *, hops: int = HOPS) -> str:
    """A selection of every field of a type, and of what its fields lead to, up to that many elements deep; none for a leaf."""
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLInterfaceType):
        parts = [f"... on {each.name} {everything(each, hops=hops)}" for each in SCHEMA.get_possible_types(kind) if each.name != "Record"]
        return "{ __typename " + " ".join(parts) + " }"
    assert isinstance(kind, GraphQLObjectType)
    is_page = kind.name.endswith(("Connection", "Edge")) and kind.name != "Connection"
    below = hops if is_page or kind.name == "PageInfo" else hops - 1
    shown = [_field(kind, name, field, hops=below) for name, field in kind.fields.items() if not (is_page and name == "edges")]
    return "{ " + " ".join(filter(None, [*shown, "edges { cursor }" if "edges" in kind.fields else "__typename"])) + " }"


def _field(kind: GraphQLObjectType, name: str, field: GraphQLField, *, hops: int) -> str:
    inner = get_named_type(field.type)
    if not is_leaf_type(inner) and hops <= 0:
        return ""
    # Aliased by type: the parts of an interface may give a name different types.
    arguments = REQUIRED_ARGUMENTS[f"{kind.name}.{name}"] if any(map(is_required_argument, field.args.values())) else ""
    return f"{kind.name}_{name}: {name}{arguments} {everything(inner, hops=hops)}"
