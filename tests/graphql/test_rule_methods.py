"""A rule that knows its methods is the library's rule."""

import inspect

import pytest
from graphql import ASTValidationRule, Node, ValidationContext, parse, specified_rules, validate
from graphql.language import ast
from graphql.utilities import TypeInfo
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.graphql.rule_methods import knowing_its_methods
from tests.support.printed_schema import PRINTED

RULES = [*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule]
KINDS = sorted({each.kind for _, each in inspect.getmembers(ast, inspect.isclass) if issubclass(each, Node)})
FAULTY = """
query A($unused: String, $unused: Nothing = 1) @include { nothing viewer { isAdmin isAdmin: customer { id } ...F ...F ...G } }
query A { connection(by: {id: 1, id: 2, key: $what}, by: 2) { id { x } } node(id: {}) }
fragment F on Viewer { customer } fragment H on Nothing { ...H } subscription { a b }
"""


def context() -> ValidationContext:
    return ValidationContext(PRINTED, parse("{ a }"), TypeInfo(PRINTED), lambda error: None)


def methods(rule: ASTValidationRule) -> list[tuple[str, object, object]]:
    """What a rule does at each kind of node: the kind, the function, and whose method it is."""
    found = [(kind, method) for kind in KINDS for method in rule.get_enter_leave_for_kind(kind)]
    return [(kind, getattr(method, "__func__", method), getattr(method, "__self__", None)) for kind, method in found]


@pytest.mark.parametrize("rule", RULES)
def test_it_does_what_the_librarys_rule_does_and_for_itself(rule: type[ASTValidationRule]):
    stock = rule(context())
    # The second one finds what the first one has looked for.
    _, knowing = (each(context()) for each in [knowing_its_methods(rule)] * 2)

    assert len(KINDS) > 40
    assert methods(knowing) == [(kind, function, knowing if owner is stock else owner) for kind, function, owner in methods(stock)]


def test_what_is_wrong_is_told_alike():
    document = parse(FAULTY)

    expected = validate(PRINTED, document, RULES)
    found = validate(PRINTED, document, list(map(knowing_its_methods, RULES)))

    assert [error.formatted for error in found] == [error.formatted for error in expected]
    assert len(expected) > 20
