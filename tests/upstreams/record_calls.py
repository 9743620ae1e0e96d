"""Everything that can be done with the records of one collection of a connection, in few words."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.gateway_client import Answer, GatewayClient

_RECORD = "externalId name fields createdAt updatedAt"
LIST = f"""query ($id: ID!, $key: String!, $in: JSON, $first: Int!, $after: String, $filter: JSON, $unified: JSON, $search: String,
  $order: RecordOrder) {{ connection(by: {{ id: $id }}) {{ collection(key: $key, parameters: $in) {{
  records(first: $first, after: $after, filter: $filter, unifiedFilter: $unified, search: $search, orderBy: $order) {{
    nodes {{ {_RECORD} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
ONE = f"""query ($id: ID!, $key: String!, $in: JSON, $record: String!) {{ connection(by: {{ id: $id }}) {{
  collection(key: $key, parameters: $in) {{ record(externalId: $record) {{ {_RECORD} }} }} }} }}"""
MATCH = f"""query ($id: ID!, $key: String!, $in: JSON, $by: FieldsInput!) {{ connection(by: {{ id: $id }}) {{
  collection(key: $key, parameters: $in) {{ match(by: $by) {{ {_RECORD} }} }} }} }}"""
SPEC = """query ($id: ID!, $key: String!, $in: JSON) { connection(by: { id: $id }) { collection(key: $key, parameters: $in) { spec {
  operations filters { field operators } orderFields matchFields fieldsSchema createFieldsSchema updateFieldsSchema } } } }"""
CREATE = f"""mutation ($input: RecordCreateInput!) {{ recordCreate(input: $input) {{
  record {{ {_RECORD} }} userErrors {{ code message field }} }} }}"""
UPDATE = f"""mutation ($input: RecordUpdateInput!) {{ recordUpdate(input: $input) {{
  record {{ {_RECORD} }} userErrors {{ code message field }} }} }}"""
DELETE = """mutation ($input: RecordDeleteInput!) { recordDelete(input: $input) {
  deletedExternalId userErrors { code message field } } }"""


@dataclass(frozen=True)
class Collection:
    """A collection through the gateway."""

    client: GatewayClient = field(repr=False)
    connection: str
    key: str
    parameters: dict[str, Any] = field(default_factory=dict)

    async def ask(self, document: str, **variables: Any) -> Answer:
        return await self.client.ask(document, id=self.connection, key=self.key, **{"in": self.parameters}, **variables)

    async def execute(self, document: str, **variables: Any) -> Any:
        data = await self.client.execute(document, id=self.connection, key=self.key, **{"in": self.parameters}, **variables)
        return data["connection"]["collection"]

    async def listed(self, *, first: int = 1000, **wanted: Any) -> list[dict[str, Any]]:
        """The records of a list, over all its pages."""
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await self.execute(LIST, first=first, after=after, **wanted))["records"]
            found += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def refused(self, **wanted: Any) -> tuple[str, str]:
        """Code and message of a list that is refused."""
        answer = await self.ask(LIST, first=10, **wanted)
        code, message, _ = answer.error
        assert answer.data["connection"]["collection"]["records"] is None
        return code, message

    async def record(self, record: str) -> Any:
        return (await self.execute(ONE, record=record))["record"]

    async def match(self, **fields: Any) -> Any:
        return (await self.execute(MATCH, by={"fields": fields}))["match"]

    async def spec(self) -> Any:
        return (await self.execute(SPEC))["spec"]

    async def create(self, fields: dict[str, Any]) -> Any:
        return (await self.client.mutate(CREATE, **self.target, values={"fields": fields}))["record"]

    async def update(self, record: str, fields: dict[str, Any]) -> Any:
        return (await self.client.mutate(UPDATE, **self.target, externalId=record, values={"fields": fields}))["record"]

    async def delete(self, record: str) -> Any:
        return (await self.client.mutate(DELETE, **self.target, externalId=record))["deletedExternalId"]

    async def refusals(self, document: str, **input: Any) -> list[tuple[str, str, list[str] | None]]:
        """The user errors of a mutation that did nothing."""
        (payload,) = (await self.client.execute(document, input={**self.target, **input})).values()
        errors = payload.pop("userErrors")
        assert set(payload.values()) == {None}, payload
        return [(error["code"], error["message"], error["field"]) for error in errors]

    @property
    def target(self) -> dict[str, Any]:
        return {"in": {"collection": {"connection": {"id": self.connection}, "key": self.key, "parameters": self.parameters}}}


def ids(records: list[dict[str, Any]]) -> list[str]:
    """What the app calls them."""
    return [record["externalId"] for record in records]
