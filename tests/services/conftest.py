"""What the tests of services ask for."""

from dataclasses import dataclass

import pytest

from gateway.models import Connection, DataSource, DataSourceInstance, Integration, Principal
from gateway.runtime import Runtime
from tests.support import runtime as given
from tests.support.notes_connector import NotesApp
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
async def world(runtime: Runtime) -> World:
    """What most tests begin with; nothing is asked of the app yet but the check of the connection."""
    acme = await given.customer(runtime, "acme")
    integration = await given.integration(runtime)
    connection = await given.connection(runtime, acme)
    return World(runtime, acme, integration, connection, await given.definition(runtime))


@pytest.fixture
async def instance(world: World, notes_app: NotesApp) -> DataSourceInstance:
    """The default instance of `jottings` in that connection, set up; the app has forgotten what it was asked for that."""
    instance = await given.instance(world.runtime, world.acme, world.connection)
    notes_app.requests.clear()
    return instance
