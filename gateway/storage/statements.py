"""Statements that more than one part needs, and the locks that keep two units of work from crossing."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlmodel import SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import DataSource

Row = TypeVar("Row", bound=SQLModel)
RootInIntegration = tuple[UUID, UUID]
"""The id of a universal definition, and that of an integration."""


async def customizations_of(session: AsyncSession, places: Collection[RootInIntegration]) -> dict[RootInIntegration, DataSource]:
    """The customisations that are not archived of universal definitions in integrations, where there are any; one statement."""
    wanted = set(places)
    statement = select(DataSource).where(
        col(DataSource.universal_id).in_({root for root, _ in wanted}),
        col(DataSource.integration_id).in_({integration for _, integration in wanted}),
        col(DataSource.archived_at).is_(None),
    )
    found = {(row.universal_id, row.integration_id): row for row in await session.exec(statement)}
    return {
        (root, integration): row for (root, integration), row in found.items() if root and integration and (root, integration) in wanted
    }


async def locked(session: AsyncSession, row: Row, *, shared: bool = False) -> Row | None:
    """The row as it stands now, unchanged by others until the unit of work ends; null when it is gone.

    Shared, several may hold it at once, and none may change it. On SQLite a writer is alone anyway.
    """
    table = type(row)
    statement = select(table).where(col(table.id) == row.id).with_for_update(read=shared)  # type: ignore[attr-defined]
    return (await session.exec(statement.execution_options(populate_existing=True))).first()


async def take_turn(session: AsyncSession, name: str) -> None:
    """Returns when no other unit of work holds the name; it is held until this one ends. On SQLite a writer is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
