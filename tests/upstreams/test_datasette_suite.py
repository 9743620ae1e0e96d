"""Datasette's connector keeps what every connector promises, with the real Datasette behind it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from gateway.models import JsonObject, Pointer
from gateway.testing.connector_suite import ConnectorSuite
from tests.support.datasette import Datasette
from tests.support.plain_http import PLAIN

pytestmark = pytest.mark.xdist_group("upstreams_datasette")

_PLACES = 5


class TestDatasette(ConnectorSuite):
    file = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "datasette.yaml"
    collection = Pointer("rows", {"database": "crm", "table": "places"})
    auth_method = "bearer"
    page_size = 2
    new_fields: ClassVar[JsonObject] = {"country": "de", "town": "Ulm, Donau", "people": 128_000}
    changed_fields: ClassVar[JsonObject] = {"people": None}
    server: str
    credentials: JsonObject

    @pytest.fixture(autouse=True)
    def _filled(self, datasette: Datasette) -> Iterator[None]:
        """Some places to read, gone afterwards."""
        self.server, self.credentials = datasette.server, {"token": datasette.token}
        headers = {"Authorization": f"Bearer {datasette.token}"}
        with httpx.Client(base_url=f"{datasette.server}/crm/places", headers=headers, trust_env=False, verify=PLAIN) as client:
            rows = [{"country": "de", "town": f"Town {number}", "people": number} for number in range(_PLACES)]
            client.post("/-/upsert", json={"rows": rows}).raise_for_status()
            yield
            for number in range(_PLACES):
                client.post(f"/de,Town~20{number}/-/delete", json={}).raise_for_status()

    @asynccontextmanager
    async def app(self) -> AsyncIterator[str]:
        """The real app."""
        yield self.server
