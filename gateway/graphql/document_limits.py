"""How much a document may ask for."""

from dataclasses import dataclass
from typing import Self

from graphql import DocumentNode, GraphQLError, Node

from gateway.config import LimitSettings
from gateway.errors import (
    AccessDeniedError,
    AliasesExceededError,
    DepthExceededError,
    DirectivesExceededError,
    GatewayError,
    LimitError,
    RootFieldsExceededError,
)
from gateway.graphql.document_sizes import OperationSize, sizes_of

__all__ = ["DocumentLimits"]


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """The bounds of one document; what each counts is told in docs/configuration.md."""

    max_tokens: int
    max_depth: int
    max_aliases: int
    max_root_fields: int
    max_directives: int
    introspection: bool

    @classmethod
    def of(cls, settings: LimitSettings) -> Self:
        """The limits that an operator has set."""
        return cls(
            max_tokens=settings.max_document_tokens,
            max_depth=settings.max_depth,
            max_aliases=settings.max_aliases,
            max_root_fields=settings.max_root_fields,
            max_directives=settings.max_directives,
            introspection=settings.introspection,
        )

    def refusals(self, document: DocumentNode) -> list[GraphQLError]:
        """What is too much of a document that was parsed; of its operations the first one that is too large tells it.

        It is looked at before the document is validated, which takes much longer.
        """
        sizes = sizes_of(document)
        refusals = next(filter(None, map(self._refusals, sizes.operations)), [])
        if sizes.directives > self.max_directives:
            message = f"The document has more than {self.max_directives} directives. Send it in parts."
            refusals.append(_refusal(DirectivesExceededError(message), document.definitions[0]))
        if sizes.introspection is not None and not self.introspection:
            message = f"`{sizes.introspection.name.value}` is not answered: this gateway does not tell its schema. Ask its operator for it."
            refusals.append(_refusal(AccessDeniedError(message), sizes.introspection))
        return refusals

    def _refusals(self, size: OperationSize) -> list[GraphQLError]:
        # None says how many there are: fragments within fragments make numbers of thousands of digits.
        found: list[LimitError] = []
        if size.depth > self.max_depth:
            message = f"The operation nests fields more than {self.max_depth} deep. Ask for what lies deeper in another request."
            found.append(DepthExceededError(message))
        if size.aliases > self.max_aliases:
            message = f"The operation has more than {self.max_aliases} aliases; those of a fragment count each time that it is spread."
            found.append(AliasesExceededError(f"{message} Send it in parts."))
        if size.root_fields > self.max_root_fields:
            message = f"The operation asks for more than {self.max_root_fields} fields at its root. Send it in parts."
            found.append(RootFieldsExceededError(message))
        return [_refusal(each, size.node) for each in found]


def _refusal(refusal: GatewayError, node: Node) -> GraphQLError:
    return GraphQLError(refusal.message, node, original_error=refusal)
