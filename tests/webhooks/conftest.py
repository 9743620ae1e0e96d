"""A gateway that apps can reach, and the changing app that sends to it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.testing import FakeClock
from gateway.web.app import create_app
from tests.support.changing_app import ChangingApp
from tests.support.prepared import KEY_RING
from tests.sync.world import World, world_of
from tests.webhooks.sending import PUBLIC_URL, SENDS, Sender, SendingConnector


@pytest.fixture
def clock() -> FakeClock:
    """Time, which stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def connector(clock: FakeClock) -> SendingConnector:
    """The connector of the app, which has three records."""
    app = ChangingApp(now=clock.now, support=SENDS)
    for number in range(1, 4):
        app.put(f"r{number}", {"n": number})
    return SendingConnector(app)


@pytest.fixture
def runtime_url(sqlite_url: str) -> str:
    """The database; a test module that overrides it with `database_url` runs on both kinds."""
    return sqlite_url


@pytest.fixture
async def runtime(runtime_url: str, clock: FakeClock, connector: SendingConnector) -> AsyncIterator[Runtime]:
    """The gateway without a worker: the test does what is due."""
    settings = Settings(
        database_url=runtime_url,
        token_secret="t" * 32,
        encryption_keys=KEY_RING,
        public_url=PUBLIC_URL,
        max_webhook_bytes=4096,
    )
    async with open_runtime(settings, clock=clock, connectors=[connector]) as runtime:
        yield runtime


@pytest.fixture
async def world(runtime: Runtime, connector: SendingConnector, clock: FakeClock) -> World:
    """An instance of the app's items, which nobody is interested in yet."""
    return await world_of(runtime, connector.app, clock, connector)


@pytest.fixture
async def sender(world: World, connector: SendingConnector) -> AsyncIterator[Sender]:
    """The app as it sends."""
    transport = httpx.ASGITransport(create_app(world.runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        yield Sender(world, connector, http)


@pytest.fixture
async def followed(world: World, sender: Sender) -> Sender:
    """The same once somebody is interested, and the baseline stands."""

    async def follow() -> None:
        await world.subscribe()
        await world.work()
        world.app.requests.clear()

    await world.prepared(follow, "followed")
    return sender
