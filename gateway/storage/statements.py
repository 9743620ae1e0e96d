"""Statements that more than one part needs, and the locks that keep two units of work from crossing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlmodel import SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import DataSource

Row = TypeVar("Row", bound=SQLModel)
RootInIntegration = tuple[UUID, UUID]
"""The id of a universal definition, and that of an integration."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Root definitions by id, and their customisations that are not archived by root and integration."""

    roots: dict[UUID, DataSource]
    customizations: dict[RootInIntegration, DataSource]


async def definitions_in(session: AsyncSession, *, root_ids: Collection[UUID], integration_ids: Collection[UUID]) -> Definitions:
    """Root definitions, archived or not, and their customisations in integrations; one statement."""
    is_customization = (
        col(DataSource.universal_id).in_(root_ids)
        & col(DataSource.integration_id).in_(integration_ids)
        & col(DataSource.archived_at).is_(None)
    )
    rows = (await session.exec(select(DataSource).where(col(DataSource.id).in_(root_ids) | is_customization))).all()
    return Definitions(
        roots={row.id: row for row in rows if row.is_root},
        customizations={(row.universal_id, row.integration_id): row for row in rows if row.universal_id and row.integration_id},
    )


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
