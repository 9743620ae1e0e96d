"""Lists of operations in one request."""

import pytest

from tests.web.serving import NOTES

HELLO = {"query": "{ hello }"}
GRAPHQL = "application/graphql-response+json"


def refusal(message, code):
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


async def test_each_operation_of_a_list_is_answered_in_its_place_whatever_becomes_of_the_others(http):
    batch = [
        {"query": "query Greet($name: String!) { hello(name: $name) }", "variables": {"name": "Ada"}},
        {"query": 'mutation { note(text: "first") }'},
        {"query": "{"},
        {"query": "subscription { count(to: 1) }"},
        {"query": "query A { hello } query B { hello }", "operationName": "C"},
        {"variables": {}},
        5,
        {"query": "{ hello missing }"},
        {"query": 'mutation { note(text: "second") }'},
    ]

    response = await http.post("/graphql", json=batch)

    greeted, first, broken, subscribed, unnamed, empty, odd, partly, second = response.json()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert greeted == {"data": {"hello": "Hello, Ada!"}}
    assert (first, second, NOTES) == ({"data": {"note": "first"}}, {"data": {"note": "second"}}, ["first", "second"])
    assert [error["extensions"]["code"] for answer in (broken, unnamed) for error in answer["errors"]] == ["INVALID", "INVALID"]
    assert subscribed["errors"][0]["extensions"]["code"] == "UNSUPPORTED"
    assert empty == refusal("The request has no `query`. Send a GraphQL document in it.", "INVALID")
    assert odd == refusal("The request must be a JSON object with a `query`.", "INVALID")
    assert (partly["data"], [error["path"] for error in partly["errors"]]) == ({"hello": "Hello, world!", "missing": None}, [["missing"]])


async def test_every_operation_of_a_list_has_a_context_of_its_own(http):
    response = await http.post("/graphql", json=[{"query": "{ uses }"}] * 3)

    assert response.json() == [{"data": {"uses": 1}}] * 3


async def test_a_list_of_more_than_may_be_is_refused_and_none_of_it_is_executed(http):
    note = {"query": 'mutation { note(text: "x") }'}

    fits = await http.post("/graphql", json=[HELLO] * 10)
    exceeds = await http.post("/graphql", json=[note] * 11)

    assert fits.json() == [{"data": {"hello": "Hello, world!"}}] * 10
    assert (exceeds.status_code, exceeds.json()) == (
        400,
        refusal("The request has 11 operations, more than 10. Send them in several requests.", "BATCH_TOO_LARGE"),
    )
    assert NOTES == []


async def test_a_list_is_answered_as_the_json_that_is_accepted_and_never_as_a_stream(http):
    liked = await http.post("/graphql", json=[HELLO], headers={"accept": GRAPHQL})
    ranked = await http.post("/graphql", json=[HELLO], headers={"accept": "application/json, text/event-stream"})
    streamed = await http.post("/graphql", json=[HELLO], headers={"accept": "text/event-stream"})

    assert liked.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert liked.json() == ranked.json() == [{"data": {"hello": "Hello, world!"}}]
    assert (streamed.status_code, streamed.json()) == (
        400,
        refusal("Lists of operations are answered as JSON. Send one operation for a stream, or accept JSON first.", "INVALID"),
    )


async def test_a_list_in_a_list_is_no_operation(http):
    response = await http.post("/graphql", json=[[HELLO], []])

    assert response.json() == [refusal("The request must be a JSON object with a `query`.", "INVALID")] * 2


class TestOfOne:
    """Where the operator allows one operation a request."""

    @pytest.fixture
    def settings(self, settings):
        return settings.model_copy(update={"max_batch_size": 1})

    async def test_lists_are_refused_altogether(self, http):
        response = await http.post("/graphql", json=[HELLO])

        assert response.json() == refusal(
            "Lists of operations are not answered here. Send one operation in a JSON object.", "BATCH_TOO_LARGE"
        )
