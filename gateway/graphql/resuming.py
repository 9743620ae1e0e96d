"""Subscriptions that go on where an earlier connection ended: the document says so in the subscribed field's argument."""

from collections.abc import Collection
from typing import TypeVar

from graphql import (
    ArgumentNode,
    DefinitionNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
)

__all__ = ["resumed_after"]

AnyNode = TypeVar("AnyNode", bound=Node)

_RESUMES_BY = "after"


def resumed_after(document: DocumentNode, operation: OperationDefinitionNode, *, cursor: str, schema: GraphQLSchema) -> DocumentNode:
    """The document with the subscribed field resumed after a cursor; as it is where the field does not resume."""
    root = schema.subscription_type
    if root is None:
        return document
    fields = {name for name, field in root.fields.items() if _RESUMES_BY in field.args}

    def changed(definition: DefinitionNode) -> DefinitionNode:
        is_fragment = isinstance(definition, FragmentDefinitionNode) and definition.type_condition.name.value == root.name
        if not isinstance(definition, ExecutableDefinitionNode) or not (is_fragment or definition is operation):
            return definition
        return _changed(definition, selection_set=_resumed(definition.selection_set, cursor=cursor, fields=fields))

    return DocumentNode(definitions=tuple(map(changed, document.definitions)))


def _resumed(selection_set: SelectionSetNode, *, cursor: str, fields: Collection[str]) -> SelectionSetNode:
    """The selections with those of these fields resumed after a cursor, also within fragments that stand in their place."""
    selections: list[SelectionNode] = []
    for node in selection_set.selections:
        if isinstance(node, FieldNode) and node.name.value in fields:
            selections.append(_with_argument(node, _RESUMES_BY, cursor))
        elif isinstance(node, InlineFragmentNode):
            selections.append(_changed(node, selection_set=_resumed(node.selection_set, cursor=cursor, fields=fields)))
        else:
            selections.append(node)
    return SelectionSetNode(selections=tuple(selections))


def _with_argument(field: FieldNode, name: str, value: str) -> FieldNode:
    others = [each for each in field.arguments or () if each.name.value != name]
    return _changed(field, arguments=(*others, ArgumentNode(name=NameNode(value=name), value=StringValueNode(value=value))))


def _changed(node: AnyNode, **changes: object) -> AnyNode:
    """A node like another, but for some members; nodes themselves never change."""
    return type(node)(**{**{key: getattr(node, key) for key in node.keys}, **changes})
