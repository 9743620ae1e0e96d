"""Fields that call their resolvers themselves, without the wrappers that the library lays around each."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isfunction
from typing import Any

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType
from strawberry import Info, Schema
from strawberry.types.field import StrawberryField

from gateway.graphql.execution.arguments import Taken
from gateway.graphql.execution.conversions import conversion
from gateway.graphql.execution.resolvers import definition_of

__all__ = ["Direct", "call_directly"]


@dataclass(frozen=True, slots=True, eq=False)
class Direct:
    """A resolver as the library calls it."""

    call: Callable[..., Any]
    """The resolver itself."""
    taken: Taken
    info_name: str | None
    definition: StrawberryField

    def __call__(self, source: Any, info: Any, **given: Any) -> Any:
        """What the resolver gives for a source."""
        arguments = {}
        for name, value in given.items():
            python_name, convert = self.taken[name]
            arguments[python_name] = value if convert is None else convert(value)
        if self.info_name is not None:
            arguments[self.info_name] = Info(_raw_info=info, _field=self.definition)
        return self.call(source, **arguments)


def call_directly(schema: Schema) -> None:
    """Has the fields of a schema call their resolvers; those that extensions or subscriptions need the wrappers for keep them.

    What a resolver is passed is the same: the source, an `Info`, and the arguments as Strawberry converts them.
    """
    for named in schema._schema.type_map.values():
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            for field in named.fields.values():
                definition = definition_of(field)
                if definition is not None and _is_simple(definition):
                    field.resolve = _direct(field, definition, schema)


def _is_simple(definition: StrawberryField) -> bool:
    resolver = definition.base_resolver
    if resolver is None or definition.extensions or definition.is_subscription or not isfunction(resolver.wrapped_func):
        return False
    return resolver.self_parameter is not None and resolver.root_parameter is None and resolver.parent_parameter is None


def _direct(field: GraphQLField, definition: StrawberryField, schema: Schema) -> Direct:
    resolver: Any = definition.base_resolver
    # The schema's arguments are made of the declared ones, in their order.
    arguments = dict(zip(field.args, definition.arguments, strict=True))
    taken = {name: (argument.python_name, conversion(argument.type, schema, name)) for name, argument in arguments.items()}
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None
    return Direct(resolver.wrapped_func, taken, info_name, definition)
