"""The application that the gateway serves, with its real schema."""

import httpx
import pytest

from gateway.web.app import ExampleTab, create_app
from tests.web.serving import open_socket

VIEWER = "query Who { viewer { isAdmin customer { externalId name } } }"


@pytest.fixture
def app(runtime):
    return create_app(runtime, tabs=[ExampleTab(title="Who am I?", query=VIEWER)])


async def test_a_stranger_may_read_the_schema_and_nothing_else(http):
    schema = await http.post("/graphql", json={"query": "{ __schema { queryType { name } } }"})
    data = await http.post("/graphql", json={"query": VIEWER})

    assert schema.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert [error["extensions"]["code"] for error in data.json()["errors"]] == ["NOT_AUTHENTICATED"]
    assert data.status_code == 200


async def test_a_customer_is_the_viewer_over_http_and_over_a_socket(http, app, bearer):
    authorization = bearer("acme", name="Acme")
    expected = {"data": {"viewer": {"isAdmin": False, "customer": {"externalId": "acme", "name": "Acme"}}}}

    assert (await http.post("/graphql", json={"query": VIEWER}, headers={"authorization": authorization})).json() == expected
    async with open_socket(app, payload={"authorization": authorization}) as client:
        assert (await client.ask(VIEWER))[0]["payload"] == expected


async def test_what_one_operation_loaded_is_not_shown_to_the_next_on_the_same_socket(http, app, bearer):
    name = "{ viewer { customer { name } } }"

    async with open_socket(app, payload={"authorization": bearer("acme", name="Before")}) as client:
        before = (await client.ask(name))[0]["payload"]["data"]
        await http.post("/graphql", json={"query": name}, headers={"authorization": bearer("acme", name="After")})
        after = (await client.ask(name))[0]["payload"]["data"]

    assert (before, after) == ({"viewer": {"customer": {"name": "Before"}}}, {"viewer": {"customer": {"name": "After"}}})


async def test_errors_of_every_kind_have_a_code(http):
    for query in ("{", "{ nothing }", "query($id: ID!) { node(id: $id) { id } }", '{ node(id: "x") { id } }'):
        for error in (await http.post("/graphql", json={"query": query})).json()["errors"]:
            assert error["extensions"]["code"] in {"INVALID", "NOT_AUTHENTICATED"}


async def test_a_document_that_is_too_long_is_refused_over_http_and_over_a_socket_which_stays_open(http, app):
    document = "{a(b:[" + "{}" * 1_000  # 2,006 tokens, and few enough bytes for a body.

    response = await http.post("/graphql", json={"query": document})
    async with open_socket(app) as client:
        (over_socket,) = await client.ask(document)
        assert (await client.ask("{ __typename }"))[0]["payload"] == {"data": {"__typename": "Query"}}

    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["TOKENS_EXCEEDED"]
    assert (over_socket["type"], over_socket["payload"][0]["extensions"]["code"]) == ("error", "TOKENS_EXCEEDED")


async def test_the_page_holds_the_examples(http: httpx.AsyncClient):
    assert "# Who am I?" in (await http.get("/graphql", headers={"accept": "text/html"})).text
