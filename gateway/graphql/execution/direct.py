"""Fields that call their resolvers themselves, without the wrappers that the library lays around each."""

from collections.abc import Callable
from inspect import isfunction
from typing import Any

from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType
from strawberry import Info, Schema
from strawberry.types.field import StrawberryField

from gateway.graphql.execution.conversions import conversion
from gateway.graphql.execution.resolvers import definition_of

__all__ = ["call_directly"]


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


def _direct(field: GraphQLField, definition: StrawberryField, schema: Schema) -> Callable[..., Any]:
    resolver: Any = definition.base_resolver
    call = resolver.wrapped_func
    # The schema's arguments are made of the declared ones, in their order.
    arguments = dict(zip(field.args, definition.arguments, strict=True))
    taken = {name: (argument.python_name, conversion(argument.type, schema, name)) for name, argument in arguments.items()}
    info_name = resolver.info_parameter.name if resolver.info_parameter is not None else None

    def resolve(source: Any, info: Any, **given: Any) -> Any:
        arguments = {}
        for name, value in given.items():
            python_name, convert = taken[name]
            arguments[python_name] = value if convert is None else convert(value)
        if info_name is not None:
            arguments[info_name] = Info(_raw_info=info, _field=definition)
        return call(source, **arguments)

    return resolve
