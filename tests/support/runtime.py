"""A real runtime on a real database, with the notes app connected by hand: what tests of services, GraphQL and web stand on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import inspect
from sqlmodel import SQLModel

from gateway.config import Settings
from gateway.errors import GatewayError, UserError
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, EventSubscription, Integration, Pointer, Principal, SyncRun
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime, open_runtime
from gateway.services import connections, customers, data_source_instances, data_sources, integrations, selection
from gateway.services.access import integration_of
from gateway.services.instance_context import InstanceContext, read_context
from gateway.services.record_places import RecordPlace
from gateway.services.selectors import ConnectionSelector, DataSourceSelector
from gateway.testing import FakeClock
from tests.support.limits import UNLIMITED
from tests.support.notes_connector import GOOD_TOKEN, NotesApp, NotesConnector, parameters
from tests.support.prepared import KEY_RING

TABLES: tuple[type[SQLModel], ...] = (Customer, Integration, Connection, DataSource, DataSourceInstance, EventSubscription, SyncRun)
_ALL = {table.__name__: (columns := inspect(table).local_table).select().order_by(columns.c.id) for table in TABLES}


@pytest.fixture
def clock() -> FakeClock:
    """Time, which stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def notes_app() -> NotesApp:
    """The app behind the connector `notes`."""
    return NotesApp()


@pytest.fixture
def runtime_url(sqlite_url: str) -> str:
    """The database of `runtime`; a test module that overrides it with `database_url` runs on both kinds."""
    return sqlite_url


@pytest.fixture
async def runtime(runtime_url: str, clock: FakeClock, notes_app: NotesApp) -> AsyncIterator[Runtime]:
    """The gateway without its web, on an empty database, with the connector `notes` beside those that come along."""
    # Much is asked at once of it, to see that it is read together.
    settings = Settings(database_url=runtime_url, token_secret="t" * 32, encryption_keys=KEY_RING, **UNLIMITED)
    async with open_runtime(settings, clock=clock, connectors=[NotesConnector(notes_app)]) as runtime:
        yield runtime


async def customer(runtime: Runtime, external_id: str = "acme") -> Principal:
    """A customer as its token makes it known."""
    row = await customers.see(runtime, external_id=external_id, name=None, fields=None)
    return Principal(customer_id=row.id)


async def integration(runtime: Runtime, key: str = "notes", **given: Any) -> Integration:
    """An integration of the notes app."""
    arguments = {"name": None, "connector_key": "notes", "parameters": None} | given
    return await integrations.create(runtime, SYSTEM, key=key, **arguments)


async def connection(runtime: Runtime, principal: Principal, **given: Any) -> Connection:
    """A customer's connection to the notes app."""
    arguments = {
        "integration_key": "notes",
        "name": None,
        "parameters": parameters(),
        "auth_method": "token",
        "credentials": {"token": GOOD_TOKEN},
        "customer_external_id": None,
    }
    return await connections.create(runtime, principal, **(arguments | given))


async def definition(runtime: Runtime, key: str = "jottings", **given: Any) -> DataSource:
    """A definition, by default a universal one of the model `notes`."""
    return await data_sources.create(runtime, SYSTEM, key=key, **({"udm": "notes"} | given))


async def instance(
    runtime: Runtime, principal: Principal, connected: Connection, key: str = "jottings", **given: Any
) -> DataSourceInstance:
    """The instance of a definition in a connection."""
    found, _ = await data_source_instances.create(
        runtime,
        principal,
        connection=ConnectionSelector(id=connected.id),
        data_source=DataSourceSelector(key=key),
        **({"instance_key": None} | given),
    )
    return found


async def place(runtime: Runtime, connected: Connection, pointer: Pointer | None = None, *, udm: str | None = None) -> RecordPlace:
    """A collection of a connection, by default its notes, with the connection's integration as it is stored now."""
    integrated = await integration_of(runtime, SYSTEM, connected)
    return RecordPlace(connection=connected, integration=integrated, pointer=pointer or Pointer("notes"), udm=udm)


async def stored(runtime: Runtime) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, as it is stored."""
    async with runtime.database.read(SYSTEM) as session:
        # Not as objects, which take four times as long to make: tests look at all rows again and again.
        connection = await session.connection()
        return {name: [dict(row) for row in (await connection.execute(statement)).mappings()] for name, statement in _ALL.items()}


async def counts(runtime: Runtime) -> dict[str, int]:
    """How many rows each table has that has any."""
    return {name: len(rows) for name, rows in (await stored(runtime)).items() if rows}


@asynccontextmanager
async def refused(runtime: Runtime, error: type[GatewayError], message: str, *, field: list[str] | None = None) -> AsyncIterator[None]:
    """The block is refused with exactly this class, message and field path, and nothing that is stored has changed."""
    before = await stored(runtime)
    with pytest.raises(GatewayError) as caught:
        yield
    told = caught.value
    assert (type(told), told.message, told.field if isinstance(told, UserError) else None) == (error, message, field)
    assert await stored(runtime) == before


async def context_of(runtime: Runtime, row: DataSourceInstance) -> InstanceContext:
    """An instance with the rows that decide its settings and its state, as they are stored now."""
    async with runtime.database.read(SYSTEM) as session:
        return await read_context(session, await selection.by_id(session, DataSourceInstance, row.id, field=[]))
