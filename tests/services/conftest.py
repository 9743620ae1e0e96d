"""What the tests of services ask for."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from gateway.models import Connection, DataSource, DataSourceInstance, Integration, Principal
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.testing import FakeClock
from tests.support import runtime as given
from tests.support.notes_connector import NotesApp
from tests.support.prepared import prepared
from tests.support.runtime import clock, notes_app, runtime, runtime_url

__all__ = ["World", "clock", "instance", "notes_app", "runtime", "runtime_url", "world"]


@dataclass(frozen=True)
class World:
    """The customer `acme` with a connection to the integration `notes`, and the universal data source `jottings` of the model `notes`."""

    runtime: Runtime
    acme: Principal
    integration: Integration
    connection: Connection
    jottings: DataSource


@pytest.fixture
async def world(runtime: Runtime, clock: FakeClock, notes_app: NotesApp) -> World:
    """What most tests begin with; nothing is asked of the app yet but the check of the connection."""

    async def make() -> tuple[Principal, UUID, UUID, UUID]:
        acme = await given.customer(runtime, "acme")
        integration = await given.integration(runtime)
        connection = await given.connection(runtime, acme)
        return acme, integration.id, connection.id, (await given.definition(runtime)).id

    acme, integration_id, connection_id, definition_id = await prepared(runtime, clock, [notes_app], make, "the world of services")
    async with runtime.database.read(SYSTEM) as session:
        integration = await session.get_one(Integration, integration_id)
        connection = await session.get_one(Connection, connection_id)
        return World(runtime, acme, integration, connection, await session.get_one(DataSource, definition_id))


@pytest.fixture
async def instance(world: World, notes_app: NotesApp) -> DataSourceInstance:
    """The default instance of `jottings` in that connection, set up; the app has forgotten what it was asked for that."""
    instance = await given.instance(world.runtime, world.acme, world.connection)
    notes_app.requests.clear()
    return instance
