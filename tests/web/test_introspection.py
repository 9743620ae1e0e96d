"""A gateway whose operator lets nobody ask for the schema."""

import pytest

from gateway.web.app import create_app
from tests.web.serving import open_socket

SCHEMA = "{ __schema { queryType { name } } }"
TOLD = {
    "message": "`__schema` is not answered: this gateway does not tell its schema. Ask its operator for it.",
    "locations": [{"line": 1, "column": 3}],
    "extensions": {"code": "INTROSPECTION_DISABLED"},
}


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"introspection": False})


@pytest.fixture
def app(runtime):
    return create_app(runtime)


async def test_the_schema_is_told_neither_over_http_nor_over_a_socket_and_not_to_admins_either(http, app, bearer):
    headers = {"authorization": bearer(is_admin=True), "accept": "application/graphql-response+json"}
    response = await http.post("/graphql", json={"query": SCHEMA}, headers=headers)
    async with open_socket(app, payload={"authorization": headers["authorization"]}) as client:
        (over_socket,) = await client.ask(SCHEMA)
        assert (await client.ask("{ __typename }"))[0]["payload"] == {"data": {"__typename": "Query"}}

    assert (response.status_code, response.json()) == (403, {"errors": [TOLD]})
    assert (over_socket["type"], over_socket["payload"]) == ("error", [TOLD])


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ viewr { isAdmn } }", {}),
        ("{ viewer { isAdmn } }", {}),
        ("{ connections(frist: 1) { totalCount } }", {}),
        ('{ dataSourceInstance(by: { idd: "1" }) { id } }', {}),
        ("query ($by: DataSourceInstanceSelector!) { dataSourceInstance(by: $by) { id } }", {"by": {"idd": "1"}}),
        (
            "mutation ($in: IntegrationCreateInput!) { integrationCreate(input: $in) { userErrors { code } } }",
            {"in": {"keyy": "a"}},
        ),
    ],
)
async def test_a_wrong_name_is_answered_without_those_that_are_like_it(http, bearer, query, variables):
    response = await http.post("/graphql", json={"query": query, "variables": variables}, headers={"authorization": bearer("acme")})

    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"INVALID"}
    assert "Did you mean" not in response.text
