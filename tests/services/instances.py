"""Short ways to an instance that tests of its life share."""

from typing import Any

from gateway.models import DataSourceInstance
from gateway.models.settings_in_force import SettingsInForce
from gateway.services import data_source_instances
from gateway.services.elements import Health
from gateway.services.selectors import DataSourceInstanceSelector
from tests.services.conftest import World
from tests.support.runtime import context_of


def by(instance: DataSourceInstance) -> DataSourceInstanceSelector:
    """The selector by its id."""
    return DataSourceInstanceSelector(id=instance.id)


async def update(world: World, instance: DataSourceInstance, **changes: Any) -> DataSourceInstance:
    """The instance after its customer changed it."""
    return await data_source_instances.update(world.runtime, world.acme, by=by(instance), **changes)


async def settings_of(world: World, instance: DataSourceInstance) -> SettingsInForce:
    """Its settings in force."""
    return (await context_of(world.runtime, instance)).settings(world.runtime)


async def health_of(world: World, instance: DataSourceInstance) -> Health:
    """Whether it can be used."""
    return (await context_of(world.runtime, instance)).health(world.runtime)
