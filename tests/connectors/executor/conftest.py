"""A scripted app, and a short way to describe a connector to it."""

from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from typing import Any

import pytest

from gateway.connectors.executor import DeclarativeConnector, ExecutorLimits
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http
from gateway.connectors.protocol import Access
from gateway.testing import FakeClock, ScriptedApp
from tests.connectors.executor.notes import access_with, notes_file


@pytest.fixture
async def app() -> AsyncIterator[ScriptedApp]:
    async with ScriptedApp() as app:
        yield app


@pytest.fixture
async def other_app() -> AsyncIterator[ScriptedApp]:
    """An app on another port, which is another host to credentials."""
    async with ScriptedApp() as app:
        yield app


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    yield http
    await http.aclose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connector(app: ScriptedApp, http: Http, clock: FakeClock) -> Callable[..., DeclarativeConnector]:
    """Makes a connector of a notes file with the given parts."""

    usual = clock

    def connector(
        *, limits: ExecutorLimits | None = None, server: str | None = None, clock: FakeClock = usual, **parts: Any
    ) -> DeclarativeConnector:
        file = ConnectorFile.model_validate(notes_file(server if server is not None else app.url, **parts))
        return DeclarativeConnector(file, http, clock=clock, limits=limits)

    return connector


@pytest.fixture
def access() -> Access:
    return access_with()
