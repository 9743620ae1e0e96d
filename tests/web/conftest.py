"""The application over a real runtime on SQLite, with a clock that stands still."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.testing import FakeClock
from gateway.web.assembly import assemble
from gateway.web.tokens import mint
from tests.web.serving import NOTES, SCHEMA, Context

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(
        database_url=sqlite_url,
        token_secret="a-secret-of-more-than-32-bytes-for-tests",
        encryption_keys="test:" + base64.b64encode(b"k" * 32).decode(),
        max_body_bytes=2048,
        allowed_origins="https://product.example",
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=NOW, sleep_waits=True)


@pytest.fixture
async def runtime(settings: Settings, clock: FakeClock) -> AsyncIterator[Runtime]:
    async with open_runtime(settings, clock=clock) as runtime:
        yield runtime


@pytest.fixture
def app(runtime: Runtime) -> Starlette:
    NOTES.clear()
    return assemble(runtime, SCHEMA, make_context=Context)


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client


@pytest.fixture
def bearer(settings: Settings, clock: FakeClock) -> Any:
    """Makes the Authorization header of a customer or an admin."""
    return lambda customer=None, **claims: "Bearer " + mint(settings.token_secret, customer_external_id=customer, clock=clock, **claims)
