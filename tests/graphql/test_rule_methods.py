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


class Unusual(ASTValidationRule):
    """Has a method for all kinds of nodes beside one for a single kind, and one that is switched off."""

    def enter(self, *_: object) -> None: ...

    def enter_field(self, *_: object) -> None: ...

    leave_name = None

    def leave(self, *_: object) -> None: ...


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


@pytest.mark.parametrize("rule", [*RULES, Unusual])
def test_it_does_what_the_librarys_rule_does_and_for_itself(rule: type[ASTValidationRule]):
    stock = rule(context())
    known = knowing_its_methods(rule)
    # The second one finds what the first one has looked for.
    methods(known(context()))
    knowing = known(context())

    assert len(KINDS) > 40
    assert methods(knowing) == [(kind, function, knowing if owner is stock else owner) for kind, function, owner in methods(stock)]


def test_the_second_one_looks_for_no_method():
    looked_for: list[str] = []

    class Watched(type):
        def __getattribute__(cls, name: str) -> object:
            looked_for.append(name)
            return super().__getattribute__(name)

    class Rule(ASTValidationRule, metaclass=Watched):
        def enter_field(self, *_: object) -> None: ...

    knowing = knowing_its_methods(Rule)
    methods(knowing(context()))
    assert {"enter_field", "leave_field"} <= set(looked_for)
    looked_for.clear()

    methods(knowing(context()))

    assert looked_for == []


def test_what_is_wrong_is_told_alike_and_of_each_document_anew():
    knowing = list(map(knowing_its_methods, RULES))
    for document in (parse(FAULTY), parse(FAULTY.replace("isAdmin", "isNothing"))):
        expected = validate(PRINTED, document, RULES)
        found = validate(PRINTED, document, knowing)

        assert [error.formatted for error in found] == [error.formatted for error in expected]
        assert len(expected) > 20


def test_it_is_called_what_the_rule_is_called():
    assert knowing_its_methods(Unusual).__name__ == "Unusual"
