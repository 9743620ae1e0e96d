"""Statements that more than one part needs."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import DataSource

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
