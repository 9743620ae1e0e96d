"""Credentials, tokens and keys stay where they belong, whatever goes wrong and however the log is set up."""

import ast
import asyncio
import base64
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlmodel import select

import gateway
from gateway.config import Settings
from gateway.connectors.protocol import Access
from gateway.errors import ConflictError, UpstreamAuthError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import Connection, JsonObject, Page, PageRequest, Pointer, Principal, Record, RecordQuery
from gateway.models.principal import SYSTEM
from gateway.models.queries import EVERYTHING
from gateway.runtime import Runtime, open_runtime
from gateway.services import access, connection_inputs, connections, selection
from gateway.services.selectors import ConnectionSelector
from gateway.testing import FakeClock
from gateway.web.logging import configure_logging
from gateway.web.tokens import Tokens, mint
from tests.support import runtime as given
from tests.support.gateway_client import serving
from tests.support.notes_connector import SPEC, NotesApp, NotesConnector, parameters

SECRET = 'hunter2-"the secret" & $ü of-a-customer'
TOKEN_SECRET = "the-secret-that-signs-every-token"
KEY = base64.b64encode(b"the-key-that-seals-every-secret!").decode()
FORMS = [
    SECRET,
    json.dumps(SECRET)[1:-1],
    repr(SECRET)[1:-1],
    base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "hunter2",
]
"""As it is, and as others write it."""


@dataclass
class CarelessConnector(NotesConnector):
    """Has defects, and tells the credentials with them."""

    calls: list[str] = field(default_factory=list)

    async def describe(self, access: Access, collection: Pointer) -> Any:
        token = access.credentials["token"]
        self.calls.append("describe")
        if collection.key == "cards":
            # Else nobody would come to what can be done with cards.
            return await super().describe(access, collection)
        raise RuntimeError(f"describe failed with {token}, {token!r} and {json.dumps(dict(access.credentials))}")

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        self.calls.append("records")
        try:
            raise KeyError(access.credentials["token"])
        except KeyError as error:
            raise ExceptionGroup("several", [ValueError(f"Basic {base64.b64encode(SECRET.encode()).decode()}")]) from error

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Any:
        self.calls.append("locations")
        error = UpstreamAuthError(f"The app refuses {access.credentials['token']}.")
        error.add_note(access.credentials["token"])
        raise error

    async def location(self, access: Access, pointer: Pointer) -> Any:
        self.calls.append("location")
        if pointer.key == "cards":
            return await super().location(access, pointer)
        return await asyncio.gather(self._fail(access.credentials["token"]))

    async def record(self, access: Access, collection: Pointer, external_id: str) -> Any:
        self.calls.append("record")
        raise UpstreamResponseError(f"What is {access.credentials['token']}?") from ValueError(access.credentials["token"])

    async def match(self, access: Access, collection: Pointer, fields: JsonObject) -> Any:
        self.calls.append("match")
        raise LookupError(access.credentials["token"])

    async def create(self, access: Access, collection: Pointer, fields: JsonObject, *, idempotency_key: str | None = None) -> Any:
        self.calls.append("create")
        token = access.credentials["token"]
        raise UpstreamRejectedError(f"{token} may not.", status=422, fields={"title": f"{token} may not", token: "what is this"})

    async def update(
        self, access: Access, collection: Pointer, external_id: str, fields: JsonObject, *, if_version: str | None = None
    ) -> Any:
        self.calls.append("update")
        raise ConflictError(f"{access.credentials['token']} was first.")

    async def delete(self, access: Access, collection: Pointer, external_id: str, *, if_version: str | None = None) -> Any:
        self.calls.append("delete")
        raise AssertionError(access.credentials["token"])

    async def _fail(self, token: str) -> None:
        raise TypeError(f"{token} is no location")


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(database_url=sqlite_url, token_secret=TOKEN_SECRET, encryption_keys=f"first:{KEY}")


@pytest.fixture
async def runtime(settings: Settings, clock: FakeClock) -> Any:
    connector = CarelessConnector(NotesApp(accepted_tokens={SECRET}), replace(SPEC, name="Careless"))
    async with open_runtime(settings, clock=clock, connectors=[connector]) as runtime:
        await given.integration(runtime)
        await given.definition(runtime)
        yield runtime


@pytest.fixture
async def connected(runtime: Runtime) -> Connection:
    return await given.connection(runtime, await given.customer(runtime, "acme"), credentials={"token": SECRET})


@pytest.fixture(params=["structlog as it comes", "structlog with values of variables", "the gateway's own", "plain logging"])
def log(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Gives all that was logged, at every level, by one of the ways in which an operator may have set up the log."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level, logging.getLogger("gateway").level
    if request.param == "structlog with values of variables":
        renderer = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=True))
        structlog.configure(processors=[renderer, structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory(stream))
    elif request.param == "the gateway's own":
        configure_logging(level=logging.DEBUG, stream=stream)
    elif request.param == "plain logging":
        structlog.configure(processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.stdlib.LoggerFactory())
    root.addHandler(logging.StreamHandler(stream))
    root.setLevel(logging.DEBUG)
    for name in ("gateway", "asyncio", "sqlalchemy.engine", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield lambda: stream.getvalue() + "".join(capsys.readouterr())
    for name in ("asyncio", "sqlalchemy.engine", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger("gateway").setLevel(before[2])


def assert_clean(text: str, *tokens: str) -> None:
    """Fails when the text holds any secret, in any form."""
    for secret in (*FORMS, TOKEN_SECRET, KEY, KEY.rstrip("="), "the-key-that-seals", *tokens):
        # Without the secret in the message of the failure.
        assert secret not in text, f"a secret stands in it: ...{text[max(0, text.index(secret) - 300) : text.index(secret)]}"


PROVOKE = """query($id: ID!) { node(id: $id) { ... on Connection {
    parameters errors { message }
    location { name } collection(key: "notes") { records { nodes { id } } }
    dataSourceInstance(dataSource: {key: "jottings"}) {
        collectionSpec { key } fieldsSchema errors { message } records { nodes { id } } locations { nodes { path } } }
} } }"""
CREATE = (
    "mutation($input: ConnectionCreateInput!) { connectionCreate(input: $input) { userErrors { message } connection { id parameters } } }"
)
UPDATE = (
    "mutation($input: ConnectionUpdateInput!) { connectionUpdate(input: $input) { userErrors { message } connection { id parameters } } }"
)
TEST = """mutation($input: ConnectionTestInput!) { connectionTest(input: $input) {
    userErrors { message } isAccepted connection { errors { message } } } }"""
INSTANCE = """mutation($input: DataSourceInstanceCreateInput!) { dataSourceInstanceCreate(input: $input) {
    userErrors { message } dataSourceInstance { errors { message } } } }"""


PROVOKE_RECORDS = """query($id: ID!) { node(id: $id) { ... on Connection { collection(key: "cards") {
    records { nodes { id } } record(externalId: "1") { id } match(by: {fields: {title: "x"}}) { id } } } } }"""
CREATE_RECORD = "mutation($input: RecordCreateInput!) { recordCreate(input: $input) { userErrors { message field } record { id } } }"
UPDATE_RECORD = "mutation($input: RecordUpdateInput!) { recordUpdate(input: $input) { userErrors { message field } record { id } } }"
DELETE_RECORD = "mutation($input: RecordDeleteInput!) { recordDelete(input: $input) { userErrors { message field } deletedExternalId } }"


async def test_whatever_goes_wrong_neither_an_answer_nor_the_log_tells_a_secret(runtime: Runtime, log: Any):
    async with serving(runtime) as gateway:
        acme = gateway.customer("acme")
        wrong = {"integrationKey": "notes", "parameters": parameters(), "credentials": {"token": SECRET}}
        made = await acme.mutate(CREATE.replace("userErrors { message }", "userErrors { code }"), authMethod="token", **wrong)
        by = {"id": made["connection"]["id"]}
        cards = {"in": {"collection": {"connection": by, "key": "cards"}}}
        asked = [
            (CREATE, wrong | {"authMethod": "token", "misspelt": 1}),
            (CREATE, wrong | {"authMethod": "token", "name": {"token": SECRET}}),
            (CREATE, wrong | {"authMethod": "token", "credentials": {"token": [SECRET]}}),
            (CREATE, wrong | {"authMethod": "token", "credentials": {"token": SECRET, SECRET: SECRET}}),
            (CREATE, wrong | {"authMethod": "token", "credentials": {"token": SECRET + "?"}}),
            (CREATE, wrong | {"authMethod": "open"}),
            (CREATE, {"credentials": {"token": SECRET}}),
            (CREATE, [SECRET]),
            (UPDATE, {"by": by, "credentials": {"token": SECRET, "more": SECRET}}),
            (UPDATE, {"by": by, "parameters": parameters(workspace="elsewhere")}),
            (UPDATE, {"by": by, "authMethod": "open"}),
            (TEST, {"by": by}),
            (INSTANCE, {"connection": by, "dataSource": {"key": "jottings"}}),
            (CREATE_RECORD, cards | {"values": {"fields": {"title": "x"}}}),
            (CREATE_RECORD, cards | {"values": {"unifiedFields": {"subject": "x"}}}),
            (UPDATE_RECORD, cards | {"externalId": "1", "values": {"fields": {"title": "x"}}}),
            (DELETE_RECORD, cards | {"externalId": "1"}),
        ]
        for document, given_input in asked:
            await acme.ask(document, input=given_input)
        await acme.ask(PROVOKE_RECORDS, id=by["id"])
        await acme.ask(PROVOKE, id=by["id"])
        await gateway.admin.ask(PROVOKE, id=by["id"])
        await acme.ask(TEST, input={"by": by})

        heard = "".join(acme.heard)
        assert {"describe", "location", "records", "locations", "record", "match", "create", "update", "delete"} <= {
            *runtime.connectors["notes"].calls
        }
        assert heard.count('"code":"INTERNAL"') >= 5
        assert_clean(heard, acme.token, gateway.admin.token)
    logged = log()
    assert logged.count("[redacted]") >= 5
    assert_clean(logged, acme.token, gateway.admin.token)


async def test_a_token_that_is_refused_is_not_repeated(runtime: Runtime, log: Any):
    good = mint(runtime.settings.token_secret, customer_external_id="acme", clock=runtime.clock)
    head, body, signature = good.split(".")
    async with serving(runtime) as gateway:
        for token in (good + "x", f"{head}.{body}.", f"{head}.{signature}.{body}", f"{good} {good}", "Basic " + good):
            response = await gateway.http.post(
                "/graphql", json={"query": "{ viewer { isAdmin } }"}, headers={"authorization": f"Bearer {token}"}
            )
            assert response.status_code == 401
            assert_clean(response.text + str(response.headers), good, body, signature)
    assert_clean(log(), good, body, signature)


async def test_no_repr_tells_a_secret(runtime: Runtime, connected: Connection):
    async with runtime.database.read(SYSTEM) as session:
        row = await selection.connection(session, SYSTEM, ConnectionSelector(id=connected.id), field=[])
        integration = await access.integration_of(runtime, SYSTEM, row)
    app = access.open_app(runtime, row, integration)
    inputs = connection_inputs.read(runtime, integration, parameters=parameters(), auth_method="token", credentials={"token": SECRET})
    sealed = row.credentials
    for value in (
        runtime,
        runtime.settings,
        runtime.cipher,
        runtime.database,
        runtime.http,
        runtime.connectors,
        row,
        app,
        app.access,
        inputs,
    ):
        for text in (repr(value), str(value), f"{value!r}", repr([value])):
            assert_clean(text)
            assert repr(sealed)[2:40] not in text
    tokens = Tokens(runtime.settings.token_secret, clock=runtime.clock)
    assert_clean(repr(tokens) + repr(access.Redacted({"token": SECRET})))


async def test_the_files_of_the_database_hold_no_secret(runtime: Runtime, connected: Connection, tmp_path: Path):
    principal = Principal(customer_id=connected.customer_id)
    await connections.update(runtime, principal, by=ConnectionSelector(id=connected.id), credentials={"token": SECRET})

    content = _content_of(tmp_path, "gateway.db*")
    assert connected.customer_id.hex.encode() in content
    for secret in (*FORMS, TOKEN_SECRET, KEY, "the-key-that-seals"):
        assert secret.encode() not in content
        assert secret.encode("utf-16-le") not in content


async def test_credentials_moved_to_another_row_do_not_open(runtime: Runtime, connected: Connection):
    # Whoever can write to the database cannot make another customer's connection their own.
    mallory = await given.connection(runtime, await given.customer(runtime, "mallory"), credentials={"token": SECRET})
    async with runtime.database.write(SYSTEM) as session:
        (row,) = (await session.exec(select(Connection).where(Connection.id == mallory.id))).all()
        row.credentials = connected.credentials
    async with serving(runtime) as gateway:
        answer = await gateway.customer("mallory").ask("{ connections { nodes { location { name } } } }")
    assert [error["extensions"]["code"] for error in answer.errors] == ["INTERNAL"]


def _content_of(folder: Path, pattern: str) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob(pattern))


def test_no_logger_is_given_an_exception():
    # It would show the values of variables, depending on how the log is set up: `errors.trace_of` does not.
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert "exc_info" not in {keyword.arg for keyword in node.keywords}, path
                assert not (isinstance(node.func, ast.Attribute) and node.func.attr == "exception" and node.args), path
