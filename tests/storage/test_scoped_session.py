"""What a customer's session loads, adds, changes and deletes; and what a read session refuses."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from gateway.errors import InternalError
from gateway.models import Connection, Customer, DataSourceInstance, Integration
from gateway.models.principal import SYSTEM
from gateway.storage.database import Database
from tests.storage import world as worlds
from tests.storage.world import World

Action = Callable[[AsyncSession, World], Awaitable[Any]]


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.build(database)


async def test_another_customers_row_is_not_there_by_its_key(database: Database, world: World):
    async with database.write(world.mine.principal) as session:
        for tenant, expected in ((world.mine, "mine"), (world.theirs, None)):
            for model, row in ((Connection, tenant.connection), (Customer, tenant.customer)):
                found = await session.get(model, row.id)
                assert (found.name if found else None) == expected
            locked = await session.get(Connection, tenant.connection.id, with_for_update=True, populate_existing=True)
            assert (locked.name if locked else None) == expected


async def test_a_row_that_went_to_another_customer_is_not_refreshed(database: Database, world: World):
    async with database.read(world.mine.principal) as session:
        connection = await session.get_one(Connection, world.mine.connection.id)
        await session.rollback()
        await give_away(database, world)

        with pytest.raises(sa.exc.InvalidRequestError, match="Could not refresh instance"):
            await session.refresh(connection)


async def test_changes_reach_the_customers_own_rows_only(database: Database, world: World):
    async with database.write(world.mine.principal) as session:
        changed = await session.exec(sa.update(Connection).values(name="renamed"))
        named = await session.exec(sa.update(Connection).values(name="taken").where(col(Connection.name) == "theirs"))
        deleted = await session.exec(sa.delete(DataSourceInstance).where(col(DataSourceInstance.instance_key) == "theirs"))

    assert (changed.rowcount, named.rowcount, deleted.rowcount) == (1, 0, 0)
    async with database.read(SYSTEM) as session:
        assert (await session.exec(select(Connection.name).order_by(col(Connection.id)))).all() == ["renamed", "theirs"]
        assert len((await session.exec(select(DataSourceInstance))).all()) == 2


async def test_a_change_that_filters_by_a_subquery_sees_the_customers_rows_only(database: Database, world: World):
    of_theirs = sa.select(Connection.id).where(col(Connection.name) == "theirs")
    async with database.write(world.mine.principal) as session:
        blind = await session.exec(sa.update(Connection).values(name="seen").where(sa.exists(of_theirs)))
        gone = await session.exec(sa.delete(DataSourceInstance).where(col(DataSourceInstance.connection_id).not_in(of_theirs)))

    assert (blind.rowcount, gone.rowcount) == (0, 1)


async def test_a_customer_adds_changes_and_deletes_its_own_rows(database: Database, world: World):
    async with database.write(world.mine.principal) as session:
        session.add(worlds.connection_of(world.mine.customer, world.integration, name="second"))
        first = await session.get_one(Connection, world.mine.connection.id)
        first.name = "renamed"
        await session.delete(await session.get_one(DataSourceInstance, world.mine.instance.id))

    async with database.read(world.mine.principal) as session:
        assert (await session.exec(select(Connection.name).order_by(col(Connection.id)))).all() == ["renamed", "second"]
        assert (await session.exec(select(DataSourceInstance))).all() == []


async def add_for_another(session: AsyncSession, world: World) -> None:
    session.add(worlds.connection_of(world.theirs.customer, world.integration, name="planted"))


async def add_for_nobody(session: AsyncSession, world: World) -> None:
    connection = worlds.connection_of(world.mine.customer, world.integration, name="planted")
    connection.customer_id = None  # type: ignore[assignment]
    session.add(connection)


async def add_another_customer(session: AsyncSession, world: World) -> None:
    session.add(worlds.customer("invented"))


async def add_shared(session: AsyncSession, world: World) -> None:
    session.add(Integration(key="mine", name="Mine", connector_key="app", **worlds.TIMES))


async def change_shared(session: AsyncSession, world: World) -> None:
    (await session.get_one(Integration, world.integration.id)).name = "taken"


async def delete_shared(session: AsyncSession, world: World) -> None:
    await session.delete(await session.get_one(Integration, world.integration.id))


async def give_own_row_away(session: AsyncSession, world: World) -> None:
    (await session.get_one(Connection, world.mine.connection.id)).customer_id = world.theirs.customer.id


async def add_a_row_of_another_session(session: AsyncSession, world: World) -> None:
    world.theirs.connection.name = "taken"
    session.add(world.theirs.connection)


async def delete_a_row_of_another_session(session: AsyncSession, world: World) -> None:
    await session.delete(world.theirs.instance)


async def forge_a_row(session: AsyncSession, world: World) -> None:
    forged = Connection(id=world.theirs.connection.id, customer_id=world.mine.customer.id, revision=1)
    make_transient_to_detached(forged)
    session.add(forged)
    forged.name = "taken"


async def merge_a_row_without_looking(session: AsyncSession, world: World) -> None:
    await session.merge(world.theirs.connection, load=False)


async def merge_a_row(session: AsyncSession, world: World) -> None:
    await session.merge(worlds.connection_of(world.theirs.customer, world.integration, name="planted"))


async def update_by_keys(session: AsyncSession, world: World) -> None:
    await session.exec(sa.update(Connection), params=[{"id": world.theirs.connection.id, "name": "taken"}])


async def update_by_one_key(session: AsyncSession, world: World) -> None:
    await session.exec(sa.update(Connection), params={"id": world.theirs.connection.id, "name": "taken"})


async def insert_by_list(session: AsyncSession, world: World) -> None:
    await session.exec(sa.insert(Connection), params=[{"name": "planted", "customer_id": world.theirs.customer.id}])


async def bulk_save(session: AsyncSession, world: World) -> None:
    planted = worlds.connection_of(world.theirs.customer, world.integration, name="planted")
    await session.run_sync(lambda sync: sync.bulk_save_objects([planted]))


async def bulk_update(session: AsyncSession, world: World) -> None:
    await session.run_sync(lambda sync: sync.bulk_update_mappings(Connection, [{"id": world.theirs.connection.id, "name": "taken"}]))


async def bulk_insert(session: AsyncSession, world: World) -> None:
    await session.run_sync(lambda sync: sync.bulk_insert_mappings(Customer, [{"external_id": "planted"}]))


async def below_the_session(session: AsyncSession, world: World) -> None:
    await session.connection()


async def below_the_synchronous_session(session: AsyncSession, world: World) -> None:
    await session.run_sync(lambda sync: sync.connection().exec_driver_sql("UPDATE connection SET name = 'taken'"))


async def streamed_text(session: AsyncSession, world: World) -> None:
    await session.stream(sa.text("SELECT * FROM connection"))


REFUSED: list[Action] = [
    add_for_another,
    add_for_nobody,
    add_another_customer,
    add_shared,
    change_shared,
    delete_shared,
    give_own_row_away,
    add_a_row_of_another_session,
    delete_a_row_of_another_session,
    forge_a_row,
    merge_a_row_without_looking,
    merge_a_row,
    update_by_keys,
    update_by_one_key,
    insert_by_list,
    bulk_save,
    bulk_update,
    bulk_insert,
    below_the_session,
    below_the_synchronous_session,
    streamed_text,
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("action", REFUSED, ids=lambda action: action.__name__)
async def test_a_way_around_is_refused_and_changes_nothing(database: Database, world: World, action: Action):
    before = await stored(database)

    with pytest.raises(InternalError, match="The storage scope refused"):
        async with database.write(world.mine.principal) as session:
            await action(session, world)

    assert await stored(database) == before


async def test_a_row_with_another_customers_key_does_not_replace_it(database: Database, world: World):
    taken = worlds.connection_of(world.mine.customer, world.integration, name="taken")
    taken.id = world.theirs.connection.id
    before = await stored(database)

    with pytest.raises(sa.exc.IntegrityError):
        async with database.write(world.mine.principal) as session:
            await session.merge(taken)

    assert await stored(database) == before


@pytest.mark.parametrize("is_admin", [False, True])
async def test_a_read_session_writes_nothing(database: Database, world: World, is_admin: bool):
    principal = SYSTEM if is_admin else world.mine.principal
    before = await stored(database)

    with pytest.raises(InternalError, match="A read session does not write"):
        async with database.read(principal) as session:
            await session.exec(sa.update(Connection).values(name="renamed"))
    async with database.read(principal) as session:
        (await session.get_one(Connection, world.mine.connection.id)).name = "renamed"
        with pytest.raises(InternalError, match="A read session does not write, and Connection changed in it"):
            await session.flush()
    async with database.read(principal) as session:
        session.add(worlds.connection_of(world.mine.customer, world.integration, name="forgotten"))

    assert await stored(database) == before


async def give_away(database: Database, world: World) -> None:
    async with database.write(SYSTEM) as session:
        (await session.get_one(Connection, world.mine.connection.id)).customer_id = world.theirs.customer.id


async def stored(database: Database) -> dict[str, set[tuple[UUID, Any]]]:
    async with database.read(SYSTEM) as session:
        return {
            "connections": {(row.id, row.name, row.customer_id, row.revision) for row in await session.exec(select(Connection))},
            "customers": {(row.id, row.external_id) for row in await session.exec(select(Customer))},
            "instances": {(row.id, row.customer_id) for row in await session.exec(select(DataSourceInstance))},
            "integrations": {(row.id, row.name, row.revision) for row in await session.exec(select(Integration))},
        }
