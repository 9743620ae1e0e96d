"""What the tests of the schema ask for."""

import pytest

from gateway.runtime import Runtime
from tests.graphql.world import World
from tests.support.runtime import clock, customer, integration, notes_app, runtime, runtime_url

__all__ = ["clock", "notes_app", "runtime", "runtime_url"]


@pytest.fixture
async def world(runtime: Runtime) -> World:
    """An integration of the notes app, and the customer Acme, who has connected nothing yet."""
    await integration(runtime)
    return World(runtime, await customer(runtime, "acme"))
