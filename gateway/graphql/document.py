"""How long a document may be: what is longer is refused while it is read, before anything is validated."""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.extensions import SchemaExtension

from gateway.errors import TokensExceededError

MAXIMUM_TOKENS = 2_000
"""A document at this bound is validated in hundredths of a second, a fifty times longer one in many seconds; tools need some 200."""

_REFUSAL = f"Syntax Error: Document contains more than {MAXIMUM_TOKENS} tokens."


class BoundedDocument(SchemaExtension):
    """Refuses documents with more tokens than the bound; comments count as tokens."""

    def on_operation(self) -> Iterator[None]:
        """Sets the bound for the parser, and gives its refusal our code."""
        self.execution_context.parse_options["max_tokens"] = MAXIMUM_TOKENS
        yield
        result: Any = self.execution_context.result
        if getattr(result, "errors", None):
            result.errors = [_coded(error) for error in result.errors]


def _coded(error: GraphQLError) -> GraphQLError:
    """The error; the parser's refusal, which it tells from a syntax error by its text alone, as one of ours."""
    if not isinstance(error, GraphQLSyntaxError) or not error.message.startswith(_REFUSAL):
        return error
    cause = TokensExceededError(f"The document has more than {MAXIMUM_TOKENS} tokens. Ask for less in one document.")
    return GraphQLError(cause.message, original_error=cause)
