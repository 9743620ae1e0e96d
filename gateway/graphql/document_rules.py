"""What GraphQL and the schema ask of a document, checked within a bounded time whatever the document."""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    specified_rules,
    validate,
)
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.errors import CostExceededError
from gateway.graphql.rule_methods import knowing_its_methods

__all__ = ["faults_of"]

_COMPARISONS = 20_000
"""The library's own bound, twenty-five times as many, takes a second. Thirty components that each ask the same object for what
they need come to some 18,000, and documents without fragments to next to none."""
_MAX_FAULTS = 10
"""Some print all of a value to say what is wrong with it, and what they say is for people to read."""
_MAX_FAULTS_WITH_SUGGESTIONS = 3
"""A suggestion compares a name with all others of the schema; whoever has more faults than this sees to some of them first."""
_TANGLED = (
    "The document repeats the same fields too often to be checked, itself or through fragments within fragments. "
    "Ask for each field once in one place."
)


class BoundedOverlaps(OverlappingFieldsCanBeMergedRule):
    """The one rule whose time grows with the square of the document, within a bound of ours."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _COMPARISONS


_STOCK_RULES = (
    *(BoundedOverlaps if rule is OverlappingFieldsCanBeMergedRule else rule for rule in specified_rules),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
_RULES = tuple(map(knowing_its_methods, _STOCK_RULES))


def faults_of(document: DocumentNode, schema: GraphQLSchema, *, may_suggest: bool) -> list[GraphQLError]:
    """What is wrong with a document, at most ten things; with suggestions where those are few and may be made."""
    faults = validate(schema, document, _RULES, max_errors=_MAX_FAULTS, hide_suggestions=True)
    was_aborted = any(isinstance(fault, ValidationAbortedError) for fault in faults)
    if may_suggest and not was_aborted and 0 < len(faults) <= _MAX_FAULTS_WITH_SUGGESTIONS:
        faults = validate(schema, document, _RULES, max_errors=_MAX_FAULTS)
    return [_told(fault) for fault in faults]


def _told(fault: GraphQLError) -> GraphQLError:
    # Only its text tells it from the end that too many errors make.
    if isinstance(fault, ValidationAbortedError) and fault.message == "Validation aborted.":
        return GraphQLError(_TANGLED, original_error=CostExceededError(_TANGLED))
    return fault
