"""What the fields of a document pass to their resolvers: what does not change is worked out once, variables are put in each time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    IntValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
    get_argument_values,
    is_required_argument,
)
from graphql.type import get_nullable_type, is_input_object_type, is_non_null_type, is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

__all__ = ["Arguments", "Taken", "arguments_of"]

Taken = Mapping[str, tuple[str, Callable[[Any], Any] | None]]
"""For each argument: what the resolver calls it, and what is made of its value, if anything."""

_LITERALS = (BooleanValueNode, EnumValueNode, FloatValueNode, IntValueNode, NullValueNode, StringValueNode)
"""What no variable stands in."""

_Read = Callable[[dict[str, Any]], Any]
"""Makes a value of the variables' values; `Undefined` where it is left out."""


class _UnplannedError(Exception):
    """The library has to say what is passed."""


@dataclass(frozen=True, slots=True, eq=False)
class Arguments:
    """What one place in a document passes to a resolver."""

    field: GraphQLField
    node: FieldNode
    taken: Taken
    hides_suggestions: bool
    constants: dict[str, Any] | None
    """None where the library has to say each time."""
    changing: tuple[tuple[str, _Read, Callable[[Any], Any] | None], ...] = ()
    """By the resolver's names: how a value is made, and what is made of it."""

    def passed(self, values: VariableValues) -> dict[str, Any]:
        """The arguments of one execution, by the resolver's names. Raises GraphQLError where a variable does not fit."""
        if self.constants is None:
            return self._stock(values)
        passed = self.constants.copy()
        if not self.changing:
            return passed
        found = []
        try:
            for _, read, _ in self.changing:
                found.append(read(values.coerced))
        except _UnplannedError:
            return self._stock(values)
        # Only now: what does not fit is told before anything is converted.
        for (passed_as, _, convert), value in zip(self.changing, found, strict=True):
            if value is not Undefined:
                passed[passed_as] = value if convert is None else convert(value)
        return passed

    def _stock(self, values: VariableValues) -> dict[str, Any]:
        passed = {}
        given = get_argument_values(self.field, self.node, values, None, self.hides_suggestions)
        for name, value in given.items():
            passed_as, convert = self.taken[name]
            passed[passed_as] = value if convert is None else convert(value)
        return passed


def arguments_of(field: GraphQLField, node: FieldNode, taken: Taken, *, hides_suggestions: bool = False) -> Arguments:
    """What a place passes to the resolver of its field."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    # What is wrong or unusual is the library's to say, when the field is asked for.
    with suppress(Exception):
        constants, changing = {}, []
        for name, definition in field.args.items():
            passed_as, convert = taken[name]
            constant, read = _value(definition, given.get(name))
            if constant is not Undefined:
                constants[passed_as] = _unchanging(constant if convert is None else convert(constant))
            if read is not None:
                changing.append((passed_as, read, convert))
        return Arguments(field, node, taken, hides_suggestions, constants, tuple(changing))
    return Arguments(field, node, taken, hides_suggestions, None)


def _value(definition: GraphQLArgument | GraphQLInputField, node: ValueNode | None) -> tuple[Any, _Read | None]:
    """What a value is where no variable says otherwise, `Undefined` where that is nothing; and how it is made of variables, if it is."""
    if isinstance(node, _LITERALS):
        coerced = coerce_input_literal(node, definition.type)
        if coerced is Undefined:
            raise _UnplannedError
        return coerced, None
    if isinstance(node, ObjectValueNode) and is_input_object_type(named := get_nullable_type(definition.type)):
        return Undefined, _object(named, node)
    is_required = is_required_argument(definition) if isinstance(definition, GraphQLArgument) else is_required_input_field(definition)
    if not (node is None or isinstance(node, VariableNode)) or (node is None and is_required):
        raise _UnplannedError
    default = coerce_default_value(definition) if not is_required else Undefined
    if node is None:
        return default, None
    return default, _variable(node.name.value, is_required=is_required, may_be_null=not is_non_null_type(definition.type))


def _variable(name: str, *, is_required: bool, may_be_null: bool) -> _Read:
    def read(values: dict[str, Any]) -> Any:
        value = values.get(name, Undefined)
        if (value is Undefined and is_required) or (value is None and not may_be_null):
            raise _UnplannedError
        return value

    return read


def _object(type: GraphQLInputObjectType, node: ObjectValueNode) -> _Read:
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= type.fields.keys():
        raise _UnplannedError
    constants, changing = {}, []
    for name, definition in type.fields.items():
        constant, read = _value(definition, given.get(name))
        named = definition.out_name or name
        if constant is not Undefined:
            constants[named] = _unchanging(constant)
        if read is not None:
            changing.append((named, read))

    def made(values: dict[str, Any]) -> Any:
        found = constants.copy()
        for name, read in changing:
            value = read(values)
            if value is not Undefined:
                found[name] = value
        if type.is_one_of and (len(given) != 1 or len(found) != 1 or None in found.values()):
            raise _UnplannedError
        return type.out_type(found)

    return made


def _unchanging(value: Any) -> Any:
    """The value, which no resolver can change for others."""
    if value is None or isinstance(value, str | int | float | Enum):
        return value
    raise _UnplannedError
