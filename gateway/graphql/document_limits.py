"""How much a document may ask for."""

from graphql import DocumentNode, GraphQLError, Node

from gateway.config import LimitSettings
from gateway.errors import (
    AliasesExceededError,
    DepthExceededError,
    DirectivesExceededError,
    GatewayError,
    IntrospectionDisabledError,
    LimitError,
    RootFieldsExceededError,
)
from gateway.graphql.document_sizes import OperationSize, sizes_of

__all__ = ["refusals_of"]


def refusals_of(document: DocumentNode, limits: LimitSettings) -> list[GraphQLError]:
    """What is too much of a document that was parsed; of its operations the first one that is too large tells it.

    It is looked at before the document is validated, which takes much longer.
    """
    sizes = sizes_of(document)
    refusals = next(filter(None, (_too_much(size, limits) for size in sizes.operations)), [])
    if sizes.directives > limits.max_directives:
        message = f"The document has more than {limits.max_directives} directives. Send it in parts."
        refusals.append(_refusal(DirectivesExceededError(message), document.definitions[0]))
    if sizes.introspection is not None and not limits.introspection:
        message = f"`{sizes.introspection.name.value}` is not answered: this gateway does not tell its schema. Ask its operator for it."
        refusals.append(_refusal(IntrospectionDisabledError(message), sizes.introspection))
    return refusals


def _too_much(size: OperationSize, limits: LimitSettings) -> list[GraphQLError]:
    # None says how many there are: fragments within fragments make numbers of thousands of digits.
    found: list[LimitError] = []
    if size.depth > limits.max_depth:
        message = f"The operation nests fields more than {limits.max_depth} deep. Ask for what lies deeper in another request."
        found.append(DepthExceededError(message))
    if size.aliases > limits.max_aliases:
        message = f"The operation has more than {limits.max_aliases} aliases; those of a fragment count each time that it is spread."
        found.append(AliasesExceededError(f"{message} Send it in parts."))
    if size.root_fields > limits.max_root_fields:
        message = f"The operation asks for more than {limits.max_root_fields} fields at its root. Send it in parts."
        found.append(RootFieldsExceededError(message))
    return [_refusal(each, size.node) for each in found]


def _refusal(refusal: GatewayError, node: Node) -> GraphQLError:
    return GraphQLError(refusal.message, node, original_error=refusal)
