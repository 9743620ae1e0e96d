"""An instance together with the rows that decide its settings and its state."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.models import Connection, DataSource, DataSourceInstance, Integration
from gateway.models.settings_in_force import SettingsInForce
from gateway.runtime import Runtime
from gateway.services import elements
from gateway.services.elements import Health
from gateway.storage.rows import by_ids
from gateway.storage.statements import customizations_of


@dataclass(frozen=True, kw_only=True)
class InstanceContext:
    """An instance, its connection and integration, the definition that it hangs on, and the integration's customisation of that."""

    instance: DataSourceInstance
    connection: Connection
    integration: Integration
    root: DataSource
    customization: DataSource | None

    def settings(self, runtime: Runtime) -> SettingsInForce:
        """The instance's settings in force."""
        return elements.instance_settings(
            runtime, self.instance, root=self.root, customization=self.customization, integration=self.integration
        )

    def health(self, runtime: Runtime) -> Health:
        """Whether the instance can be used, and why not."""
        return elements.instance_health(
            runtime,
            self.instance,
            root=self.root,
            customization=self.customization,
            connection=self.connection,
            integration=self.integration,
        )


async def contexts(session: AsyncSession, instances: Sequence[DataSourceInstance]) -> list[InstanceContext]:
    """The contexts of instances, in their order, in four statements however many they are."""
    connections = await by_ids(session, Connection, {row.connection_id for row in instances})
    integrations = await by_ids(session, Integration, {row.integration_id for row in connections.values()})
    roots = await by_ids(session, DataSource, {row.data_source_id for row in instances})
    places = [(row.data_source_id, connections[row.connection_id].integration_id) for row in instances]
    customizations = await customizations_of(session, places)
    return [
        InstanceContext(
            instance=row,
            connection=connections[row.connection_id],
            integration=integrations[place[1]],
            root=roots[row.data_source_id],
            customization=customizations.get(place),
        )
        for row, place in zip(instances, places, strict=True)
    ]


async def read_context(session: AsyncSession, instance: DataSourceInstance) -> InstanceContext:
    """The context of one instance."""
    return (await contexts(session, [instance]))[0]
