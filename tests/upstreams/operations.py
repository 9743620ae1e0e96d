"""The operations that these tests send, and short ways to send them."""

from collections.abc import AsyncIterator
from typing import Any

from tests.support.gateway_client import GatewayClient, GatewayUnderTest

CONNECT = """mutation Connect($input: ConnectionCreateInput!) { connectionCreate(input: $input) {
  connection { id name state authMethod parameters } userErrors { code message field } } }"""
RECONNECT = """mutation Reconnect($input: ConnectionUpdateInput!) { connectionUpdate(input: $input) {
  connection { id state errors { code } } userErrors { code message field } } }"""
INTEGRATION = """mutation ($input: IntegrationCreateInput!) { integrationCreate(input: $input) {
  integration { id state } userErrors { code message field } } }"""
DATA_SOURCE = """mutation ($input: DataSourceCreateInput!) { dataSourceCreate(input: $input) {
  dataSource { id state } userErrors { code message field } } }"""

_INSTANCE = "dataSourceInstance { id path collectionKey collectionParameters state errors { code message } }"
CREATE_INSTANCE = f"""mutation ($input: DataSourceInstanceCreateInput!) {{ dataSourceInstanceCreate(input: $input) {{
  {_INSTANCE} isCreated userErrors {{ code message field }} }} }}"""
POINT = f"""mutation ($input: DataSourceInstanceUpdateInput!) {{ dataSourceInstanceUpdate(input: $input) {{
  {_INSTANCE} userErrors {{ code message field }} }} }}"""
SET_UP = f"""mutation ($input: DataSourceInstanceSetupInput!) {{ dataSourceInstanceSetup(input: $input) {{
  {_INSTANCE} userErrors {{ code message field }} }} }}"""

FIELDS = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { fieldsSchema } }"
STATE = "query ($id: ID!) { connection(by: { id: $id }) { state errors { code message } } }"
PLACE = """query ($id: ID!, $path: String!) { connection(by: { id: $id }) { location(path: $path) {
  __typename path key parameters name } } }"""
PLACES = """query ($id: ID!, $path: String!, $first: Int!, $after: String) { connection(by: { id: $id }) { location(path: $path) {
  ... on Directory { page: locations(first: $first, after: $after) {
    nodes { __typename path key parameters name } pageInfo { hasNextPage endCursor } } } } } }"""
RECORDS = """query ($id: ID!, $path: String!, $first: Int!, $after: String) { connection(by: { id: $id }) { location(path: $path) {
  ... on DataCollection { page: records(first: $first, after: $after) {
    nodes { id externalId name version updatedAt fields } pageInfo { hasNextPage endCursor } } } } } }"""
SPEC = """query ($id: ID!, $path: String!) { connection(by: { id: $id }) { location(path: $path) {
  ... on DataCollection { spec { key fieldsSchema parametersSchema operations } } } } }"""


async def connect(gateway: GatewayUnderTest, connector: str, *, customer: str = "acme", **input: Any) -> str:
    """The id of a customer's new connection; the connector is an integration of the same key."""
    found = await gateway.admin.execute("query ($key: String!) { integration(key: $key) { id } }", key=connector)
    if found["integration"] is None:
        await gateway.admin.mutate(INTEGRATION, key=connector, connectorKey=connector)
    payload = await gateway.customer(customer).mutate(CONNECT, integrationKey=connector, **input)
    return str(payload["connection"]["id"])


def kinto_inputs(server: str, account: tuple[str, str]) -> dict[str, Any]:
    """What connects to a Kinto."""
    name, password = account
    return {"parameters": {"server": server}, "authMethod": "basic", "credentials": {"username": name, "password": password}}


def pocketbase_inputs(server: str, who: tuple[str, str], **parameters: Any) -> dict[str, Any]:
    """What connects to a PocketBase."""
    identity, password = who
    credentials = {"identity": identity, "password": password}
    return {"parameters": {"server": server, **parameters}, "authMethod": "password", "credentials": credentials}


async def state_of(client: GatewayClient, connection: str) -> Any:
    """The connection's state and errors."""
    return (await client.execute(STATE, id=connection))["connection"]


async def pages(client: GatewayClient, document: str, *, first: int, **variables: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """The pages of a list from its start to its end, each cursor taken from the page before."""
    after = None
    while True:
        page = (await client.execute(document, first=first, after=after, **variables))["connection"]["location"]["page"]
        yield page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


async def everything(client: GatewayClient, document: str, *, first: int, **variables: Any) -> tuple[list[dict[str, Any]], list[int]]:
    """All nodes of a list, and the sizes of its pages."""
    found = [page async for page in pages(client, document, first=first, **variables)]
    return [node for page in found for node in page], [len(page) for page in found]


def sizes(total: int, first: int) -> list[int]:
    """The sizes of the pages of a list that is cut into full pages and a rest."""
    return [min(first, total - start) for start in range(0, total, first)]
