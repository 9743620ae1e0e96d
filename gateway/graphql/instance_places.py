"""The instances of data sources in many connections, found together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import NotFoundError, UserError
from gateway.models import Connection, DataSource, DataSourceInstance
from gateway.services import selection
from gateway.services.selectors import DataSourceSelector

Answer = DataSourceInstance | UserError | None
"""An instance, null where there is none, or why the selector means nothing."""


@dataclass(frozen=True)
class InstancePlace:
    """Where an instance is looked for, as a key."""

    connection_id: UUID
    data_source: DataSourceSelector
    instance_key: str | None
    connection: Connection = field(compare=False)

    @classmethod
    def of(cls, connection: Connection, data_source: DataSourceSelector, instance_key: str | None) -> "InstancePlace":
        """The place of a data source in a connection."""
        return cls(connection.id, data_source, instance_key or None, connection)


async def instances_at(session: AsyncSession, places: Sequence[InstancePlace]) -> list[Answer]:
    """What is at each of the places that is not archived; a selector is resolved once for an integration, and the instances at once."""
    roots: dict[tuple[UUID, DataSourceSelector], DataSource | UserError | None] = {}
    for place in places:
        home = (place.connection.integration_id, place.data_source)
        if home not in roots:
            roots[home] = await _root(session, place)
    found = await _instances(
        session, {place.connection_id for place in places}, [root for root in roots.values() if isinstance(root, DataSource)]
    )

    def answer(place: InstancePlace) -> Answer:
        root = roots[place.connection.integration_id, place.data_source]
        return found.get((place.connection_id, root.id, place.instance_key)) if isinstance(root, DataSource) else root

    return [answer(place) for place in places]


async def _root(session: AsyncSession, place: InstancePlace) -> DataSource | UserError | None:
    try:
        return await selection.root_in(session, place.data_source, place.connection, field=["dataSource"])
    except NotFoundError:
        return None
    except UserError as error:
        return error


async def _instances(
    session: AsyncSession, connection_ids: set[UUID], roots: Sequence[DataSource]
) -> dict[tuple[UUID, UUID, str | None], DataSourceInstance]:
    statement = select(DataSourceInstance).where(
        col(DataSourceInstance.connection_id).in_(connection_ids),
        col(DataSourceInstance.data_source_id).in_({root.id for root in roots}),
        col(DataSourceInstance.archived_at).is_(None),
    )
    return {(row.connection_id, row.data_source_id, row.instance_key): row for row in await session.exec(statement)}
