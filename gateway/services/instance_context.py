"""An instance together with the rows that decide its settings and its state."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import InvalidError, NotFoundError
from gateway.models import Connection, DataSource, DataSourceInstance, Integration
from gateway.models.settings_in_force import SettingsInForce
from gateway.runtime import Runtime
from gateway.services import elements
from gateway.services.elements import Health, Known
from gateway.storage.statements import Definitions, definitions_in

Home = tuple[Connection, Integration]
"""A connection with its integration."""


@dataclass(frozen=True, kw_only=True)
class InstanceContext:
    """An instance, its connection and integration, the definition that it hangs on, and the integration's customisation of that."""

    instance: DataSourceInstance
    connection: Connection
    integration: Integration
    root: DataSource
    customization: DataSource | None

    def require_in_use(self, *, field: Sequence[str] | None = None) -> None:
        """Returns when neither the instance nor its data source is archived; else raises InvalidError."""
        if self.instance.archived_at is not None:
            raise InvalidError("The instance is archived. Restore it first.", field=field)
        if self.root.archived_at is not None:
            raise InvalidError(elements.archived(self.root), field=field)

    @property
    def is_archived(self) -> bool:
        """Whether the instance is, or anything that it belongs to."""
        return any(row.archived_at is not None for row in (self.instance, self.connection, self.integration, self.root))

    def settings(self, runtime: Runtime, *, known: Known | None = None) -> SettingsInForce:
        """The instance's settings in force; `known` is what was found for contexts that were read together with this."""
        return elements.instance_settings(
            runtime, self.instance, root=self.root, customization=self.customization, integration=self.integration, known=known
        )

    def health(self, runtime: Runtime, *, settings: SettingsInForce | None = None, known: Known | None = None) -> Health:
        """Whether the instance can be used, and why not; `settings` are those in force, where they are known, `known` as above."""
        return elements.instance_health(
            runtime,
            self.instance,
            root=self.root,
            customization=self.customization,
            connection=self.connection,
            integration=self.integration,
            settings=settings,
            known=known,
        )


async def contexts(session: AsyncSession, instances: Sequence[DataSourceInstance]) -> list[InstanceContext | None]:
    """The contexts of instances, in their order, in two statements however many they are; null where the connection is gone."""
    homes = await _homes(session, {row.connection_id for row in instances})
    definitions = await definitions_in(
        session,
        root_ids={row.data_source_id for row in instances},
        integration_ids={integration.id for _, integration in homes.values()},
    )
    return [_context_of(row, homes.get(row.connection_id), definitions) for row in instances]


async def read_context(session: AsyncSession, instance: DataSourceInstance) -> InstanceContext:
    """The context of one instance. Raises NotFoundError where its connection was deleted meanwhile."""
    context = (await contexts(session, [instance]))[0]
    if context is None:
        raise gone()
    return context


def gone() -> NotFoundError:
    """What an instance without its connection is answered with."""
    return NotFoundError("The connection of this instance was deleted at this moment.")


async def _homes(session: AsyncSession, connection_ids: set[UUID]) -> dict[UUID, Home]:
    statement = select(Connection, Integration).join(Integration, col(Integration.id) == Connection.integration_id)
    found = await session.exec(statement.where(col(Connection.id).in_(connection_ids)))
    return {connection.id: (connection, integration) for connection, integration in found}


def _context_of(instance: DataSourceInstance, home: Home | None, definitions: Definitions) -> InstanceContext | None:
    if home is None:
        return None
    connection, integration = home
    root_id = instance.data_source_id
    return InstanceContext(
        instance=instance,
        connection=connection,
        integration=integration,
        root=definitions.roots[root_id],
        customization=definitions.customizations.get((root_id, integration.id)),
    )
