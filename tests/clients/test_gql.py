"""The Python client `gql`, unmodified, against a running gateway: HTTP with batches, and WebSockets."""

import asyncio

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError

from tests.support.chaos_proxy import chaos_proxy

pytestmark = pytest.mark.xdist_group("clients")

TASKS = '{of: {connection: {integrationKey: "demo"}, dataSource: {key: "tasks"}}}'
WHO = gql("{ viewer { customer { externalId } } }")
PARTLY = gql('{ viewer { customer { externalId } } connection(by: {id: "bogus"}) { name } }')
CREATE = gql(
    "mutation Create($fields: JSON!) { recordCreate(input: {in: {dataSourceInstance: "
    + TASKS
    + "}, values: {unifiedFields: $fields}}) { record { externalId } userErrors { code field } } }"
)
CHANGES = gql(
    "subscription Changes($after: String) { recordsChanged(dataSourceInstance: "
    + TASKS
    + ", after: $after) { cursor events { cursor externalId } } }"
)
HISTORY = gql(
    "query History($after: String) { dataSourceInstance(by: " + TASKS + ") { events(first: 100, after: $after) { nodes { cursor } } } }"
)
ACME = {"viewer": {"customer": {"externalId": "acme"}}}
TASK = {"subject": "Made by gql", "priority": "medium", "projectId": "1"}


@pytest.fixture
async def session(demo):
    """A session over HTTP, which reads the schema first and holds documents against it."""
    transport = HTTPXAsyncTransport(demo.address, headers=dict(demo.customer), trust_env=False)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        yield session


def sockets(address, demo):
    return WebsocketsTransport(address.replace("http", "ws"), init_payload=dict(demo.customer), connect_args={"proxy": None})


def asking(document, **variables):
    return GraphQLRequest(document, variable_values=variables)


async def create(session, **fields):
    return (await session.execute(asking(CREATE, fields={**TASK, **fields})))["recordCreate"]


async def test_queries_mutations_and_lists_of_operations_over_http(session):
    assert await session.execute(WHO) == ACME
    assert (await create(session))["userErrors"] == []
    assert await create(session, subject=5) == {
        "record": None,
        "userErrors": [{"code": "INVALID", "field": ["input", "values", "unifiedFields", "subject"]}],
    }
    assert await session.execute_batch([WHO, WHO]) == [ACME, ACME]


async def test_errors_over_http(session):
    with pytest.raises(TransportQueryError) as partly:
        await session.execute(PARTLY)
    assert partly.value.data == {**ACME, "connection": None}
    assert [(error["path"], error["extensions"]["code"]) for error in partly.value.errors] == [(["connection"], "INVALID")]

    with pytest.raises(GraphQLError, match="Cannot query field 'nothing' on type 'Query'"):
        await session.execute(gql("{ nothing }"))


async def test_operations_over_a_socket_of_which_a_faulty_one_leaves_the_others_alone(demo):
    async with Client(transport=sockets(demo.address, demo)) as session:
        with pytest.raises(TransportQueryError) as refused:
            await session.execute(gql("{ nothing }"))

        assert [error["extensions"]["code"] for error in refused.value.errors] == ["INVALID"]
        assert await session.execute(WHO) == ACME


async def test_a_subscription_goes_on_where_its_connection_broke(demo, session):
    batches = []
    async with chaos_proxy(demo.address) as (proxy, address):

        async def follow():
            while True:
                after = batches[-1]["cursor"] if batches else None
                try:
                    async with Client(transport=sockets(address, demo)) as follower:
                        async for data in follower.subscribe(asking(CHANGES, after=after)):
                            batches.append(data["recordsChanged"])
                except (TransportConnectionFailed, OSError):
                    await asyncio.sleep(0.02)

        async def told_of(external_id):
            async with asyncio.timeout(20):
                while external_id not in [event["externalId"] for batch in batches for event in batch["events"]]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        following = asyncio.create_task(follow())
        async with asyncio.timeout(20):
            while not batches:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await told_of((await create(session))["record"]["externalId"])
        proxy.go_down()
        missed = (await create(session))["record"]["externalId"]
        proxy.come_back()
        await told_of(missed)
        await told_of((await create(session))["record"]["externalId"])
        following.cancel()
        await asyncio.wait([following])

    told = [event["cursor"] for batch in batches for event in batch["events"]]
    history = await session.execute(asking(HISTORY, after=batches[0]["cursor"]))
    recorded = [node["cursor"] for node in history["dataSourceInstance"]["events"]["nodes"]]
    assert told == recorded[: len(told)]
    assert len(told) >= 3
