"""A document that is too long is refused before it costs anything, whoever sends it."""

import pytest
from graphql import get_introspection_query

from gateway.graphql import make_context
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from tests.graphql.world import SCHEMA

REFUSED = [("The document has more than 2000 tokens. Ask for less in one document.", {"code": "TOKENS_EXCEEDED"})]


async def told(runtime: Runtime, document: str) -> list[tuple[str, object]]:
    result = await SCHEMA.execute(document, context_value=make_context(runtime, SYSTEM))
    return [(error.message, error.extensions) for error in result.errors or ()]


@pytest.mark.parametrize(("more", "errors"), [("", []), ("isAdmin", REFUSED)], ids=["2000 tokens", "2001 tokens"])
async def test_a_document_has_at_most_2000_tokens(runtime: Runtime, more: str, errors: list[object]):
    aliases = " ".join(f"a{number}: isAdmin" for number in range(665))

    assert await told(runtime, f"{{ viewer {{ {aliases} {more} }} }}") == errors


async def test_comments_count_too(runtime: Runtime):
    assert await told(runtime, "#\n" * 1_997 + "{ __typename }") == []
    assert await told(runtime, "#\n" * 1_998 + "{ __typename }") == REFUSED


async def test_what_only_speaks_of_tokens_is_a_syntax_error(runtime: Runtime):
    ((message, extensions),) = await told(runtime, '{ viewer(a: "Document contains more than 2000 tokens." }')

    assert (message, extensions) == ("Syntax Error: Expected Name, found '}'.", {"code": "INVALID"})


async def test_what_tools_ask_of_a_schema_fits(runtime: Runtime):
    assert await told(runtime, get_introspection_query(input_value_deprecation=True, specified_by_url=True, schema_description=True)) == []
