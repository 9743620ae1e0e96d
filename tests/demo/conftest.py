"""The demo's external app, asked as any client would."""

from datetime import UTC, datetime

import httpx
import pytest

from gateway.demo.app import create_app
from gateway.demo.workplace import Workplace

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
KEY = "a-key-for-tests"


@pytest.fixture
def workplace() -> Workplace:
    return Workplace()


@pytest.fixture
async def client(workplace):
    app = create_app(workplace, key=KEY, now=lambda: NOW, seconds_between_changes=None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app", headers={"X-Api-Key": KEY}) as client:
        yield client
