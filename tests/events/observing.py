"""Instances to observe, and short words for observing them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import SQLModel, col, select, update

from gateway.events import bodies, log
from gateway.events.log import RecordedEvent, Topic
from gateway.events.observations import Observation, Observed, ObservedPlace, observe, tick_of
from gateway.models import (
    ChangeType,
    Connection,
    Customer,
    DataSource,
    DataSourceInstance,
    EventMethod,
    Integration,
    Record,
    Snapshot,
    SyncState,
)
from gateway.models.principal import SYSTEM
from gateway.models.sync import sync_rows
from gateway.storage.database import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = {"created_at": NOW, "updated_at": NOW}


async def followed(database: Database, count: int = 1) -> list[ObservedPlace]:
    """Instances of one connection, each in its first generation."""
    customer = Customer(external_id="acme", **TIMES)
    integration = Integration(key="app", name="App", connector_key="app", **TIMES)
    source = DataSource(key="tasks", **TIMES)
    ids = {"customer_id": customer.id, "integration_id": integration.id}
    connection = Connection(**ids, name="App", auth_method="none", credentials=b"", **TIMES)
    owner = {"customer_id": customer.id, "connection_id": connection.id, "data_source_id": source.id}
    instances = [DataSourceInstance(instance_key=f"{number}", **owner, **TIMES) for number in range(count)]
    await _store(database, integration, source, customer)
    await _store(database, connection)
    await _store(database, *instances)
    await _store(database, *(row for instance in instances for row in sync_rows(instance)))
    async with database.write(SYSTEM) as session:
        await session.exec(update(SyncState).values(generation=1))
    return [ObservedPlace(instance_id=instance.id, connection_id=connection.id, generation=1) for instance in instances]


async def _store(database: Database, *rows: SQLModel) -> None:
    async with database.write(SYSTEM) as session:
        session.add_all(rows)


def record(external_id: str, **fields: Any) -> Record:
    """A record of an app."""
    return Record(external_id=external_id, fields=fields)


def seen(*records: Record, gone: Collection[str] = ()) -> list[Observation]:
    """What an app says: records that it has, and ids of those that it has no longer."""
    there = [Observation(external_id=each.external_id, record=each) for each in records]
    return there + [Observation(external_id=external_id, record=None) for external_id in gone]


async def tell(
    database: Database,
    place: ObservedPlace,
    observations: Sequence[Observation],
    *,
    since_tick: int | None = None,
    method: EventMethod | Mapping[ChangeType, EventMethod] = EventMethod.PULL,
    **options: Any,
) -> Observed:
    """Observes in a unit of work of its own, by default as if the app was asked just now."""
    async with database.write(SYSTEM) as session:
        tick = since_tick if since_tick is not None else await tick_of(session, place.instance_id)
        return await observe(session, place=place, observations=observations, since_tick=tick, method=method, **({"now": NOW} | options))


async def events(database: Database, topic: Topic | None = None, *, after_pos: int = 0, **options: Any) -> list[RecordedEvent]:
    """What the log holds."""
    async with database.read(SYSTEM) as session:
        return await log.read(session, topic=topic or Topic(), after_pos=after_pos, **({"first": 10_000} | options))


async def told(database: Database, topic: Topic | None = None) -> list[tuple[str, str]]:
    """Type and record of each event."""
    return [(event.type.value, event.record_id) for event in await events(database, topic)]


async def snapshot(database: Database, place: ObservedPlace) -> dict[str, dict[str, Any] | None]:
    """The fields of each record that the snapshot knows, null for those that were deleted."""
    async with database.read(SYSTEM) as session:
        rows = await session.exec(
            select(Snapshot)
            .where(Snapshot.instance_id == place.instance_id, Snapshot.generation == place.generation)
            .order_by(col(Snapshot.record_id))
        )
        return {row.record_id: bodies.fields_of(row.body) if row.body is not None else None for row in rows}
