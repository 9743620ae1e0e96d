"""The variables of an operation: what their definitions say is worked out once, and values that fit are read by that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import ConstValueNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, Undefined, VariableValues, is_leaf_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource, get_variable_values, input_is_nested_too_deeply
from graphql.type import is_non_null_type
from graphql.utilities.coerce_input_value import coerce_input_literal, coerce_input_value

__all__ = ["Variables"]

_MOST_ERRORS = 50
"""That are told of one request."""


class _UnfitError(Exception):
    """The library has to say what is wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class _Variable:
    signature: GraphQLVariableSignature
    is_required: bool
    coerce: Callable[[Any], Any] | None
    """For leaf types: their own rule for what is not null."""
    default: ConstValueNode | None
    left_out: VariableValueSource

    def read(self, value: Any) -> Any:
        """The value that was given, as resolvers get it, where `coerce` does not say."""
        if value is None and self.is_required:
            raise _UnfitError
        if value is None and self.coerce is not None:
            return None
        if input_is_nested_too_deeply(value, self.signature.type):
            raise _UnfitError
        return coerce_input_value(value, self.signature.type)


class Variables:
    """The variables that an operation defines."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, *, hides_suggestions: bool) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._hides_suggestions = hides_suggestions
        signatures = [get_variable_signature(schema, definition) for definition in self._definitions]
        self._planned = tuple(_planned(each) for each in signatures if not isinstance(each, GraphQLError))
        self._all_are_planned = len(self._planned) == len(signatures)

    def values(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values of one request; errors where they do not fit."""
        if not self._all_are_planned:
            return self._stock(given)
        try:
            return self._read(given)
        except Exception:
            # The library tells what is wrong: it reads them again.
            return self._stock(given)

    def _stock(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """What the library makes of them."""
        return get_variable_values(
            self._schema, self._definitions, given, max_errors=_MOST_ERRORS, hide_suggestions=self._hides_suggestions
        )

    def _read(self, given: dict[str, Any]) -> VariableValues:
        """The values where all of them fit. Raises where one does not."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for each in self._planned:
            name = each.signature.name
            value = given.get(name, Undefined)
            if value is not Undefined:
                sources[name] = VariableValueSource(each.signature, value)
                read = each.read(value) if value is None or each.coerce is None else each.coerce(value)
            elif each.default is not None:
                sources[name] = each.left_out
                # Made anew each time: a resolver that changes a list or an object changes it for its own request only.
                read = coerce_input_literal(each.default, each.signature.type)
            elif each.is_required:
                raise _UnfitError
            else:
                sources[name] = each.left_out
                continue
            if read is Undefined:
                raise _UnfitError
            coerced[name] = read
        return VariableValues(sources, coerced)


def _planned(signature: GraphQLVariableSignature) -> _Variable:
    is_required = is_non_null_type(signature.type)
    named: Any = signature.type.of_type if is_non_null_type(signature.type) else signature.type
    coerce = named.coerce_input_value if is_leaf_type(named) else None
    default = signature.default.literal if signature.default is not None else None
    return _Variable(signature, is_required, coerce, default, VariableValueSource(signature))
