"""Rules for documents that know by their class what they look at.

The library asks each new rule, more than thirty for each document, for its methods for each kind of node by up to four names. In a
short document that took about half of the time.
"""

from functools import cache

from graphql import ASTValidationRule
from graphql.language.visitor import EnterLeaveVisitor

__all__ = ["knowing_its_methods"]

_NOTHING = EnterLeaveVisitor(None, None)


def knowing_its_methods(rule: type[ASTValidationRule]) -> type[ASTValidationRule]:
    """The same rule, which looks for the names of its methods once for each kind of node, and not once for each document.

    It looks for them in the rule's class: what an object of it, or a class below it, would add is not seen.
    """

    @cache
    def names_for(kind: str) -> tuple[str | None, str | None]:
        return _name(rule, "enter", kind), _name(rule, "leave", kind)

    class Knowing(rule):  # type: ignore[misc, valid-type]
        def get_enter_leave_for_kind(self, kind: str) -> EnterLeaveVisitor:
            """What it does at a node of the kind, before and after what is in it."""
            enter, leave = names_for(kind)
            if enter is None and leave is None:
                return _NOTHING
            return EnterLeaveVisitor(getattr(self, enter) if enter else None, getattr(self, leave) if leave else None)

    Knowing.__name__ = Knowing.__qualname__ = rule.__name__
    return Knowing


def _name(rule: type[ASTValidationRule], when: str, kind: str) -> str | None:
    """What the library would call: the method for the kind, or else the one for all kinds."""
    return next((name for name in (f"{when}_{kind}", when) if getattr(rule, name, None)), None)
