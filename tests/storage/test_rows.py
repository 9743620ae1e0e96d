"""Rows by id, in windows, and in windows by parent."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlmodel import col, select

from gateway.models import Connection, Customer, Integration, Principal
from gateway.models.principal import SYSTEM
from gateway.storage import rows
from gateway.storage.database import Database
from gateway.storage.rows import RowPage, RowWindow
from tests.support.database import recorded_statements

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def customers(database: Database, names: list[str]) -> list[UUID]:
    async with database.write(SYSTEM) as session:
        created = [Customer(external_id=name, created_at=NOW, updated_at=NOW) for name in names]
        session.add_all(created)
    return [customer.id for customer in created]


async def test_rows_come_by_id_and_unknown_ids_are_left_out(database: Database):
    first, second = await customers(database, ["a", "b"])

    async with database.read(SYSTEM) as session:
        found = await rows.by_ids(session, Customer, [second, uuid4(), first])

    assert {key: row.external_id for key, row in found.items()} == {first: "a", second: "b"}


async def test_no_ids_cost_no_statement(database: Database):
    with recorded_statements(database) as statements:
        async with database.read(SYSTEM) as session:
            assert await rows.by_ids(session, Customer, []) == {}
    assert statements == []


async def test_windows_walk_a_list_in_the_order_of_creation(database: Database):
    await customers(database, ["c", "a", "b"])
    statement = select(Customer).order_by(Customer.external_id)

    async with database.read(SYSTEM) as session:
        start = await rows.page(session, statement, window=RowWindow(first=2))
        end = await rows.page(session, statement, window=RowWindow(first=2, after=start.rows[-1].id))
        total = await rows.count(session, statement.where(Customer.external_id != "b"))

    assert ([row.external_id for row in start.rows], start.has_next) == (["c", "a"], True)
    assert ([row.external_id for row in end.rows], end.has_next) == (["b"], False)
    assert total == 2


async def test_windows_of_many_parents_cost_one_statement(database: Database):
    owners = await customers(database, ["a", "b", "c"])
    await connections(database, {owners[0]: ["a1", "a2", "a3"], owners[1]: ["b1"], owners[2]: []})
    statement = select(Connection).where(Connection.name != "a2")

    with recorded_statements(database) as statements:
        async with database.read(SYSTEM) as session:
            pages = await rows.pages_by_parent(
                session, statement, parent_column=col(Connection.customer_id), parent_ids=owners, window=RowWindow(first=1)
            )
            counts = await rows.counts_by_parent(session, statement, parent_column=col(Connection.customer_id), parent_ids=owners)

    assert [([row.name for row in pages[owner].rows], pages[owner].has_next) for owner in owners] == [
        (["a1"], True),
        (["b1"], False),
        ([], False),
    ]
    assert counts == {owners[0]: 2, owners[1]: 1, owners[2]: 0}
    assert len(statements) == 2


async def test_windows_of_many_parents_go_on_after_a_row(database: Database):
    owners = await customers(database, ["a"])
    (names,) = (await connections(database, {owners[0]: ["a1", "a2", "a3"]})).values()

    async with database.read(Principal(customer_id=owners[0])) as session:
        pages = await rows.pages_by_parent(
            session,
            select(Connection),
            parent_column=col(Connection.customer_id),
            parent_ids=owners,
            window=RowWindow(first=5, after=names["a1"]),
        )

    assert [row.name for row in pages[owners[0]].rows] == ["a2", "a3"]
    assert pages[owners[0]] == RowPage(rows=pages[owners[0]].rows, has_next=False)


async def connections(database: Database, names_by_customer: dict[UUID, list[str]]) -> dict[UUID, dict[str, UUID]]:
    async with database.write(SYSTEM) as session:
        integration = Integration(key="app", name="App", connector_key="app", created_at=NOW, updated_at=NOW)
        session.add(integration)
        await session.flush()
        created = [
            Connection(
                integration_id=integration.id,
                customer_id=customer_id,
                name=name,
                auth_method="none",
                credentials=b"",
                created_at=NOW,
                updated_at=NOW,
            )
            for customer_id, names in names_by_customer.items()
            for name in names
        ]
        session.add_all(created)
    return {customer_id: {row.name: row.id for row in created if row.customer_id == customer_id} for customer_id in names_by_customer}
