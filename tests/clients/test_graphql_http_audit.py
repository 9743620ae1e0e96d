"""The official audit of GraphQL over HTTP, that of npm's graphql-http, against a running gateway."""

from collections import Counter

import pytest

pytestmark = pytest.mark.xdist_group("clients")


async def test_the_official_audit_of_graphql_over_http_finds_nothing(demo, node):
    results = await node.run("graphql_http_audit.mjs", {"url": demo.address})

    assert [result for result in results if result["status"] != "ok"] == []
    assert Counter(result["name"].split()[0] for result in results) == {"MUST": 13, "SHOULD": 23, "MAY": 25}
