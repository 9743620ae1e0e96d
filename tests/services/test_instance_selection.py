"""How an instance is named: every selector of it reaches the same one, and nobody else's."""

from gateway.errors import (
    InvalidError,
    NotFoundError,
)
from gateway.models.principal import SYSTEM
from gateway.services import data_source_instances, data_sources
from gateway.services.selectors import ConnectionSelector, DataSourceInstanceSelector, DataSourceSelector
from tests.services.instances import by
from tests.support import runtime as given
from tests.support.runtime import refused

BY_KEY = DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="notes"), data_source=DataSourceSelector(key="jottings"))


async def test_the_same_instance_is_reached_by_every_selector(world, instance):
    customization = (await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["notes"]))[0]
    connected = [ConnectionSelector(id=world.connection.id), ConnectionSelector(integration_key="notes")]
    sources = [
        DataSourceSelector(id=world.jottings.id),
        DataSourceSelector(id=customization.id),
        DataSourceSelector(key="jottings"),
        DataSourceSelector(key="jottings", integration_key="notes"),
    ]

    found = [
        await data_source_instances.by_selector(
            world.runtime, world.acme, by=DataSourceInstanceSelector(connection=connection, data_source=source)
        )
        for connection in connected
        for source in sources
    ]
    created = [
        await data_source_instances.create(world.runtime, world.acme, connection=connected[0], data_source=source, instance_key=None)
        for source in sources
    ]

    assert {row.id for row in found} == {instance.id}
    assert [(row.id, is_created) for row, is_created in created] == [(instance.id, False)] * 4


async def test_an_admin_reaches_it_by_naming_the_customer(world, instance):
    of_acme = ConnectionSelector(integration_key="notes", customer_external_id="acme")
    jottings = DataSourceSelector(key="jottings")

    found = await data_source_instances.by_selector(
        world.runtime, SYSTEM, by=DataSourceInstanceSelector(connection=of_acme, data_source=jottings)
    )

    assert found.id == instance.id
    message = "An admin who selects a connection by integration also names the customer: `customerIntegration`."
    async with refused(world.runtime, InvalidError, message, field=["by", "of", "connection"]):
        await data_source_instances.by_selector(
            world.runtime,
            SYSTEM,
            by=DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="notes"), data_source=jottings),
        )


async def test_a_definition_of_another_integration_reaches_no_instance_of_this_connection(world, instance):
    await given.integration(world.runtime, "other")
    elsewhere = (await data_sources.apply(world.runtime, SYSTEM, key="jottings", integration_keys=["other"]))[0]
    message = "Data source 'jottings' belongs to another integration than the connection."
    selector = DataSourceInstanceSelector(
        connection=ConnectionSelector(id=world.connection.id), data_source=DataSourceSelector(id=elsewhere.id)
    )

    async with refused(world.runtime, InvalidError, message, field=["input", "dataSource"]):
        await data_source_instances.create(
            world.runtime, world.acme, connection=selector.connection, data_source=selector.data_source, instance_key=None
        )
    async with refused(world.runtime, InvalidError, message, field=["input", "by", "of", "dataSource"]):
        await data_source_instances.reset(world.runtime, world.acme, by=selector)


async def test_what_does_not_exist_is_not_found_and_says_which_part(world):
    cases = [
        (BY_KEY, "Data source 'jottings' has no such instance in this connection. Create it first.", ["input", "by", "of"]),
        (DataSourceInstanceSelector(id=world.connection.id), "There is no data source instance of that id.", ["input", "by", "id"]),
        (
            DataSourceInstanceSelector(connection=ConnectionSelector(integration_key="x" * 200), data_source=BY_KEY.data_source),
            f"There is no connection to '{'x' * 100}'.",
            ["input", "by", "of", "connection", "integrationKey"],
        ),
        (
            DataSourceInstanceSelector(connection=BY_KEY.connection, data_source=DataSourceSelector(key="x" * 200)),
            f"There is no data source '{'x' * 100}'.",
            ["input", "by", "of", "dataSource", "key"],
        ),
    ]
    for selector, message, field in cases:
        async with refused(world.runtime, NotFoundError, message, field=field):
            await data_source_instances.reset(world.runtime, world.acme, by=selector)


async def test_another_customers_instance_does_not_exist(world, instance):
    globex = await given.customer(world.runtime, "globex")

    assert await data_source_instances.by_selector(world.runtime, globex, by=by(instance)) is None
    for action in (
        data_source_instances.update(world.runtime, globex, by=by(instance), pull_updates_interval_seconds=60),
        data_source_instances.reset(world.runtime, globex, by=by(instance), dry_run=True),
        data_source_instances.setup(world.runtime, globex, by=by(instance)),
        data_source_instances.archive(world.runtime, globex, by=by(instance)),
    ):
        async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "by", "id"]):
            await action
    async with refused(world.runtime, NotFoundError, "There is no data source instance of that id.", field=["input", "id"]):
        await data_source_instances.restore(world.runtime, globex, id=instance.id)
    async with refused(world.runtime, NotFoundError, "There is no connection of that id.", field=["input", "connection", "id"]):
        await given.instance(world.runtime, globex, world.connection)
