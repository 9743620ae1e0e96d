"""What the tests of the guard ask for."""

from collections.abc import AsyncIterator

import pytest

from gateway.runtime import Runtime
from tests.guard.world import World, build
from tests.support.gateway_client import GatewayUnderTest, serving
from tests.support.runtime import clock, notes_app, runtime, runtime_url

__all__ = ["clock", "notes_app", "runtime", "runtime_url"]


@pytest.fixture
async def gateway(runtime: Runtime) -> AsyncIterator[GatewayUnderTest]:
    """The whole gateway, behind its front door."""
    async with serving(runtime) as gateway:
        yield gateway


@pytest.fixture
async def world(runtime: Runtime) -> World:
    """What everybody shares, and what the customer Mallory owns."""
    return await build(runtime)
