"""Documents out of texts, however long or odd the text is."""

import re

from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, Source, Token, TokenKind, parse

from gateway.errors import TokensExceededError

__all__ = ["read_document"]

_CHARACTERS_OF_A_TOKEN = 100
"""So many may come on each of the most tokens; people's documents have some ten. Each takes time, also those of comments and blanks."""
_DIGITS = 308
"""Of an integer: as many as in the JSON of a request. The library fails at thousands of them."""
_MANY_DIGITS = re.compile(f"[0-9]{{{_DIGITS + 1}}}")


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
    if _MANY_DIGITS.search(query):
        _refuse_long_integers(document, source)
    # An error of a node searches its source for lines, and with lines enough a document with many errors would take minutes. What
    # is told of errors knows the lines from the tokens. (Of Strawberry's `info`, this leaves `query` empty.)
    source.body = ""
    return document


def _refuse_long_integers(document: DocumentNode, source: Source) -> None:
    token: Token | None = document.loc.start_token if document.loc is not None else None
    while token is not None:
        if token.kind is TokenKind.INT and len((token.value or "").lstrip("-")) > _DIGITS:
            raise GraphQLSyntaxError(source, token.start, f"An integer has more than {_DIGITS} digits.")
        token = token.next


def _refusal(message: str) -> GraphQLError:
    refusal = TokensExceededError(message)
    return GraphQLError(message, original_error=refusal)
