"""A client that may reach the loop-back, an app there, and a short way to send."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from ipaddress import ip_network

import pytest

from gateway.connectors.http import AppRequest, AppResponse, Http, WebAddress
from gateway.testing import ScriptedApp

Send = Callable[..., Awaitable[AppResponse]]


@pytest.fixture
async def app() -> AsyncIterator[ScriptedApp]:
    async with ScriptedApp() as app:
        yield app


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    yield http
    await http.aclose()


@pytest.fixture
def send(app: ScriptedApp, http: Http) -> Send:
    """Sends to a path of the app."""

    async def send(
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int = 100_000,
        timeout_seconds: float = 10,
    ) -> AppResponse:
        request = AppRequest(method, WebAddress.parse(app.url + path), headers=headers or {}, content=content)
        return await http.send(request, max_bytes=max_bytes, timeout_seconds=timeout_seconds)

    return send
