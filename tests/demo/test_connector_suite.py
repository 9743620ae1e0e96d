"""The demo's connector keeps what every connector promises."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from gateway.clock import SystemClock
from gateway.demo.app import create_app
from gateway.demo.hosting import hosted
from gateway.demo.workplace import Workplace
from gateway.models import JsonObject, Pointer
from gateway.testing.connector_suite import ConnectorSuite
from tests.demo.conftest import KEY


class _OfDemo(ConnectorSuite):
    file = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "demo.yaml"
    auth_method = "token"
    credentials: ClassVar[JsonObject] = {"token": KEY}
    missing_id = "9999"

    @asynccontextmanager
    async def app(self) -> AsyncIterator[str]:
        """The real app."""
        async with hosted(create_app(Workplace(), key=KEY, now=SystemClock().now, seconds_between_changes=None)) as address:
            yield address


class TestTasks(_OfDemo):
    collection = Pointer("tasks", {"projectId": 2})
    new_fields: ClassVar[JsonObject] = {"title": "Water the plants", "projectId": 2, "followerIds": [3, 4], "assigneeId": None}
    changed_fields: ClassVar[JsonObject] = {"title": "Water the plants twice", "labels": ["green"], "notes": None}


class TestProjects(_OfDemo):
    collection = Pointer("projects")
    page_size = 3
    new_fields: ClassVar[JsonObject] = {"name": "Garden", "description": "All that grows."}
    changed_fields: ClassVar[JsonObject] = {"name": "Gardens", "ownerId": 7}


class TestUsers(_OfDemo):
    collection = Pointer("users")
