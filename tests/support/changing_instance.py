"""An instance of the changing app's items: what tests of syncs and their benchmark stand on."""

from typing import Any

from gateway.models import DataSourceInstance, Principal
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import connections, customers, data_source_instances, data_sources, integrations
from gateway.services.selectors import ConnectionSelector, DataSourceSelector, PointerInput


async def changing_instance(runtime: Runtime, **settings: Any) -> tuple[Principal, DataSourceInstance]:
    """A customer of its own and their instance of the items, whose definition has these settings."""
    row = await customers.see(runtime, external_id="acme", name=None, fields=None)
    customer = Principal(customer_id=row.id)
    await integrations.create(runtime, SYSTEM, key="changing", name=None, connector_key="changing", parameters=None)
    connected = await connections.create(
        runtime,
        customer,
        integration_key="changing",
        name=None,
        parameters=None,
        auth_method="open",
        credentials=None,
        customer_external_id=None,
    )
    pointer = PointerInput(path="/data/items")
    await data_sources.create(runtime, SYSTEM, key="things", integration_key="changing", pointer=pointer, **settings)
    instance, _ = await data_source_instances.create(
        runtime,
        customer,
        connection=ConnectionSelector(id=connected.id),
        data_source=DataSourceSelector(key="things"),
        instance_key=None,
    )
    return customer, instance
