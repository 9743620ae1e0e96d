"""What a client subscribes to: changes of records as they are recorded, and rows as they change."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from uuid import UUID

from gateway.errors import InvalidError
from gateway.events.batches import Batch
from gateway.events.log import EVERY_TYPE, Topic
from gateway.models import ChangeType, DataSourceInstance, Principal, SyncRun, SyncStatus
from gateway.runtime import Runtime
from gateway.services import selection, standing, watching
from gateway.services.change_streams import ChangeStream
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector


async def records_changed(
    runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector, types: Collection[ChangeType] | None, after: str | None
) -> AsyncGenerator[Batch, None]:
    """Changes of an instance's records as they are recorded, those since `after` first; all who follow the same get the same batches.

    The first batch comes once the baseline stands, and is empty where nothing was missed: whoever reads the records then misses
    no change. While it runs, the instance is kept in sync.

    Raises NotFoundError, AmbiguousError, InvalidError and CursorExpiredError, and at any time what keeps the instance from being
    synced until somebody acts: InvalidError, NoCollectionSelectedError, UpstreamAuthError.
    """
    async with runtime.database.read(principal) as session:
        instance = await selection.instance(session, principal, by, field=["dataSourceInstance"])
    topic = Topic(instance_id=instance.id, types=_types(types))
    ask = lambda: standing.of_instance(runtime, principal, instance.id)  # noqa: E731
    async with ChangeStream(runtime, topic, key=(principal, instance.id), ask=ask) as stream, aclosing(stream.batches(after)) as batches:
        async for batch in batches:
            yield batch


async def connection_records_changed(
    runtime: Runtime, principal: Principal, *, by: ConnectionSelector, types: Collection[ChangeType] | None, after: str | None
) -> AsyncGenerator[Batch, None]:
    """The same for all instances of a connection, new ones included; those that cannot be synced are left out."""
    async with runtime.database.read(principal) as session:
        connection = await selection.connection(session, principal, by, field=["connection"])
    topic = Topic(connection_id=connection.id, types=_types(types))
    ask = lambda: standing.of_connection(runtime, principal, connection.id)  # noqa: E731
    async with ChangeStream(runtime, topic, key=(principal, connection.id), ask=ask) as stream, aclosing(stream.batches(after)) as batches:
        async for batch in batches:
            yield batch


async def data_source_instance_changed(
    runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector
) -> AsyncGenerator[DataSourceInstance, None]:
    """An instance as it is, and then each time its state, its settings or its subscriptions have changed.

    Raises NotFoundError, AmbiguousError and InvalidError, also once it was deleted.
    """
    async with runtime.database.read(principal) as session:
        instance = await selection.instance(session, principal, by, field=["by"])
    async with aclosing(watching.instance(runtime, principal, instance.id)) as rows:
        async for row in rows:
            yield row


async def sync_run_progressed(runtime: Runtime, principal: Principal, *, id: UUID) -> AsyncGenerator[SyncRun, None]:
    """A run as it is, and then each time it got on, until it is COMPLETED. Raises NotFoundError."""
    async with aclosing(watching.run(runtime, principal, id)) as runs:
        async for run in runs:
            yield run
            if run.status == SyncStatus.COMPLETED.value:
                return


def _types(types: Collection[ChangeType] | None) -> frozenset[ChangeType]:
    if types is None:
        return EVERY_TYPE
    if not types:
        raise InvalidError("No type of change is named. Name one, or leave `types` out for all.", field=["types"])
    return frozenset(types)
