"""What a client subscribes to: changes of records as they are recorded, and rows as they change."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from functools import partial
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import InvalidError
from gateway.events.batches import Batch
from gateway.events.log import EVERY_TYPE, Topic
from gateway.models import ChangeType, DataSourceInstance, Principal, SyncRun, SyncStatus
from gateway.runtime import Runtime
from gateway.services import selection, standing, watching
from gateway.services.change_streams import ChangeStream
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector
from gateway.services.standing import Standing


def records_changed(
    runtime: Runtime, principal: Principal, *, by: DataSourceInstanceSelector, types: Collection[ChangeType] | None, after: str | None
) -> AsyncGenerator[Batch, None]:
    """Changes of an instance's records as they are recorded, those since `after` first; all who follow the same get the same batches.

    The first batch comes once the baseline stands, and is empty where nothing was missed: whoever reads the records then misses
    no change. While it runs, the instance is kept in sync.

    Raises NotFoundError, AmbiguousError, InvalidError and CursorExpiredError, and at any time what keeps the instance from being
    synced until somebody acts: InvalidError, NoCollectionSelectedError, UpstreamAuthError.
    """

    async def find(session: AsyncSession) -> tuple[UUID, Topic]:
        instance = await selection.instance(session, principal, by, field=["dataSourceInstance"])
        return instance.id, Topic(instance_id=instance.id, types=_types(types))

    return _batches(runtime, principal, find=find, standing_of=standing.of_instance, after=after)


def connection_records_changed(
    runtime: Runtime, principal: Principal, *, by: ConnectionSelector, types: Collection[ChangeType] | None, after: str | None
) -> AsyncGenerator[Batch, None]:
    """The same for all instances of a connection, new ones included; those that cannot be synced are left out."""

    async def find(session: AsyncSession) -> tuple[UUID, Topic]:
        connection = await selection.connection(session, principal, by, field=["connection"])
        return connection.id, Topic(connection_id=connection.id, types=_types(types))

    return _batches(runtime, principal, find=find, standing_of=standing.of_connection, after=after)


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


async def _batches(
    runtime: Runtime,
    principal: Principal,
    *,
    find: Callable[[AsyncSession], Awaitable[tuple[UUID, Topic]]],
    standing_of: Callable[[Runtime, Principal, UUID], Awaitable[Standing]],
    after: str | None,
) -> AsyncGenerator[Batch, None]:
    async with runtime.database.read(principal) as session:
        id_, topic = await find(session)
    ask = partial(standing_of, runtime, principal, id_)
    async with ChangeStream(runtime, topic, key=(principal, id_), ask=ask) as stream, aclosing(stream.batches(after)) as batches:
        async for batch in batches:
            yield batch


def _types(types: Collection[ChangeType] | None) -> frozenset[ChangeType]:
    if types is None:
        return EVERY_TYPE
    if not types:
        raise InvalidError("No type of change is named. Name one, or leave `types` out for all.", field=["types"])
    return frozenset(types)
