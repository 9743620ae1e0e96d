"""Two customers with a connection and an instance each: what the tests of storage look at."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import SQLModel

from gateway.models import Connection, Customer, DataSource, DataSourceInstance, Integration, Principal
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = {"created_at": NOW, "updated_at": NOW}


@dataclass(frozen=True)
class Tenant:
    """A customer and what it owns; every name in it begins with the customer's."""

    customer: Customer
    connection: Connection
    instance: DataSourceInstance

    @property
    def principal(self) -> Principal:
        """The customer, signed in."""
        return Principal(customer_id=self.customer.id)


@dataclass(frozen=True)
class World:
    """One integration and one universal data source, which two customers use."""

    integration: Integration
    data_source: DataSource
    mine: Tenant
    theirs: Tenant


async def build(database: Database) -> World:
    """The world, stored."""
    integration = Integration(key="app", name="App", connector_key="app", **TIMES)
    data_source = DataSource(key="tasks", **TIMES)
    world = World(
        integration=integration,
        data_source=data_source,
        mine=_tenant("mine", integration, data_source),
        theirs=_tenant("theirs", integration, data_source),
    )
    await store(database, integration, data_source, world.mine.customer, world.theirs.customer)
    await store(database, world.mine.connection, world.theirs.connection)
    await store(database, world.mine.instance, world.theirs.instance)
    return world


async def store(database: Database, *rows: SQLModel) -> None:
    """The rows, stored by the gateway itself."""
    async with database.write(SYSTEM) as session:
        session.add_all(rows)


def customer(external_id: str) -> Customer:
    """A new customer."""
    return Customer(external_id=external_id, name=external_id, **TIMES)


def connection_of(owner: Customer, integration: Integration, *, name: str) -> Connection:
    """A new connection."""
    return Connection(
        integration_id=integration.id, customer_id=owner.id, name=name, auth_method="none", credentials=name.encode(), **TIMES
    )


def instance_of(connection: Connection, data_source: DataSource, *, key: str | None = None) -> DataSourceInstance:
    """A new instance."""
    return DataSourceInstance(
        connection_id=connection.id, customer_id=connection.customer_id, data_source_id=data_source.id, instance_key=key, **TIMES
    )


def _tenant(name: str, integration: Integration, data_source: DataSource) -> Tenant:
    owner = customer(name)
    connection = connection_of(owner, integration, name=name)
    return Tenant(customer=owner, connection=connection, instance=instance_of(connection, data_source, key=name))
