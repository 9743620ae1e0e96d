"""Documents out of texts, however long or odd the text is."""

from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, Source, parse

from gateway.errors import TokensExceededError

__all__ = ["read_document"]

_CHARACTERS_OF_A_TOKEN = 100
"""So many may come on each of the most tokens; people's documents have some ten. Each takes time, also those of comments and blanks."""


def read_document(query: str, *, max_tokens: int) -> DocumentNode:
    """The document of a text. Raises GraphQLError, by TokensExceededError where it is too long."""
    most = max_tokens * _CHARACTERS_OF_A_TOKEN
    if len(query) > most:
        raise _refusal(f"The document has more than {most} characters. Ask for less in one document, and send values as variables.")
    source = Source(query)
    try:
        document = parse(source, max_tokens=max_tokens)
    except GraphQLSyntaxError as error:
        # Only its text tells it from a syntax error.
        if error.message.startswith(f"Syntax Error: Document contains more than {max_tokens} tokens."):
            raise _refusal(f"The document has more than {max_tokens} tokens. Ask for less in one document.") from None
        raise
    # An error of a node searches its source for lines, and with lines enough a document with many errors would take minutes. What
    # is told of errors knows the lines from the tokens. (Of Strawberry's `info`, this leaves `query` empty.)
    source.body = ""
    return document


def _refusal(message: str) -> GraphQLError:
    refusal = TokensExceededError(message)
    return GraphQLError(message, original_error=refusal)
