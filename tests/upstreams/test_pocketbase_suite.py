"""PocketBase's connector keeps what every connector promises, with the real PocketBase behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from gateway.models import JsonObject, Pointer
from gateway.testing import Answer, ReceivedRequest, Scripted, ScriptedApp
from gateway.testing.connector_suite import ConnectorSuite
from gateway.testing.connector_suite.trial import Subject
from gateway.testing.scripted_app import Handler
from tests.support.pocketbase import USER, PocketBase

pytestmark = pytest.mark.xdist_group("upstreams_pocketbase")


class TestPocketBase(ConnectorSuite):
    file = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "pocketbase.yaml"
    collection = Pointer("deals")
    auth_method = "password"
    credentials: ClassVar[JsonObject] = {"identity": USER[0], "password": USER[1]}
    page_size = 5
    new_fields: ClassVar[JsonObject] = {"title": "A new one", "amount": 1.5, "stage": "won"}
    changed_fields: ClassVar[JsonObject] = {"title": "An old one", "amount": 0}
    server: str

    @pytest.fixture(autouse=True)
    def _running(self, pocketbase: PocketBase) -> None:
        self.server = pocketbase.server

    @asynccontextmanager
    async def app(self) -> AsyncIterator[str]:
        """The real app."""
        yield self.server

    @asynccontextmanager
    async def faulty(self, handler: Handler) -> AsyncIterator[tuple[Subject, ScriptedApp]]:
        """The faults are those of an app that one can sign in to."""

        def answer(request: ReceivedRequest) -> Scripted:
            return Answer(json={"token": "a-token-of-the-app"}) if request.target.endswith("auth-with-password") else handler(request)

        async with super().faulty(answer) as found:
            yield found
