"""Kinto's connector keeps what every connector promises, with the real Kinto behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from gateway.models import JsonObject, Pointer
from gateway.testing.connector_suite import ConnectorSuite
from tests.support.kinto import ADMIN, Kinto

pytestmark = pytest.mark.xdist_group("upstreams_kinto")


class TestKinto(ConnectorSuite):
    file = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "kinto.yaml"
    collection = Pointer("records", {"bucket": "support", "collection": "tickets"})
    auth_method = "basic"
    credentials: ClassVar[JsonObject] = {"username": ADMIN[0], "password": ADMIN[1]}
    page_size = 2
    new_fields: ClassVar[JsonObject] = {"subject": "It does not start", "tags": ["new"], "at": {"day": 1}}
    changed_fields: ClassVar[JsonObject] = {"subject": "It starts", "tags": None}
    server: str

    @pytest.fixture(autouse=True)
    def _running(self, kinto: Kinto) -> None:
        self.server = kinto.server

    @asynccontextmanager
    async def app(self) -> AsyncIterator[str]:
        """The real app."""
        yield self.server
