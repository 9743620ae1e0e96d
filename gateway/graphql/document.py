"""How long a document may be: what is longer is refused while it is read, before anything is validated."""

from collections.abc import Iterator

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension

from gateway.errors import TokensExceededError

MAXIMUM_TOKENS = 2_000
"""A document at this bound is validated in hundredths of a second, a fifty times longer one in many seconds; tools need some 200."""

_REFUSAL = f"Syntax Error: Document contains more than {MAXIMUM_TOKENS} tokens."


class BoundedDocument(SchemaExtension):
    """Refuses documents with more tokens than the bound; comments count as tokens."""

    def on_operation(self) -> Iterator[None]:
        """Sets the bound for the parser."""
        self.execution_context.parse_options["max_tokens"] = MAXIMUM_TOKENS
        yield


def too_long(error: GraphQLError) -> TokensExceededError | None:
    """The parser's refusal as an error of ours; null for any other error. Only its text tells it from a syntax error."""
    if not isinstance(error, GraphQLSyntaxError) or not error.message.startswith(_REFUSAL):
        return None
    return TokensExceededError(f"The document has more than {MAXIMUM_TOKENS} tokens. Ask for less in one document.")
