"""What resolvers get for arguments: what Strawberry makes of them, worked out once for a type instead of once for a value."""

from collections.abc import Callable
from dataclasses import MISSING
from functools import cached_property
from typing import Any

from strawberry import UNSET, Schema
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition

__all__ = ["conversion"]

_Convert = Callable[[Any], Any]


def conversion(kind: Any, schema: Schema, *path: str) -> _Convert | None:
    """Makes of the value at a path of the arguments what resolvers get for it; none where that is the value as GraphQL has it."""
    # Not an instance of a subclass: `Maybe` is one, and wraps what it has.
    if type(kind) is StrawberryOptional:
        return conversion(kind.of_type, schema, *path)
    registry = schema.schema_converter.scalar_registry
    if kind is not GlobalID and (is_scalar(kind, registry) or isinstance(kind, StrawberryEnumDefinition)):
        return None
    definition = kind.__strawberry_definition__ if has_object_definition(kind) else None
    if definition is not None and definition.is_input and definition.from_input is None:
        return _InputObject(kind, definition, schema, path)
    return lambda value: convert_argument(value, kind, registry, schema.config, path=path)


class _InputObject:
    """Makes objects of an input type. Its fields are looked at when there is one: types may have fields of their own kind."""

    def __init__(self, kind: type, definition: StrawberryObjectDefinition, schema: Schema, path: tuple[str, ...]) -> None:
        self._kind = kind
        self._definition = definition
        self._schema = schema
        self._path = path

    def __call__(self, value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        parts = dict(self._left_out)
        for name, python_name, convert in self._fields:
            if name in value:
                parts[python_name] = value[name] if convert is None else convert(value[name])
        return self._kind(**parts)

    @cached_property
    def _fields(self) -> tuple[tuple[str, str, _Convert | None], ...]:
        """The names of the fields, for clients and for resolvers, and how their values are converted."""
        named = [(self._schema.config.name_converter.from_field(field), field) for field in self._definition.fields]
        return tuple(
            (name, field.python_name, conversion(field.resolve_type(type_definition=self._definition), self._schema, *self._path, name))
            for name, field in named
        )

    @cached_property
    def _left_out(self) -> dict[str, None]:
        """The fields that have to be null where they are left out."""
        fields = self._definition.fields
        return {field.python_name: None for field in fields if field.default_value is MISSING and field.default_factory is MISSING}
