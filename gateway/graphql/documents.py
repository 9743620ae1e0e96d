"""Documents that clients send: each is read and checked once, however many send it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)
from strawberry import Schema

from gateway.config import LimitSettings
from gateway.connectors.bounded import Bounded
from gateway.errors import InvalidError
from gateway.graphql.answer_variables import answer_variables
from gateway.graphql.document_limits import refusals_of
from gateway.graphql.document_reading import read_document
from gateway.graphql.document_rules import faults_of
from gateway.graphql.masking import readable
from gateway.graphql.resuming import resumed_after

__all__ = ["Document", "Documents", "Operation"]

_KEPT_BYTES = 32 * 1024 * 1024
_SHARE_OF_REFUSED = 8
"""An eighth as much more is for documents that are refused: whoever sends nonsense does not push out what others use."""
_BYTES_OF_A_CHARACTER = 150
"""Of memory that a parsed document takes, for each of its characters."""
_LEAST_BYTES = 16 * 1024
"""What a document counts for at least, which bounds their number, too."""
_MAX_NAME_CHARACTERS = 100
_NOTHING = DocumentNode(definitions=())


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A document as it was read. Where it has `errors` it cannot be executed, and nothing else of it is kept.

    The errors are as clients may see them, each with a code; they belong to all who send the document, so nobody raises them.
    """

    query: str = field(repr=False)
    node: DocumentNode = field(default=_NOTHING, repr=False)
    errors: tuple[GraphQLError, ...] = ()
    notes: dict[object, Any] = field(default_factory=dict, repr=False)
    """What others have worked out of the document once for all who send it; it goes when the document goes."""
    grown: Callable[[int], None] = field(default=lambda more: None, repr=False)
    """Is to be told when that takes bytes of memory beside those of the text, and how many more."""

    def operation(self, name: str | None) -> "Operation":
        """The operation of that name; without a name the only one there is. Raises InvalidError."""
        if name is None:
            if len(self._operations) != 1:
                raise InvalidError(f"The document has {len(self._operations)} operations. Say in `operationName` which one to execute.")
            return self._operations[0]
        found = next((each for each in self._operations if each.name == name), None)
        if found is None:
            raise InvalidError(f"The document has no operation named {name[:_MAX_NAME_CHARACTERS]!r}.")
        return found

    @cached_property
    def _operations(self) -> tuple["Operation", ...]:
        nodes = (each for each in self.node.definitions if isinstance(each, OperationDefinitionNode))
        return tuple(Operation(node=node, document=self) for node in nodes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One operation of a valid document; the same object for all who ask with it while the document is kept."""

    node: OperationDefinitionNode = field(repr=False)
    document: Document = field(repr=False)
    notes: dict[object, Any] = field(default_factory=dict, repr=False)
    """As a document's, of this operation only."""

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""
        return self.node.name.value if self.node.name is not None else None

    @property
    def kind(self) -> OperationType:
        """Whether it is a query, a mutation or a subscription."""
        return self.node.operation

    @cached_property
    def answer_variables(self) -> frozenset[str]:
        """Of a subscription: the variables that its answers depend on."""
        return answer_variables(self.document.node, self.node)

    def resumed_after(self, cursor: str, schema: GraphQLSchema) -> DocumentNode:
        """Of a subscription: its document with the subscribed field resumed after a cursor; as it is where the field does not resume."""
        return resumed_after(self.document.node, self.node, cursor=cursor, schema=schema)


class Documents:
    """The documents that a schema is asked with; the last used are kept, also those that it refuses."""

    def __init__(self, schema: Schema, *, limits: LimitSettings, kept_bytes: int = _KEPT_BYTES) -> None:
        self.limits = limits
        self._schema = schema._schema
        self._kept: Bounded[Document] = Bounded(maximum_weight=kept_bytes)
        self._refused: Bounded[Document] = Bounded(maximum_weight=kept_bytes // _SHARE_OF_REFUSED)

    def get(self, query: str) -> Document:
        """The document of that text, perhaps one with errors."""
        found = self._kept.get(query) or self._refused.get(query)
        return found if found is not None else self._keep(self._read(query))

    def _keep(self, document: Document) -> Document:
        if document.errors:
            weight = len(document.query) * 4 + len(document.errors) * 1_000
            self._refused.put(document.query, document, weight=max(weight, _LEAST_BYTES // 4))
        else:
            self._kept.put(document.query, document, weight=max(len(document.query) * _BYTES_OF_A_CHARACTER, _LEAST_BYTES))
        return document

    def _read(self, query: str) -> Document:
        try:
            node = read_document(query, max_tokens=self.limits.max_document_tokens)
        except GraphQLError as error:
            return Document(query=query, errors=(readable(error),))
        errors = refusals_of(node, self.limits) or faults_of(node, self._schema, may_suggest=self.limits.introspection)
        if errors:
            return Document(query=query, errors=tuple(map(readable, errors)))
        notes: dict[object, Any] = {}
        return Document(query=query, node=node, notes=notes, grown=partial(self._grow, query, notes))

    def _grow(self, query: str, notes: dict[object, Any], more: int) -> None:
        kept = self._kept.get(query)
        # One that was pushed out may still be executed: another document of the same text does not count for it.
        if kept is not None and kept.notes is notes:
            self._kept.grow(query, by=more)
