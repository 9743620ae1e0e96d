"""What the fields of a document pass to their resolvers: what does not change is worked out once, variables are put in each time."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    GraphQLArgument,
    GraphQLField,
    IntValueNode,
    NullValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
    get_argument_values,
    is_required_argument,
)
from graphql.type import is_non_null_type
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

__all__ = ["Arguments", "Taken", "arguments_of"]

Taken = Mapping[str, tuple[str, Callable[[Any], Any] | None]]
"""For each argument: what the resolver calls it, and what is made of its value, if anything."""

_LITERALS = (BooleanValueNode, EnumValueNode, FloatValueNode, IntValueNode, NullValueNode, StringValueNode)
"""What no variable stands in."""


class _UnplannedError(Exception):
    """The library has to say what is passed."""


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    passed_as: str
    convert: Callable[[Any], Any] | None
    is_required: bool
    """Whether it is the library's to say what is wrong when it is left out or null."""
    may_be_null: bool


@dataclass(frozen=True, slots=True, eq=False)
class Arguments:
    """What one place in a document passes to a resolver."""

    field: GraphQLField
    node: FieldNode
    taken: Taken
    hides_suggestions: bool
    constants: dict[str, Any] | None
    """None where the library has to say each time."""
    variables: tuple[_Variable, ...] = ()

    def passed(self, values: VariableValues) -> dict[str, Any]:
        """The arguments of one execution, by the resolver's names. Raises GraphQLError where a variable does not fit."""
        if self.constants is None:
            return self._stock(values)
        passed = self.constants.copy()
        for each in self.variables:
            value = values.coerced.get(each.name, Undefined)
            if value is Undefined:
                if each.is_required:
                    return self._stock(values)
                continue
            if value is None and not each.may_be_null:
                return self._stock(values)
            passed[each.passed_as] = value if each.convert is None else each.convert(value)
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
    constants: dict[str, Any] = {}
    variables = []
    # What is wrong or unusual is the library's to say, when the field is asked for.
    with suppress(Exception):
        for name, definition in field.args.items():
            passed_as, convert = taken[name]
            value = given.get(name)
            if isinstance(value, VariableNode):
                required, nullable = is_required_argument(definition), not is_non_null_type(definition.type)
                variables.append(_Variable(value.name.value, passed_as, convert, required, nullable))
            constant = _constant(definition, value)
            if constant is not Undefined:
                constants[passed_as] = _unchanging(constant if convert is None else convert(constant))
        # What does not fit is told before anything is converted, and of several conversions the first that fails.
        variables.sort(key=lambda each: each.convert is not None)
        if sum(each.convert is not None for each in variables) <= 1:
            return Arguments(field, node, taken, hides_suggestions, constants, tuple(variables))
    return Arguments(field, node, taken, hides_suggestions, None)


def _constant(definition: GraphQLArgument, value: ValueNode | None) -> Any:
    """What is passed where no variable says otherwise; `Undefined` where that is nothing."""
    if isinstance(value, _LITERALS):
        coerced = coerce_input_literal(value, definition.type)
        if coerced is Undefined:
            raise _UnplannedError
        return coerced
    if value is not None and not isinstance(value, VariableNode):
        raise _UnplannedError
    if is_required_argument(definition):
        if value is None:
            raise _UnplannedError
        return Undefined
    return coerce_default_value(cast(Any, definition))


def _unchanging(value: Any) -> Any:
    """The value, which no resolver can change for others."""
    if value is None or isinstance(value, str | int | float | Enum):
        return value
    raise _UnplannedError
