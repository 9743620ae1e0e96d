"""An app that a test scripts, behind a connector of its own, and what a customer of it asks."""

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from gateway.testing import Answer, ReceivedRequest, Scripted, ScriptedApp
from tests.support.gateway_client import GatewayClient, GatewayUnderTest
from tests.upstreams import operations

TOKEN = "t0ken/47+11=~secret&x"
PASSWORD = "pä55 wörd/48+12=?"
USER = "ledger-bot"

CONNECTOR = """\
format: connector/v1
key: ledger
name: Ledger
version: 1.0.0
connection:
  schema:
    type: object
    required: [server]
    properties: {server: {type: string}}
  check: {request: {path: /me}}
auth:
  token:
    type: http
    scheme: bearer
    token: "${credentials.token}"
    credentials:
      type: object
      required: [token]
      properties: {token: {type: string, writeOnly: true}}
  account:
    type: http
    scheme: basic
    username: "${credentials.user}"
    password: "${credentials.password}"
    credentials:
      type: object
      required: [user, password]
      properties: {user: {type: string}, password: {type: string, writeOnly: true}}
  key:
    type: apiKey
    location: query
    parameter: key
    value: "${credentials.key}"
    credentials:
      type: object
      required: [key]
      properties: {key: {type: string, writeOnly: true}}
http:
  base_url: "${connection.server}"
  timeout_seconds: 0.5
  retry: {max_attempts: 3, base_seconds: 0.5, max_seconds: 20}
  error_message: "${body.error}"
pagination:
  links: {type: next_url, next: "${body.next}", size: {name: limit, default: 20, max: 20}}
  numbers: {type: page, size: {name: limit, default: 20, max: 20}, stop: short_page}
locations:
  - collection: entries
  - collection: accounts
  - directory: book
    name: "${item.name}"
    parameters_schema: {type: object, required: [book], properties: {book: {type: string}}}
    parameters: {book: "${item.id}"}
    list: {request: {path: /books}, pagination: links, items: "${body.items}"}
    read: {request: {path: "/books/${parameters.book}"}, item: "${body}"}
    locations:
      - {collection: entries, parameters: {book: "${parameters.book}"}}
collections:
  entries:
    name: Entries
    parameters: {type: object, properties: {book: {type: string}}}
    dynamic_fields: {request: {path: /fields}, schema: "${body}"}
    record: {id: "${record.id}"}
    operations:
      list:
        request: {path: /entries, query: {book: "${parameters.book}"}}
        pagination: links
        records: "${body.items}"
  accounts:
    name: Accounts
    fields: {type: object}
    record: {id: "${record.id}"}
    operations:
      list: {request: {path: /accounts}, pagination: numbers, records: "${body.items}"}
"""

READ = """query Read($id: ID!, $key: String!, $first: Int!, $after: String) { viewer { isAdmin } connection(by: { id: $id }) { name
  collection(key: $key) { path name records(first: $first, after: $after) {
    nodes { externalId fields } pageInfo { hasNextPage endCursor } } } } }"""
RECORDS_AT = ["connection", "collection", "records"]


def connector_file(folder: Path) -> Path:
    """The connector, as an operator would add it."""
    path = folder / "ledger.yaml"
    path.write_text(CONNECTOR, encoding="utf-8")
    return path


def credentials_of(method: str) -> dict[str, str]:
    """Credentials for an auth method of the connector."""
    return {"token": {"token": TOKEN}, "account": {"user": USER, "password": PASSWORD}, "key": {"key": TOKEN}}[method]


def items(*ids: object, next: str | None = None) -> Answer:
    """A page of entries."""
    return Answer(json={"items": [{"id": each} for each in ids], "next": next})


def paged(count: int, *, size: int = 20, broken: dict[int, Scripted] | None = None) -> Any:
    """Answers for a list of that many entries, in linked pages counted from 1; `broken` pages are answered otherwise."""

    def answer(request: ReceivedRequest) -> Scripted:
        page = int(request.query.get("page", "1"))
        if broken is not None and page in broken:
            return broken[page]
        start, end = (page - 1) * size, min(page * size, count)
        return items(*range(start, end), next=f"/entries?page={page + 1}" if end < count else None)

    return answer


def surviving(records: object = None, *, key: str = "entries") -> dict[str, Any]:
    """What `READ` answers when nothing but the records depends on the app."""
    collection = {"path": f"/data/{key}", "name": key.title(), "records": records}
    return {"viewer": {"isAdmin": False}, "connection": {"name": "Ledger", "collection": collection}}


@dataclass(frozen=True)
class Ledger:
    """The app, the gateway before it, and Acme, who is connected to it."""

    app: ScriptedApp
    gateway: GatewayUnderTest
    log: io.StringIO
    """All that was logged."""
    connector: Path

    @property
    def acme(self) -> GatewayClient:
        """The customer."""
        return self.gateway.customer()

    async def connect(self, method: str = "token") -> str:
        """The id of a new connection by an auth method; what the app was asked meanwhile is forgotten."""
        self.app.answer(json={"user": "me"})
        given: dict[str, Any] = {"parameters": {"server": self.app.url}, "authMethod": method, "credentials": credentials_of(method)}
        connection = await operations.connect(self.gateway, "ledger", **given)
        self.app.requests.clear()
        return connection

    async def read(self, connection: str, *, key: str = "entries", first: int = 20, after: str | None = None) -> Any:
        """The answer to `READ`."""
        return await self.acme.ask(READ, id=connection, key=key, first=first, after=after)

    async def entries(self, connection: str, **window: Any) -> list[str]:
        """The ids of entries, which are read without any error."""
        answer = await self.read(connection, **window)
        assert answer.errors == [], answer.text
        return [node["externalId"] for node in answer.data["connection"]["collection"]["records"]["nodes"]]

    async def state(self, connection: str) -> Any:
        """The connection's state and errors."""
        return await operations.state_of(self.acme, connection)


def forms(secret: str) -> list[str]:
    """The ways in which a secret could be written where people and programs find it."""
    encoded = [encode(secret.encode()).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]]
    return sorted({secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *escaped, *encoded})


SECRETS = [form for secret in (TOKEN, PASSWORD, f"{USER}:{PASSWORD}") for form in forms(secret)]
"""What must not be in any answer nor in the log."""
ALL_SECRETS = " ".join(SECRETS)


def secrets_in(text: str) -> list[str]:
    """The forms of secrets that a text holds."""
    return [form for form in SECRETS if form in text]
