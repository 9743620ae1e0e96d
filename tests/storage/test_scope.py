"""Whatever a customer's session asks or writes, another customer's rows are as if they were not there."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlmodel import SQLModel, select

from gateway.errors import InternalError, NotAuthenticatedError
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, Integration, Principal
from gateway.models.principal import ANONYMOUS, SYSTEM
from gateway.storage import scope
from gateway.storage.database import Database
from tests.storage import world as worlds
from tests.storage.world import World

Statement = Callable[[], Any]
# What a name resolves to, here and below: the tables as the ORM does not know them, and models under other names.
CONNECTIONS: sa.Table = Connection.__table__  # type: ignore[attr-defined]
INSTANCES: sa.Table = DataSourceInstance.__table__  # type: ignore[attr-defined]
INTEGRATIONS: sa.Table = Integration.__table__  # type: ignore[attr-defined]
CUSTOMERS: sa.Table = Customer.__table__  # type: ignore[attr-defined]
OTHER = orm.aliased(Connection, name="other")
UNSYNCHRONIZED = {"synchronize_session": False}


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.build(database)


def names_of_connections() -> Any:
    return sa.select(Connection.name)


def cte_of_connections() -> Any:
    return sa.select(Connection.name, Connection.integration_id).cte("theirs_too")


def recursive_cte() -> Any:
    start = sa.select(Connection.name).cte("walk", recursive=True)
    return sa.select(start.union(sa.select(OTHER.name).join(start, sa.true())).c.name)


NARROWED: dict[str, tuple[Statement, list[Any]]] = {
    "columns": (names_of_connections, ["mine"]),
    "entity column in order": (lambda: sa.select(Connection.name).order_by(Connection.id.desc()), ["mine"]),
    "distinct": (lambda: sa.select(Connection.name).distinct(), ["mine"]),
    "limit past": (lambda: sa.select(Connection.name).offset(1), []),
    "customers": (lambda: sa.select(Customer.external_id), ["mine"]),
    "instances": (lambda: sa.select(DataSourceInstance.instance_key), ["mine"]),
    "count of rows": (lambda: sa.select(sa.func.count()).select_from(Connection), [1]),
    "count of a column": (lambda: sa.select(sa.func.count(Connection.id)), [1]),
    "another aggregate": (lambda: sa.select(sa.func.max(Connection.name)), ["mine"]),
    "constant per row": (lambda: sa.select(sa.literal("row")).select_from(Connection), ["row"]),
    "filter that asks for the other": (lambda: sa.select(Connection.name).where(Connection.name == "theirs"), []),
    "filter with or": (lambda: sa.select(Connection.name).where(sa.or_(Connection.name == "theirs", sa.true())), ["mine"]),
    "filter_by": (lambda: sa.select(Connection.name).filter_by(name="theirs"), []),
    "having": (lambda: sa.select(sa.func.count(Connection.id)).group_by(Connection.integration_id).having(sa.func.count() > 1), []),
    "alias": (lambda: sa.select(OTHER.name), ["mine"]),
    "alias of a subquery": (lambda: sa.select(orm.aliased(Connection, sa.select(Connection).subquery()).name), ["mine"]),
    "alias of a limited subquery": (lambda: sa.select(orm.aliased(Connection, sa.select(OTHER).limit(5).subquery()).name), ["mine"]),
    "subquery": (lambda: sa.select(sa.select(Connection.name).subquery().c.name), ["mine"]),
    "subquery of a subquery": (lambda: sa.select(sa.select(sa.select(Connection.name).subquery()).subquery().c.name), ["mine"]),
    "cte": (lambda: sa.select(cte_of_connections().c.name), ["mine"]),
    "cte counted": (lambda: sa.select(sa.func.count()).select_from(cte_of_connections()), [1]),
    "recursive cte": (recursive_cte, ["mine"]),
    "cte added": (lambda: sa.select(sa.func.count(Integration.id)).add_cte(cte_of_connections()), [1]),
    "scalar subquery": (lambda: sa.select(sa.select(sa.func.count(Connection.id)).scalar_subquery()), [1]),
    "correlated scalar subquery": (
        lambda: sa.select(
            sa.select(sa.func.count(Connection.id))
            .where(Connection.integration_id == Integration.id)
            .correlate(Integration)
            .scalar_subquery()
        ).select_from(Integration),
        [1],
    ),
    "subquery in the order": (
        lambda: sa.select(Integration.key).order_by(sa.select(sa.func.count(Connection.id)).scalar_subquery()),
        ["app"],
    ),
    "exists": (lambda: sa.select(sa.exists().where(Connection.name == "theirs")), [False]),
    "exists of a select": (lambda: sa.select(sa.select(Connection.id).where(Connection.name == "theirs").exists()), [False]),
    "exists as a filter": (lambda: sa.select(Integration.key).where(sa.exists().where(Connection.name == "theirs")), []),
    "not exists": (lambda: sa.select(Integration.key).where(~sa.exists().where(Connection.name == "theirs")), ["app"]),
    "exists nested": (
        lambda: sa.select(Integration.key).where(
            sa.exists().where(sa.exists().where(Connection.name == "theirs"), DataSource.id.is_not(None))
        ),
        [],
    ),
    "in a subquery": (
        lambda: sa.select(Integration.key).where(
            Integration.id.in_(sa.select(Connection.integration_id).where(Connection.name == "theirs"))  # type: ignore[attr-defined]
        ),
        [],
    ),
    "join": (lambda: sa.select(Connection.name).join(Integration, Integration.id == Connection.integration_id), ["mine"]),
    "join to": (lambda: sa.select(Connection.name).select_from(Integration).join(Connection, sa.true()), ["mine"]),
    "join of a subquery": (
        lambda: sa.select(Integration.key, (joined := cte_of_connections()).c.name).join(joined, sa.true()),
        [("app", "mine")],
    ),
    "join on the other customer": (
        lambda: sa.select(Customer.external_id, Connection.name).join(Connection, sa.true()),
        [("mine", "mine")],
    ),
    "outer join": (
        lambda: sa.select(Integration.key, Connection.name).outerjoin(Connection, Connection.name == "theirs"),
        [("app", None)],
    ),
    "comma": (lambda: sa.select(Integration.key, Connection.name).where(Connection.integration_id == Integration.id), [("app", "mine")]),
    "comma by filter alone": (
        lambda: sa.select(Integration.key).where(Connection.name == "theirs", Connection.integration_id == Integration.id),
        [],
    ),
    "union": (lambda: sa.union_all(sa.select(Connection.name), sa.select(OTHER.name)), ["mine", "mine"]),
    "union with a shared table": (lambda: sa.union_all(sa.select(INTEGRATIONS.c.key), sa.select(Connection.name)), ["app", "mine"]),
    "union below": (lambda: sa.select(sa.union(sa.select(Connection.name), sa.select(OTHER.name)).subquery().c.name), ["mine"]),
    "except": (lambda: sa.except_(sa.select(Connection.name), sa.select(Connection.name).where(Connection.name == "mine")), []),
    "intersect": (lambda: sa.intersect(sa.select(Connection.name), sa.select(Customer.external_id)), ["mine"]),
    "shared tables below the ORM": (lambda: sa.select(INTEGRATIONS.c.key), ["app"]),
    "shared table that filters by a model": (
        lambda: sa.select(INTEGRATIONS.c.key).where(
            INTEGRATIONS.c.id.in_(sa.select(Connection.integration_id).where(Connection.name == "theirs"))
        ),
        [],
    ),
    "criteria of its own": (
        lambda: sa.select(Connection.name).options(orm.with_loader_criteria(Connection, sa.true(), include_aliases=True)),
        ["mine"],
    ),
    "with_only_columns": (lambda: sa.select(Connection.id).with_only_columns(sa.func.count(), maintain_column_froms=True), [1]),
    "case": (lambda: sa.select(sa.case((sa.exists().where(Connection.name == "theirs"), "seen"), else_="unseen")), ["unseen"]),
    "within over, beside a narrowed alias": (
        lambda: sa.select(sa.func.count(Connection.id).over()).where(sa.exists(sa.select(OTHER.id).where(OTHER.name == "mine"))),
        [1],
    ),
    "join object": (lambda: sa.select(Connection.name).select_from(sa.join(Integration, Connection, sa.true())), ["mine"]),
    "outer join object": (lambda: sa.select(Connection.name).select_from(orm.outerjoin(Integration, Connection, sa.true())), ["mine"]),
    "the model and its table": (lambda: sa.select(CONNECTIONS.c.name).where(Connection.name == "theirs"), []),
    "row lock": (lambda: sa.select(Connection.name).with_for_update(), ["mine"]),
}


async def test_every_statement_is_narrowed_to_the_customers_rows(database: Database, world: World):
    seen = {}
    for name, (statement, _) in NARROWED.items():
        async with database.write(world.mine.principal) as session:
            rows = (await session.exec(statement())).all()
        seen[name] = [row[0] if isinstance(row, sa.Row) and len(row) == 1 else row for row in rows]

    assert seen == {name: expected for name, (_, expected) in NARROWED.items()}


REFUSED: dict[str, Statement] = {
    "text": lambda: sa.text("SELECT name FROM connection"),
    "text of nothing": lambda: sa.text("SELECT 1"),
    "text with columns": lambda: sa.text("SELECT name FROM connection").columns(sa.column("name")),
    "text as a source": lambda: sa.select(sa.text("name")).select_from(sa.text("connection")),
    "text as a filter": lambda: sa.select(Connection.name).where(sa.text("1 = 1) OR (1 = 1")),
    "text as an order": lambda: sa.select(Connection.name).order_by(sa.text("(SELECT count(*) FROM connection)")),
    "text as a prefix": lambda: sa.select(Connection.name).prefix_with("name FROM connection UNION SELECT"),
    "text as a suffix": lambda: sa.select(Connection.name).suffix_with("UNION SELECT name FROM connection"),
    "text as a hint": lambda: sa.select(Connection.name).with_statement_hint("UNION SELECT name FROM connection"),
    "text as a table's hint": lambda: sa.select(Connection.name).with_hint(Connection, "UNION SELECT name FROM connection"),
    "text in a subquery": lambda: sa.select(sa.text("name FROM connection").columns(sa.column("name")).subquery().c.name),
    "literal column": lambda: sa.select(sa.literal_column("(SELECT max(name) FROM connection)")),
    "statement from text": lambda: sa.select(Connection).from_statement(sa.text("SELECT * FROM connection")),
    "statement from a table": lambda: sa.select(Connection).from_statement(sa.select(CONNECTIONS)),
    "table": lambda: sa.select(CONNECTIONS),
    "column of a table": lambda: sa.select(CONNECTIONS.c.name),
    "table by name": lambda: sa.select(sa.column("name")).select_from(sa.table("connection")),
    "table by name with columns": lambda: sa.select(sa.table("connection", sa.column("name")).c.name),
    "alias of a table": lambda: sa.select(CONNECTIONS.alias("other").c.name),
    "sample of a table": lambda: sa.select(CONNECTIONS.tablesample(100).c.name),
    "model over another table": lambda: sa.select(orm.aliased(Integration, CONNECTIONS.alias(), adapt_on_names=True).name),
    "table in a subquery": lambda: sa.select(sa.select(CONNECTIONS.c.name).subquery().c.name),
    "table in a cte": lambda: sa.select(sa.select(CONNECTIONS.c.name).cte("x").c.name),
    "table in a cte added": lambda: sa.select(Integration.key).add_cte(sa.select(CONNECTIONS.c.name).cte("x")),
    "table in exists": lambda: sa.select(Integration.key).where(sa.exists().where(CONNECTIONS.c.name == "theirs")),
    "table in a function": lambda: sa.select(sa.func.count(CONNECTIONS.c.id)),
    "table in a case": lambda: sa.select(sa.case((CONNECTIONS.c.name == "theirs", 1), else_=0)),
    "table in a window": lambda: sa.select(sa.func.row_number().over(order_by=CONNECTIONS.c.name)),
    "table in a label": lambda: sa.select(CONNECTIONS.c.name.label("key")),
    "table in a union": lambda: sa.union_all(sa.select(Connection.name), sa.select(CONNECTIONS.c.name)),
    "table beside the model": lambda: sa.select(Connection.name).join(CONNECTIONS, sa.true()),
    "table as a source": lambda: sa.select(sa.func.count()).select_from(CONNECTIONS),
    "table of customers": lambda: sa.select(CUSTOMERS.c.external_id),
    "table that nobody classified": lambda: sa.select(sa.table("schema_revision", sa.column("version_num")).c.version_num),
    "the database's own tables": lambda: sa.select(sa.table("pg_stat_activity", sa.column("query")).c.query),
    "join of tables": lambda: sa.select(CONNECTIONS.join(INTEGRATIONS).select().subquery().c.auth_method),
    "join object of tables that are only counted": lambda: sa.select(sa.func.count()).select_from(
        orm.join(Integration, Connection, sa.true())
    ),
    "table in a filter": lambda: sa.select(Integration.key).where(CONNECTIONS.c.integration_id == Integration.id),
    "update from a second model": lambda: (
        sa.update(Connection).values(name=Customer.external_id).where(Customer.name == "theirs", Customer.id != Connection.customer_id)
    ),
    "update from a table": lambda: (
        sa.update(Connection).values(name=CUSTOMERS.c.external_id).where(CUSTOMERS.c.id != Connection.customer_id)
    ),
    "update that filters by a second model": lambda: (
        sa.update(Connection).values(name="taken").where(DataSourceInstance.connection_id != Connection.id)
    ),
    "update that filters by an alias": lambda: sa.update(Connection).values(name="taken").where(OTHER.id != Connection.id),
    "delete with a second model": lambda: (
        sa.delete(DataSourceInstance).where(Connection.id != DataSourceInstance.connection_id).execution_options(is_delete_using=True)
    ),
    "full join": lambda: sa.select(Connection.name).join(Integration, sa.true(), full=True),
    "self join": lambda: sa.select(OTHER.name).select_from(Connection).join(OTHER, OTHER.id != Connection.id),
    "self join of aliases": lambda: sa.select(OTHER.name).join(orm.aliased(Connection), sa.true()),
    "only within over": lambda: sa.select(sa.func.count(Connection.id).over()),
    "only within filter": lambda: sa.select(sa.func.count(Connection.id).filter(Connection.name == "theirs")),
    "only within extract": lambda: sa.select(sa.extract("year", Connection.created_at)),
    "only within over, in a subquery": lambda: sa.select(Connection.name).where(
        sa.select(sa.func.count(OTHER.id).over()).limit(1).scalar_subquery() == 2
    ),
    "insert": lambda: sa.insert(Connection).values(name="new"),
    "insert into a shared table": lambda: sa.insert(Integration).values(key="new"),
    "insert below the ORM": lambda: sa.insert(INTEGRATIONS).from_select(["key"], sa.select(CONNECTIONS.c.name)),
    "insert in a cte": lambda: sa.select(sa.insert(CONNECTIONS).values(name="x").returning(CONNECTIONS.c.name).cte("x").c.name),
    "update of a table": lambda: sa.update(CONNECTIONS).values(name="taken"),
    "update of a shared table": lambda: sa.update(Integration).values(name="taken"),
    "update of a shared table below the ORM": lambda: sa.update(INTEGRATIONS).values(name="taken"),
    "update in a cte": lambda: sa.select(sa.update(CONNECTIONS).values(name="taken").returning(CONNECTIONS.c.name).cte("x").c.name),
    "update of the owner": lambda: sa.update(Connection).values(customer_id=None),
    "update of the owner by attribute": lambda: sa.update(Connection).values({Connection.customer_id: None}),
    "update of the owner by column": lambda: sa.update(Connection).values({CONNECTIONS.c.customer_id: None}),
    "update of the owner in order": lambda: sa.update(Connection).ordered_values((Connection.customer_id, None)),
    "update of a customer's id": lambda: sa.update(Customer).values(id=None),
    "delete of a table": lambda: sa.delete(CONNECTIONS),
    "delete of a shared table": lambda: sa.delete(Integration),
    "delete in a cte": lambda: sa.select(sa.delete(CONNECTIONS).returning(CONNECTIONS.c.name).cte("x").c.name),
    "a statement that makes a table": lambda: sa.schema.CreateTable(CONNECTIONS),
    "a bare function": lambda: sa.func.count(CONNECTIONS.c.id),
}


# Refused before any SQL runs, so that one database tells all.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_statement_that_cannot_be_narrowed_is_refused_and_changes_nothing(database: Database, world: World):
    before = await everything(database)

    for name, statement in REFUSED.items():
        async with database.write(world.mine.principal) as session:
            with pytest.raises(InternalError, match="The storage scope refused a statement"):
                pytest.fail(f"{name}: {(await session.exec(statement())).all()}")

    assert await everything(database) == before


async def test_an_admin_and_the_system_see_all_and_may_ask_as_they_like(database: Database, world: World):
    async with database.read(Principal(customer_id=world.mine.customer.id, is_admin=True)) as session:
        assert sorted((await session.exec(select(Connection.name))).all()) == ["mine", "theirs"]
    async with database.write(SYSTEM) as session:
        assert (await session.exec(sa.text("SELECT count(*) FROM connection"))).scalar_one() == 2
        assert (await session.exec(sa.select(sa.func.count()).select_from(CONNECTIONS))).scalar_one() == 2


async def test_nobody_in_particular_gets_no_session(database: Database):
    for session in (database.read(ANONYMOUS), database.write(ANONYMOUS)):
        with pytest.raises(NotAuthenticatedError, match="Send a valid token"):
            async with session:
                pass


async def test_sessions_of_two_customers_do_not_share_what_a_cached_statement_was_narrowed_to(database: Database, world: World):
    for tenant in (world.mine, world.theirs, world.mine):
        async with database.read(tenant.principal) as session:
            assert (await session.exec(select(Connection.name))).all() == [tenant.customer.name]


async def test_each_model_is_owned_or_shared_or_internal_and_its_owner_column_exists():
    tables = {mapper.class_ for mapper in Connection._sa_registry.mappers if hasattr(mapper.class_, "__table__")}

    assert tables == models()
    assert len(models()) == len(scope.OWNER_COLUMNS) + len(scope.SHARED) + len(scope.INTERNAL)
    assert set(SQLModel.metadata.tables) == {table.__table__.name for table in models()}
    for table, column in scope.OWNER_COLUMNS.items():
        assert column in table.__table__.columns
        assert not table.__table__.columns[column].nullable
    for table in scope.SHARED | scope.INTERNAL:
        assert "customer_id" not in table.__table__.columns


async def everything(database: Database) -> list[Any]:
    async with database.read(SYSTEM) as session:
        return [[row.model_dump() for row in (await session.exec(select(table))).all()] for table in sorted(models(), key=str)]


def models() -> set[type[SQLModel]]:
    return {*scope.OWNER_COLUMNS, *scope.SHARED, *scope.INTERNAL}
