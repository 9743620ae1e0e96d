"""A collection of a real Kinto's, read and written through the gateway, and looked at past it."""

from dataclasses import dataclass, field
from typing import Any

from tests.support.gateway_client import Answer, GatewayClient
from tests.support.kinto import Kinto

CONTACTS_PLACE = {"bucket": "crm", "collection": "contacts"}
LIST = """query ($id: ID!, $in: JSON, $first: Int!, $after: String, $filter: JSON, $order: RecordOrder) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { records(first: $first, after: $after, filter: $filter, orderBy: $order) {
    nodes { externalId version fields } pageInfo { hasNextPage endCursor } } } } }"""
ONE = """query ($id: ID!, $in: JSON, $record: String!) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { record(externalId: $record) { externalId version fields } } } }"""
MATCH = """query ($id: ID!, $in: JSON, $by: FieldsInput!) { connection(by: { id: $id }) {
  collection(key: "records", parameters: $in) { match(by: $by) { externalId } } } }"""
SPEC = """query ($id: ID!, $in: JSON) { connection(by: { id: $id }) { collection(key: "records", parameters: $in) { spec {
  operations filters { field operators } orderFields matchFields createFieldsSchema updateFieldsSchema } } } }"""
CREATE = """mutation ($input: RecordCreateInput!) { recordCreate(input: $input) {
  record { externalId version fields } userErrors { code message field } } }"""
UPDATE = """mutation ($input: RecordUpdateInput!) { recordUpdate(input: $input) {
  record { externalId version fields } userErrors { code message field } } }"""
DELETE = """mutation ($input: RecordDeleteInput!) { recordDelete(input: $input) {
  deletedExternalId userErrors { code message field } } }"""


@dataclass(frozen=True)
class Shelf:
    """A collection of Kinto's through the gateway, and past it."""

    client: GatewayClient = field(repr=False)
    connection: str
    parameters: dict[str, str]
    kinto: Kinto

    async def listed(self, *, first: int = 1000, **wanted: Any) -> list[str]:
        """The ids of a list, over all its pages."""
        found: list[str] = []
        after = None
        while True:
            page = (await self.page(first=first, after=after, **wanted))["records"]
            found += [node["externalId"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def page(self, **wanted: Any) -> Any:
        data = await self.client.execute(LIST, id=self.connection, **{"in": self.parameters}, **wanted)
        return data["connection"]["collection"]

    async def refused(self, **wanted: Any) -> Answer:
        return await self.client.ask(LIST, id=self.connection, **{"in": self.parameters}, **{"first": 10, **wanted})

    async def record(self, record: str) -> Any:
        data = await self.client.execute(ONE, id=self.connection, record=record, **{"in": self.parameters})
        return data["connection"]["collection"]["record"]

    async def match(self, **fields: Any) -> Any:
        data = await self.client.execute(MATCH, id=self.connection, by={"fields": fields}, **{"in": self.parameters})
        return data["connection"]["collection"]["match"]

    async def create(self, fields: dict[str, Any], **more: Any) -> Any:
        return (await self.client.mutate(CREATE, **self.target, values={"fields": fields}, **more))["record"]

    async def update(self, record: str, fields: dict[str, Any], **more: Any) -> Any:
        return (await self.client.mutate(UPDATE, **self.target, externalId=record, values={"fields": fields}, **more))["record"]

    async def delete(self, record: str, **more: Any) -> Any:
        return (await self.client.mutate(DELETE, **self.target, externalId=record, **more))["deletedExternalId"]

    async def refusal(self, document: str, **input: Any) -> tuple[str, str, list[str] | None]:
        return await self.client.refusal(document, **self.target, **input)

    @property
    def target(self) -> dict[str, Any]:
        return {"in": {"collection": {"connection": {"id": self.connection}, "key": "records", "parameters": self.parameters}}}

    def own(self) -> dict[str, Any]:
        """What Kinto itself says that it holds, by id."""
        path = f"/buckets/{self.parameters['bucket']}/collections/{self.parameters['collection']}/records"
        with self.kinto.client() as client:
            return {record["id"]: record for record in client.get(path).raise_for_status().json()["data"]}


def fill(shelf: Shelf, records: dict[str, dict[str, Any]]) -> None:
    with shelf.kinto.client() as client:
        for name, fields in records.items():
            path = f"/buckets/open/collections/{shelf.parameters['collection']}/records/{name}"
            client.put(path, json={"data": fields}).raise_for_status()
