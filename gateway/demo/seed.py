"""What the demo has set up before anybody asks: an integration, a customer with a connection, two data sources and their instances."""

from gateway.models import Connection
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import connections, customers, data_source_instances, data_sources, integrations
from gateway.services.selectors import ConnectionFilter, ConnectionSelector, DataSourceSelector
from gateway.storage.rows import RowWindow

INTEGRATION_KEY = "demo"
CUSTOMER_ID = "acme"
CUSTOMER_NAME = "Acme"
DATA_SOURCES = {"tasks": "Tasks", "users": "Users"}
"""Names by key; the key is also the universal data model."""


async def seed(runtime: Runtime, *, app_url: str, app_key: str) -> None:
    """Sets up what is missing, and points the connection at the address where the app answers now.

    The data sources look for changes as often as they may: who tries the demo waits for them.
    What is there already stays as somebody left it, so that a demo can be stopped and started again.
    """
    if await integrations.by_key(runtime, SYSTEM, key=INTEGRATION_KEY) is None:
        await integrations.create(runtime, SYSTEM, key=INTEGRATION_KEY, name="Demo", connector_key="demo", parameters=None)
    await customers.see(runtime, external_id=CUSTOMER_ID, name=CUSTOMER_NAME, fields=None)
    for key, name in DATA_SOURCES.items():
        await _define(runtime, key=key, name=name)

    connection = await _connection(runtime)
    if connection is not None:
        await _reconnect(runtime, connection, app_url=app_url, app_key=app_key)
        return
    connection = await _connect(runtime, app_url=app_url, app_key=app_key)
    for key in DATA_SOURCES:
        await data_source_instances.create(
            runtime, SYSTEM, connection=ConnectionSelector(id=connection.id), data_source=DataSourceSelector(key=key), instance_key=None
        )


async def _define(runtime: Runtime, *, key: str, name: str) -> None:
    if await data_sources.by_selector(runtime, SYSTEM, by=DataSourceSelector(key=key)) is not None:
        return
    settings = runtime.settings
    await data_sources.create(
        runtime,
        SYSTEM,
        key=key,
        name=name,
        integration_key=None,
        universal_key=None,
        udm=key,
        pointer=None,
        pull_updates_interval_seconds=settings.minimum_pull_updates_interval_seconds,
        full_sync_interval_seconds=settings.minimum_full_sync_interval_seconds,
        event_bodies=None,
    )


async def _connection(runtime: Runtime) -> Connection | None:
    """The demo customer's oldest connection to the app."""
    wanted = ConnectionFilter(integration_key=INTEGRATION_KEY, customer_external_id=CUSTOMER_ID)
    found = await connections.page(runtime, SYSTEM, window=RowWindow(first=1, after=None), filter=wanted, include_archived=False)
    return found.rows[0] if found.rows else None


async def _connect(runtime: Runtime, *, app_url: str, app_key: str) -> Connection:
    return await connections.create(
        runtime,
        SYSTEM,
        integration_key=INTEGRATION_KEY,
        name=f"{CUSTOMER_NAME}'s work tracker",
        parameters={"server": app_url},
        auth_method="token",
        credentials={"token": app_key},
        customer_external_id=CUSTOMER_ID,
    )


async def _reconnect(runtime: Runtime, connection: Connection, *, app_url: str, app_key: str) -> None:
    await connections.update(
        runtime,
        SYSTEM,
        by=ConnectionSelector(id=connection.id),
        parameters={"server": app_url},
        auth_method="token",
        credentials={"token": app_key},
    )
