"""Clients of JavaScript as npm has them, unmodified, against a running gateway: each script here is a client's own way to ask the same."""

import pytest

pytestmark = pytest.mark.xdist_group("clients")

WHO = {"viewer": {"customer": {"externalId": "acme"}}}
REFUSED = {"recordCreate": {"record": None, "userErrors": [{"code": "INVALID", "field": ["input", "values", "unifiedFields", "subject"]}]}}
PARTLY = {**WHO, "connection": None}
HASH_FIRST, THEN_BOTH = False, True
"""Whether the document went along with its hash."""


@pytest.fixture
def ask(demo, node):
    """What a client's script tells of its conversation with the gateway, without the names of types that caches ask for."""

    async def run(script):
        return without_types(await node.run(script, {"url": demo.address, "headers": dict(demo.customer)}))

    return run


async def test_apollo_client(ask):
    told = await ask("apollo_client.mjs")

    holds_of_a_cache(told)
    assert told["persistedByPost"] == {
        "requests": [["POST", HASH_FIRST], ["POST", THEN_BOTH], ["POST", HASH_FIRST]],
        "answers": ["acme", "acme"],
    }
    assert told["persistedByGet"] == {
        "requests": [["GET", HASH_FIRST], ["POST", THEN_BOTH], ["GET", HASH_FIRST]],
        "answers": ["acme", "acme"],
    }


async def test_urql(ask):
    told = await ask("urql.mjs")

    holds_of_a_cache(told)
    assert told["persistedByPost"] == {
        "requests": [["POST", HASH_FIRST], ["POST", THEN_BOTH], ["POST", HASH_FIRST]],
        "answers": ["acme", "acme"],
    }
    assert told["persistedByGet"] == {
        "requests": [["GET", HASH_FIRST], ["GET", THEN_BOTH], ["GET", HASH_FIRST]],
        "answers": ["acme", "acme"],
    }


async def test_graphql_ws(ask):
    told = await ask("graphql_ws.mjs")

    holds_of_a_stream(told)
    assert (told["invalid"], told["syntax"]) == (["INVALID"], ["INVALID"])
    assert told["again"] == [{"data": WHO}]  # On the same socket, which the faulty operations before it left alone.
    assert told["forbidden"] == 4403


async def test_graphql_sse(ask):
    told = await ask("graphql_sse.mjs")

    holds_of_a_stream(told)
    assert (told["invalid"], told["forbidden"]) == (400, 401)


def holds_of_a_cache(told):
    assert told["query"] == WHO
    assert told["mutation"]["recordCreate"]["userErrors"] == []
    assert told["mutation"]["recordCreate"]["record"]["externalId"].isdecimal()
    assert told["refused"] == REFUSED
    assert told["partly"] == {"data": PARTLY, "codes": ["INVALID"]}
    assert told["invalid"] == ["INVALID"]
    assert told["unknown"] == ["NOT_AUTHENTICATED"]
    misses_nothing(told["stream"])


def holds_of_a_stream(told):
    assert told["query"] == [{"data": WHO}]
    (created,) = told["mutation"]
    assert created["data"]["recordCreate"]["userErrors"] == []
    assert told["refused"] == [{"data": REFUSED}]
    (partly,) = told["partly"]
    assert partly["data"] == PARTLY
    assert [(error["path"], error["extensions"]["code"]) for error in partly["errors"]] == [(["connection"], "INVALID")]
    misses_nothing(told["stream"])


def misses_nothing(stream):
    """Of what was recorded while its connection was there, cut, and there again, the client was told all, in order, and nothing twice."""
    assert stream["told"] == stream["recorded"]
    assert len(stream["told"]) >= 3


def without_types(value):
    if isinstance(value, dict):
        return {name: without_types(each) for name, each in value.items() if name != "__typename"}
    return [without_types(each) for each in value] if isinstance(value, list) else value
