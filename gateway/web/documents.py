"""Subscription documents: parsed and validated once, however many ask with them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    ArgumentNode,
    DefinitionNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    parse,
    specified_rules,
    visit,
)
from strawberry.schema.schema import validate_document

from gateway.connectors.bounded import Bounded
from gateway.graphql.document import MAXIMUM_TOKENS

__all__ = ["Documents", "SubscriptionDocument"]

AnyNode = TypeVar("AnyNode", bound=Node)

_KEPT_BYTES = 32 * 1024 * 1024
_BYTES_OF_A_CHARACTER = 150
"""Of memory that a parsed document takes, for each of its characters."""
_KEYWORD = "subscription"
_RESUMES_BY = "after"


@dataclass(frozen=True, kw_only=True)
class SubscriptionDocument:
    """A valid document and the subscription in it.

    `answer_variables` are those that the answers depend on. The arguments of the subscribed field are not among them: they
    say which events come, and each event is answered alike.
    """

    query: str
    operation_name: str | None
    document: DocumentNode
    operation: OperationDefinitionNode
    answer_variables: frozenset[str]

    def resumed_after(self, cursor: str, schema: GraphQLSchema) -> DocumentNode:
        """The document with the subscribed field resumed after a cursor; as it is where the field does not resume."""
        root = schema.subscription_type
        if root is None:
            return self.document
        fields = {name for name, field in root.fields.items() if _RESUMES_BY in field.args}
        return DocumentNode(definitions=tuple(self._resumed(each, cursor, fields, root.name) for each in self.document.definitions))

    def _resumed(self, definition: DefinitionNode, cursor: str, fields: Collection[str], root: str) -> DefinitionNode:
        is_fragment = isinstance(definition, FragmentDefinitionNode) and definition.type_condition.name.value == root
        if not isinstance(definition, ExecutableDefinitionNode) or not (is_fragment or definition is self.operation):
            return definition
        return _changed(definition, selection_set=_resumed(definition.selection_set, cursor=cursor, fields=fields))


class Documents:
    """The subscription documents of a schema; the last used are kept."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: Bounded[SubscriptionDocument] = Bounded(maximum_weight=_KEPT_BYTES)

    def subscription(self, query: str, operation_name: str | None) -> SubscriptionDocument | None:
        """The document with its subscription; None for every other operation, and for what cannot be executed."""
        if _KEYWORD not in query:
            return None
        key = (query, operation_name)
        found = self._kept.get(key)
        if found is None:
            found = self._read(query, operation_name)
            if found is not None:
                self._kept.put(key, found, weight=len(query) * _BYTES_OF_A_CHARACTER)
        return found

    def _read(self, query: str, operation_name: str | None) -> SubscriptionDocument | None:
        try:
            document = parse(query, max_tokens=MAXIMUM_TOKENS)
        except GraphQLError:
            return None
        operation = _operation(document, operation_name)
        if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
            return None
        if validate_document(self._schema, document, tuple(specified_rules)):
            return None
        return SubscriptionDocument(
            query=query,
            operation_name=operation.name.value if operation.name is not None else None,
            document=document,
            operation=operation,
            answer_variables=_answer_variables(document, operation),
        )


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation of that name, the first where none is named."""
    operations = (definition for definition in document.definitions if isinstance(definition, OperationDefinitionNode))
    return next((each for each in operations if name is None or (each.name is not None and each.name.value == name)), None)


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


def _answer_variables(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
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
