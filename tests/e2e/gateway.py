"""A whole gateway as an operator runs it: server, worker and database, asked over its own port."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.sync.worker import running_worker
from gateway.web.app import create_app
from gateway.web.server import serve
from gateway.web.tokens import mint
from tests.support.gateway_client import GatewayUnderTest
from tests.support.processes import free_port

SUBSCRIBE = """mutation ($input: DataSourceInstanceSubscribeInput!) { dataSourceInstanceSubscribe(input: $input) {
  dataSourceInstance { id subscriptions { type method status } } userErrors { code message field } } }"""
EVENTS = """query ($id: ID!, $after: String) { dataSourceInstance(by: { id: $id }) { events(first: 100, after: $after) {
  nodes { cursor type method externalId changedFields previousFields record { externalId fields } }
  pageInfo { hasNextPage endCursor } } } }"""


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Returns when it holds; fails when it does not in so many seconds."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - what is waited for happens in other processes.
            await asyncio.sleep(0.1)


@dataclass(frozen=True)
class RunningGateway(GatewayUnderTest):
    """A gateway on a port."""

    port: int = 0

    @property
    def socket_url(self) -> str:
        """Where WebSockets connect."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    def token(self, customer: str = "acme") -> str:
        """What makes somebody the customer."""
        return mint(self.runtime.settings.token_secret, customer_external_id=customer)

    async def history(self, instance: str, *, after: str | None) -> list[dict[str, Any]]:
        """Every event of an instance after a cursor."""
        found: list[dict[str, Any]] = []
        while True:
            data = await self.customer().execute(EVENTS, id=instance, after=after)
            page = data["dataSourceInstance"]["events"]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


@asynccontextmanager
async def running_gateway(database_url: str, **settings: Any) -> AsyncIterator[RunningGateway]:
    """A gateway that syncs every second, and that apps reach on the loopback."""
    port = free_port()
    given = {
        "database_url": database_url,
        "token_secret": "a-secret-of-more-than-32-bytes-for-tests",
        "encryption_keys": "test:" + base64.b64encode(b"k" * 32).decode(),
        "allowed_networks": "127.0.0.0/8",
        "public_url": f"http://127.0.0.1:{port}",
        "minimum_pull_updates_interval_seconds": 1,
        "minimum_full_sync_interval_seconds": 1,
    }
    async with (
        open_runtime(Settings(**(given | settings))) as runtime,
        running_worker(runtime),
        _serving(runtime, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http,
    ):
        yield RunningGateway(runtime, http, port=port)


@asynccontextmanager
async def _serving(runtime: Runtime, port: int) -> AsyncIterator[None]:
    ready = asyncio.Event()
    serving = asyncio.create_task(serve(create_app(runtime), host="127.0.0.1", port=port, on_ready=lambda _: ready.set()))
    await ready.wait()
    try:
        yield
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
