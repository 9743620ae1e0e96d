"""The variables that the answers to a subscription's events depend on."""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    visit,
)

__all__ = ["answer_variables"]


def answer_variables(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """The variables below the subscribed field, and those of directives.

    The field's own arguments are not among them: they say which events come, and each event is answered alike.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    reads = _Reads()
    for node in (*(operation.directives or ()), *_below_the_subscribed_field(operation.selection_set, fragments)):
        visit(node, reads)

    seen: set[str] = set()
    while reads.fragments:
        name = reads.fragments.pop()
        if name not in seen:
            seen.add(name)
            visit(fragments[name].selection_set, reads)
    return frozenset(reads.variables)


class _Reads(Visitor):
    """The variables and the fragments that some nodes mention."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.fragments: list[str] = []

    def enter_variable(self, node: Any, *_: Any) -> None:
        """Notes the variable."""
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        """Notes the fragment, which is looked at later: a chain of them may be longer than the stack."""
        self.fragments.append(node.name.value)


def _below_the_subscribed_field(selection_set: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> list[Node]:
    """All nodes but the field's own arguments."""
    below: list[Node] = []
    roots, seen = [selection_set], set[str]()
    while roots:
        for selection in roots.pop().selections:
            below += selection.directives or ()
            if isinstance(selection, FieldNode):
                below += [selection.selection_set] if selection.selection_set is not None else []
            elif isinstance(selection, InlineFragmentNode):
                roots.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                roots.append(fragments[selection.name.value].selection_set)
    return below
