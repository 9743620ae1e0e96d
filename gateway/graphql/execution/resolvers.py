"""Which fields a compiled function may answer: those that only compute, however often and wherever in the answer."""

from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isfunction
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLField
from msgspec import Struct, field
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField

from gateway.graphql.execution.arguments import Arguments, arguments_of
from gateway.graphql.fields import COMPUTES, LOADS, Loads

__all__ = ["Computed", "ContextOnly", "computed", "definition_of", "loads_of", "plain_arguments"]


class ContextOnly(Struct, frozen=True):
    """What a resolver gets for `info` from a compiled function. It asks in vain for anything else, and the stock executor takes over."""

    context: Any
    readings: list[Future[Any]] = field(default_factory=list)
    """What a function had to do without because it is still being read: what the function has given is then of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A resolver that only computes."""

    resolver: Callable[..., Any]
    info_name: str | None


def definition_of(field: GraphQLField) -> StrawberryField | None:
    """How the field was declared; None for those that GraphQL itself has."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return definition if isinstance(definition, StrawberryField) else None


def computed(definition: StrawberryField) -> Computed | None:
    """The resolver of a field that only computes: one that is marked so, or that knows nothing but its source."""
    resolver = definition.base_resolver
    if resolver is None or definition.extensions or definition.is_subscription or resolver.is_async:
        return None
    info = resolver.info_parameter
    is_marked = bool(definition.metadata.get(COMPUTES))
    if not (is_marked or info is None) or not isfunction(resolver.wrapped_func):
        return None
    if resolver.self_parameter is None or resolver.root_parameter is not None or resolver.parent_parameter is not None:
        return None
    return Computed(resolver=resolver.wrapped_func, info_name=info.name if info is not None else None)


def loads_of(definition: StrawberryField) -> Loads | None:
    """What a loader finds for a field; None for those that are not answered so."""
    loads = definition.metadata.get(LOADS)
    return loads if isinstance(loads, Loads) and not definition.extensions and not definition.arguments else None


def plain_arguments(field: GraphQLField, definition: StrawberryField, node: FieldNode) -> Arguments | None:
    """The arguments of a place; None where they are more than plain values of GraphQL's own scalars."""
    if not all(map(_is_plain, definition.arguments)):
        return None
    # The schema's arguments are made of the declared ones, in their order.
    taken = {name: (argument.python_name, None) for name, argument in zip(field.args, definition.arguments, strict=True)}
    return arguments_of(field, node, taken)


def _is_plain(argument: StrawberryArgument) -> bool:
    """Whether a resolver gets the values of an argument as GraphQL has them."""
    kind: Any = argument.type
    # Not an instance of a subclass: `Maybe` is one, and wraps what it has.
    return (kind.of_type if type(kind) is StrawberryOptional else kind) in (str, int, float, bool, strawberry.ID)
