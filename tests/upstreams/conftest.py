"""Real apps, each started once, and gateways in front of them."""

import base64
import io
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.config import Settings
from gateway.runtime import open_runtime
from gateway.testing import FakeClock, ScriptedApp
from gateway.web.logging import configure_logging
from tests.support.datasette import Datasette, running_datasette
from tests.support.gateway_client import GatewayClient, GatewayUnderTest, serving
from tests.support.kinto import ADMIN, READER, Kinto, running_kinto
from tests.support.pocketbase import SUPERUSER, USER, PocketBase, running_pocketbase
from tests.upstreams import content
from tests.upstreams.ledger import Ledger, connector_file, secrets_in
from tests.upstreams.operations import connect, kinto_inputs, pocketbase_inputs
from tests.upstreams.record_calls import Collection
from tests.upstreams.shelf import CONTACTS_PLACE, Shelf

_numbers = itertools.count()
OpenGateway = Callable[..., AbstractAsyncContextManager[GatewayUnderTest]]


@pytest.fixture(scope="session")
def kinto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinto]:
    with running_kinto(tmp_path_factory.mktemp("kinto")) as app:
        content.fill_kinto(app)
        yield app


@pytest.fixture(scope="session")
def odd_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database whose name, tables and rows are not what people expect."""
    return content.odd_database(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="session")
def datasette(tmp_path_factory: pytest.TempPathFactory, odd_database: Path) -> Iterator[Datasette]:
    with running_datasette(tmp_path_factory.mktemp("datasette"), also=[odd_database]) as app:
        yield app


@pytest.fixture(scope="session")
def pocketbase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBase]:
    with running_pocketbase(tmp_path_factory.mktemp("pocketbase")) as app:
        yield app


@pytest.fixture
async def app() -> AsyncIterator[ScriptedApp]:
    async with ScriptedApp() as app:
        yield app


@pytest.fixture
def clock() -> FakeClock:
    """Waiting takes no time; nothing else moves it."""
    return FakeClock()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, by the gateway and by the libraries below it, down to their chatter."""
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("gateway").level
    configure_logging(level=logging.DEBUG, stream=stream)
    root.setLevel(logging.DEBUG)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger("gateway").setLevel(before[2])


@pytest.fixture
def open_gateway(sqlite_url: str, clock: FakeClock) -> OpenGateway:
    """Opens a gateway on the test's database; by default it may reach this machine's apps."""

    @asynccontextmanager
    async def open_gateway(**settings: Any) -> AsyncIterator[GatewayUnderTest]:
        given = {
            "database_url": sqlite_url,
            "token_secret": "a-secret-of-more-than-32-bytes-for-tests",
            "encryption_keys": "test:" + base64.b64encode(b"k" * 32).decode(),
            "allowed_networks": "127.0.0.0/8",
        }
        async with open_runtime(Settings(**(given | settings)), clock=clock) as runtime, serving(runtime) as gateway:
            yield gateway

    return open_gateway


@pytest.fixture
async def gateway(open_gateway: OpenGateway) -> AsyncIterator[GatewayUnderTest]:
    """A gateway with its bundled connectors."""
    async with open_gateway() as gateway:
        yield gateway


@pytest.fixture
def acme(gateway: GatewayUnderTest) -> GatewayClient:
    """A customer."""
    return gateway.customer()


@pytest.fixture
async def as_admin(gateway: GatewayUnderTest, kinto: Kinto) -> str:
    """Acme's connection, as Kinto's admin."""
    return await connect(gateway, "kinto", **kinto_inputs(kinto.server, ADMIN))


@pytest.fixture
async def as_reader(gateway: GatewayUnderTest, kinto: Kinto) -> str:
    """Acme's connection, as an account of Kinto that may read some buckets only."""
    return await connect(gateway, "kinto", **kinto_inputs(kinto.server, READER))


@pytest.fixture
async def as_user(gateway: GatewayUnderTest, pocketbase: PocketBase) -> str:
    """Acme's connection, as a user."""
    return await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, USER))


@pytest.fixture
async def as_superuser(gateway: GatewayUnderTest, pocketbase: PocketBase) -> str:
    """Acme's connection, as the superuser."""
    return await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, SUPERUSER, users="_superusers"))


@pytest.fixture
def samples(acme: GatewayClient, as_superuser: str, pocketbase: PocketBase) -> Iterator[Collection]:
    """A collection with one field of each type, empty before and after."""
    yield Collection(acme, as_superuser, "records", {"collection": "samples"})
    with pocketbase.client() as client:
        for record in pocketbase.records("samples"):
            client.delete(f"/collections/samples/records/{record['id']}").raise_for_status()


@pytest.fixture
def contacts(acme: GatewayClient, as_admin: str, kinto: Kinto) -> Shelf:
    """The contacts of everybody's tests: not to be written."""
    return Shelf(acme, as_admin, CONTACTS_PLACE, kinto)


@pytest.fixture
def schema() -> dict[str, Any] | None:
    """The JSON Schema of the records on the shelf."""
    return None


@pytest.fixture
def shelf(acme: GatewayClient, as_admin: str, kinto: Kinto, schema: dict[str, Any] | None) -> Iterator[Shelf]:
    """An empty collection of Kinto's, of the test's own."""
    parameters = {"bucket": "open", "collection": f"shelf-{next(_numbers)}"}
    path = f"/buckets/open/collections/{parameters['collection']}"
    with kinto.client() as client:
        client.put(path, json={"data": {"schema": schema} if schema else {}}).raise_for_status()
    yield Shelf(acme, as_admin, parameters, kinto)
    with kinto.client() as client:
        client.delete(path).raise_for_status()


@pytest.fixture(scope="session")
def ledger_connector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The connector of the scripted app, as an operator would add it."""
    return connector_file(tmp_path_factory.mktemp("connectors"))


@pytest.fixture
async def ledger(open_gateway: OpenGateway, app: ScriptedApp, ledger_connector: Path, log: io.StringIO) -> AsyncIterator[Ledger]:
    """A scripted app behind a gateway; whatever the test does, neither an answer nor the log tells a secret."""
    async with open_gateway(connector_files=[ledger_connector], upstream_max_response_bytes=200_000) as gateway:
        yield Ledger(app, gateway, log, ledger_connector)
    assert [secret for text in gateway.heard for secret in secrets_in(text)] == []
    assert secrets_in(log.getvalue()) == []
    assert '"event":"operation"' in log.getvalue()
