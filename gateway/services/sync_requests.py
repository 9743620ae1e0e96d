"""Asking the sync engine to look again: whoever changes what it goes by asks in the same unit of work.

Only instances that somebody was ever interested in are looked at; the bell is the caller's, after the commit.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from gateway.events.requests import request
from gateway.models import Connection, DataSource, DataSourceInstance, EventSubscription, SyncTask, TaskKind
from gateway.runtime import Runtime


async def of_instance(session: AsyncSession, runtime: Runtime, instance_id: UUID) -> None:
    """After a change of one instance."""
    await request(session, runtime.clock, instance_ids=[instance_id], kinds=[TaskKind.SETUP])


async def of_connection(session: AsyncSession, runtime: Runtime, connection_id: UUID) -> None:
    """After a change of a connection: what failed there is tried again at once."""
    await _request(session, runtime, col(DataSourceInstance.connection_id) == connection_id)
    for kind in (TaskKind.PULL, TaskKind.FULL):
        await request(session, runtime.clock, instance_ids=_failing(connection_id, kind), kinds=[kind])


async def of_integration(session: AsyncSession, runtime: Runtime, integration_id: UUID) -> None:
    """After a change of an integration."""
    await _request(session, runtime, col(DataSourceInstance.connection_id).in_(_connections_of(integration_id)))


async def of_definition(session: AsyncSession, runtime: Runtime, definition: DataSource) -> None:
    """After a change of a definition: its instances, or those of the universal one that it customises in its integration."""
    of_root: ColumnElement[bool] = col(DataSourceInstance.data_source_id) == (definition.universal_id or definition.id)
    if definition.universal_id is not None and definition.integration_id is not None:
        of_root = of_root & col(DataSourceInstance.connection_id).in_(_connections_of(definition.integration_id))
    await _request(session, runtime, of_root)


async def _request(session: AsyncSession, runtime: Runtime, criterion: ColumnElement[bool]) -> None:
    statement = select(EventSubscription.instance_id).join(DataSourceInstance, col(DataSourceInstance.id) == EventSubscription.instance_id)
    await request(session, runtime.clock, instance_ids=statement.where(criterion), kinds=[TaskKind.SETUP])


def _connections_of(integration_id: UUID) -> SelectOfScalar[UUID]:
    return select(Connection.id).where(Connection.integration_id == integration_id)


def _failing(connection_id: UUID, kind: TaskKind) -> SelectOfScalar[UUID]:
    conditions: list[Any] = [SyncTask.connection_id == connection_id, SyncTask.kind == kind.value]
    return select(SyncTask.instance_id).where(*conditions, col(SyncTask.failures) > 0, col(SyncTask.due_at).is_not(None))
