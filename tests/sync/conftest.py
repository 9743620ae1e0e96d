"""What the tests of the sync engine's work ask for."""

from collections.abc import AsyncIterator

import pytest

from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.testing import FakeClock
from tests.support.changing_app import ChangingApp, ChangingConnector
from tests.support.prepared import KEY_RING
from tests.support.unthreaded_files import unthreaded_files
from tests.sync.world import World, world_of

__all__ = ["app", "clock", "runtime", "runtime_url", "unthreaded_files", "world"]


@pytest.fixture
def clock() -> FakeClock:
    """Time, which stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def app(clock: FakeClock) -> ChangingApp:
    """The app behind the connector `changing`. It takes a second for each answer, so that each page is a commit of its own."""
    return ChangingApp(now=clock.now, takes_its_time=lambda: clock.advance(1))


@pytest.fixture
def runtime_url(sqlite_url: str) -> str:
    """The database; a test module that overrides it with `database_url` runs on both kinds."""
    return sqlite_url


@pytest.fixture
async def runtime(runtime_url: str, clock: FakeClock, app: ChangingApp) -> AsyncIterator[Runtime]:
    """The gateway without its web and without a worker: the test does what is due."""
    settings = Settings(database_url=runtime_url, token_secret="t" * 32, encryption_keys=KEY_RING)
    async with open_runtime(settings, clock=clock, connectors=[ChangingConnector(app)]) as runtime:
        yield runtime


@pytest.fixture
async def world(runtime: Runtime, app: ChangingApp, clock: FakeClock) -> World:
    """An instance of the app's items, which nobody is interested in yet."""
    return await world_of(runtime, app, clock)
