"""Two customers of one gateway: Mallory, who asks for what is not hers, and the victim, who may not even exist for her."""

from dataclasses import dataclass, fields
from uuid import UUID

from gateway.graphql.ids import global_id, record_id
from gateway.models import ChangeType, Connection, Customer, DataSourceInstance, EventSubscription, Pointer, Principal, SyncKind, SyncRun
from gateway.models.base import new_id
from gateway.models.principal import SYSTEM
from gateway.runtime import Runtime
from gateway.services import connections, data_source_instances, event_subscriptions, sync_runs
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, PointerInput
from tests.support.runtime import connection, customer, definition, instance, integration

MALLORY = "mallory"


@dataclass(frozen=True)
class Names:
    """All by which one customer's rows can be named."""

    external_id: str
    integration: str
    """The key of an integration in which this customer alone has a connection, or nobody has."""
    instance_key: str
    customer: str
    connection: str
    archived_connection: str
    instance: str
    keyed_instance: str
    archived_instance: str
    subscription: str
    run: str
    record: str

    def translated(self, text: str, into: "Names") -> str:
        """The text with each of these names replaced by the other customer's."""
        for field in fields(self):
            text = text.replace(getattr(self, field.name), getattr(into, field.name))
        return text


@dataclass(frozen=True)
class World:
    """What all share, and Mallory's own rows."""

    runtime: Runtime
    suffix: str
    shared: str
    """The key of the integration in which both customers have a connection."""
    integration: str
    definition: str
    customization: str
    """Global ids of the shared integration, of the definition that all use, and of its customisation there."""
    key: str
    """The definition's key."""
    own: Names
    nobody: Names
    """Names of a customer who does not exist, in an integration to which nobody is connected."""


async def build(runtime: Runtime, suffix: str = "") -> World:
    """The world without the victim."""
    shared, own_key, key = f"notes{suffix}", f"mallorys{suffix}", f"jottings{suffix}"
    home = await integration(runtime, shared)
    for integration_key in (own_key, f"victims{suffix}", f"vacant{suffix}"):
        await integration(runtime, integration_key)
    row = await definition(runtime, key, udm="tasks", pointer=PointerInput(path="/data/cards"))
    custom = await definition(runtime, key, integration_key=shared, universal_key=key, udm=None)
    nobody = Names(f"nobody-corp{suffix}", f"vacant{suffix}", "tray-of-none", *(_absent(kind) for kind in _KINDS), _record(new_id()))
    own = await _settle(runtime, MALLORY + suffix, own_key, "tray-of-hers", shared=shared, definition_key=key)
    return World(runtime, suffix, shared, global_id(home), global_id(row), global_id(custom), key, own, nobody)


async def add_victim(world: World) -> Names:
    """The victim, with a connection of each kind and instances of each kind."""
    suffix = world.suffix
    return await _settle(
        world.runtime, f"victim-corp{suffix}", f"victims{suffix}", "tray-of-his", shared=world.shared, definition_key=world.key
    )


_KINDS = (
    *(Customer, Connection, Connection, DataSourceInstance, DataSourceInstance, DataSourceInstance),
    *(EventSubscription, SyncRun),
)


def _record(connection_id: UUID) -> str:
    return record_id(connection_id, Pointer("cards"), "1")


def _absent(kind: type) -> str:
    return global_id(kind(id=new_id()))


async def _settle(runtime: Runtime, external_id: str, own_integration: str, tray: str, *, shared: str, definition_key: str) -> Names:
    principal = await customer(runtime, external_id)
    connected = await connection(runtime, principal, integration_key=own_integration, name=f"{external_id} at home")
    elsewhere = await connection(runtime, principal, integration_key=shared, name=f"{external_id} abroad")
    archived = await connection(runtime, principal, integration_key=own_integration, name=f"{external_id} once")
    await connections.archive(runtime, SYSTEM, by=ConnectionSelector(id=archived.id))
    default = await instance(runtime, principal, connected, definition_key)
    keyed = await instance(runtime, principal, connected, definition_key, instance_key=tray)
    old = await instance(runtime, principal, elsewhere, definition_key, instance_key="old")
    await instance(runtime, principal, elsewhere, definition_key)
    await data_source_instances.archive(runtime, SYSTEM, by=DataSourceInstanceSelector(id=old.id))
    by = DataSourceInstanceSelector(id=default.id)
    await event_subscriptions.subscribe(runtime, principal, by=by, types=[ChangeType.DELETED])
    (subscription,) = (await event_subscriptions.of_instances(runtime, principal, [default.id]))[default.id]
    run = await sync_runs.request(runtime, principal, by=by, kind=SyncKind.FULL_SYNC)
    return Names(
        external_id,
        own_integration,
        tray,
        global_id(await _row(runtime, principal)),
        global_id(connected),
        global_id(archived),
        global_id(default),
        global_id(keyed),
        global_id(old),
        global_id(subscription),
        global_id(run),
        _record(connected.id),
    )


async def _row(runtime: Runtime, principal: Principal) -> Customer:
    async with runtime.database.read(principal) as session:
        row = await session.get(Customer, principal.customer_id)
    assert row is not None
    return row
