"""Values of leaf types that stand in an answer as they are."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)

from gateway.graphql.scalars import LEFT_AS_THEY_ARE

__all__ = ["NUMBERS", "classes_of"]

_CLASSES: Mapping[Any, frozenset[type]] = {
    GraphQLString: frozenset({str}),
    GraphQLID: frozenset({str}),
    GraphQLBoolean: frozenset({bool}),
}
"""Of which classes values of GraphQL's own scalars must be in order to stand in an answer as they are."""
NUMBERS: Mapping[Any, str] = {
    GraphQLInt: "type({0}) is int and -2147483648 <= {1} <= 2147483647",
    GraphQLFloat: "type({0}) is float and isfinite({1})",
}
"""What numbers must be, which their class alone does not tell: Python in which `{0}` gives the number, and `{1}` is it from then on."""


def classes_of(type: GraphQLOutputType) -> frozenset[Any] | None:
    """Of which classes a value must be in order to stand in an answer as it is; None where that does not tell."""
    if isinstance(type, GraphQLNonNull):
        return classes_of(type.of_type)
    if isinstance(type, GraphQLScalarType):
        return _CLASSES.get(type) or LEFT_AS_THEY_ARE.get(type.coerce_output_value)
    return None
