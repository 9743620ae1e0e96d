"""Unique keys hold under races, on both databases, and tell their name."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import SQLModel, select

from gateway.models import Connection, Customer, DataSource, DataSourceInstance, Integration
from gateway.models.principal import SYSTEM
from gateway.storage import engines, faults
from gateway.storage.database import Database
from tests.storage import world as worlds
from tests.storage.world import TIMES, World

Make = Callable[[World], SQLModel]

UNIQUE: dict[str, Make] = {
    "uq_customer_external_id": lambda world: worlds.customer("raced"),
    "uq_integration_key": lambda world: Integration(key="raced", name="Raced", connector_key="app", **TIMES),
    "uq_data_source_universal_key": lambda world: DataSource(key="raced", **TIMES),
    "uq_data_source_integration_key": lambda world: DataSource(key="raced", integration_id=world.integration.id, **TIMES),
    "uq_data_source_instance_key": lambda world: worlds.instance_of(world.mine.connection, world.data_source, key="raced"),
}


async def violation(database: Database, *rows: SQLModel) -> str | None:
    """The name of the broken index; null when the rows were stored."""
    try:
        await worlds.store(database, *rows)
    except IntegrityError as error:
        name = faults.is_unique_violation(error)
        assert name is not None
        return name
    return None


@pytest.mark.parametrize("name", UNIQUE)
async def test_one_of_ten_that_race_for_a_key_gets_it_and_the_others_learn_its_name(database: Database, name: str):
    world = await worlds.build(database)

    outcomes = await asyncio.gather(*(violation(database, UNIQUE[name](world)) for _ in range(10)))

    assert sorted(outcomes, key=str) == [None, *[name] * 9]
    assert await violation(database, UNIQUE[name](world)) == name


async def test_an_instance_without_a_key_is_one_too(database: Database):
    world = await worlds.build(database)

    keyless = [worlds.instance_of(world.mine.connection, world.data_source) for _ in range(2)]
    empty = worlds.instance_of(world.mine.connection, world.data_source, key="")

    assert await violation(database, keyless[0]) is None
    assert await violation(database, keyless[1]) == "uq_data_source_instance_key"
    assert await violation(database, empty) == "uq_data_source_instance_key"


async def test_archived_definitions_free_their_keys_and_archived_instances_keep_them(database: Database):
    world = await worlds.build(database)
    archived = {"archived_at": worlds.NOW}
    rows = [UNIQUE[name](world) for name in UNIQUE if name != "uq_customer_external_id"]
    for row in rows:
        row.archived_at = worlds.NOW  # type: ignore[attr-defined]
    await worlds.store(database, *rows)

    again = {name: await violation(database, UNIQUE[name](world)) for name in UNIQUE if name != "uq_customer_external_id"}

    assert again == {
        "uq_integration_key": None,
        "uq_data_source_universal_key": None,
        "uq_data_source_integration_key": None,
        "uq_data_source_instance_key": "uq_data_source_instance_key",
    }
    async with database.read(SYSTEM) as session:
        assert {row.archived_at for row in await session.exec(select(DataSource).where(DataSource.key == "raced"))} == {
            archived["archived_at"],
            None,
        }


async def test_a_universal_definition_and_one_of_each_integration_share_a_key(database: Database):
    world = await worlds.build(database)
    second = Integration(key="second", name="Second", connector_key="app", **TIMES)
    await worlds.store(database, second)

    rows = [DataSource(key="raced", integration_id=of, **TIMES) for of in (None, world.integration.id, second.id)]

    assert await violation(database, *rows) is None


async def test_a_primary_key_tells_its_name_and_other_faults_none(database: Database):
    world = await worlds.build(database)
    twin = worlds.customer("twin")
    twin.id = world.mine.customer.id
    assert await violation(database, twin) == "pk_customer"

    orphan = worlds.connection_of(world.mine.customer, world.integration, name="orphan")
    orphan.customer_id = world.integration.id
    nameless = worlds.connection_of(world.mine.customer, world.integration, name="nameless")
    nameless.name = None  # type: ignore[assignment]
    for wrong in (orphan, nameless):
        with pytest.raises(IntegrityError) as fault:
            await worlds.store(database, wrong)
        assert faults.is_unique_violation(fault.value) is None


def test_every_unique_index_is_raced_for():
    named = {
        str(unique.name)
        for model in (Connection, Customer, DataSource, DataSourceInstance, Integration)
        for unique in (*model.__table__.indexes, *model.__table__.constraints)
        if getattr(unique, "unique", None) or str(unique.name).startswith("uq_")
    }
    assert named == set(UNIQUE)


async def test_a_database_that_has_no_time_is_away_for_a_while(tmp_path):
    url = engines.parse_url(f"sqlite+aiosqlite:///{tmp_path}/busy.db")
    engine = engines.create_engine(url, pool_size=2, max_overflow=0, pool_timeout=0.01)
    async with engine.connect() as one, engine.connect() as other:
        await one.exec_driver_sql("CREATE TABLE things (id INTEGER)")
        await other.exec_driver_sql("PRAGMA busy_timeout = 0")
        with pytest.raises(OperationalError) as busy:
            await other.exec_driver_sql("CREATE TABLE others (id INTEGER)")
        with pytest.raises(faults.UNREACHABLE) as exhausted:
            await engine.connect()
    await engine.dispose()

    assert [faults.is_outage(each.value) for each in (busy, exhausted)] == [True, True]
    assert faults.is_outage(asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"))
    assert not faults.is_outage(ValueError())
