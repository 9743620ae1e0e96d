"""Many rows in few statements: arrays on PostgreSQL, JSON and prepared statements on SQLite."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

import orjson
import sqlmodel
from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    FromClause,
    Select,
    Table,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    func,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.ext.asyncio.session import AsyncSession

_SQLITE = sqlite.dialect()
ROWS_PER_STATEMENT = 5_000
"""How many rows one statement reads or writes at most, so that none takes long."""


def is_postgresql(session: AsyncSession) -> bool:
    """Whether the session's database is PostgreSQL; else it is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


async def expect_keys(session: AsyncSession) -> None:
    """Plans the unit of work's statements from here on for tables that may be large, even if PostgreSQL has only seen them small."""
    if is_postgresql(session):
        # A plan is kept for later runs: one made while a table was small would read all of it when it is large.
        await session.exec(sqlmodel.select(func.set_config("enable_seqscan", "off", True)))


def found_by_key(session: AsyncSession, statement: Select[Any], *, key: Column[str], texts: Sequence[str]) -> Select[Any]:
    """The rows of a statement whose `key` is one of these texts, however many; the statement gives the columns of the key before it."""
    given = texts_of(session, texts)
    if not is_postgresql(session):
        return statement.where(key.in_(select(given.c.value)))
    # One look-up for each: left to choose, PostgreSQL may compare each row that the other columns select with each text.
    found = statement.where(key == given.c.value).limit(1).lateral("found")
    return select(*found.c).select_from(given.join(found, true()))


def is_one_of(session: AsyncSession, key: Column[str], texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether a key is one of these texts, to change or delete the rows of which it is; one parameter."""
    if is_postgresql(session):
        # Looked up one by one in any plan, as rows to join with might not be.
        return key == any_(bindparam("texts", list(texts), type_=postgresql.ARRAY(Text), unique=True))
    return key.in_(select(texts_of(session, texts).c.value))


def texts_of(session: AsyncSession, texts: Sequence[str]) -> FromClause:
    """Texts as rows with one column, `value`; one parameter."""
    if is_postgresql(session):
        values = bindparam("texts", list(texts), type_=postgresql.ARRAY(Text), unique=True)
        return func.unnest(values).table_valued("value", name="given").render_derived()
    return func.json_each(orjson.dumps(list(texts)).decode()).table_valued("value", name="given")


def arrays(table: Table, columns: Mapping[str, Sequence[Any]], *, with_ordinality: str | None = None) -> TableValuedAlias:
    """Values of some of a table's columns as rows, for PostgreSQL; one parameter for each column."""
    values = [bindparam(None, list(each), type_=postgresql.ARRAY(table.c[name].type), unique=True) for name, each in columns.items()]
    options = {"with_ordinality": with_ordinality} if with_ordinality is not None else {}
    return func.unnest(*values).table_valued(*columns, name="given", **options).render_derived()


async def insert(
    session: AsyncSession,
    table: Table,
    *,
    constants: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
    overwrites: Collection[str] | None = None,
    lock: int | None = None,
) -> None:
    """Rows that share `constants` and take the rest from `columns`, which are of equal length, in their order.

    A row whose key exists is an error, unless `overwrites` names what to take from the new one. With `lock` the statement first waits
    until no other unit of work holds that number, and holds it until this one ends; on SQLite a writer is alone anyway. For admins.
    """
    if is_postgresql(session):
        await session.exec(_from_arrays(table, constants, columns, overwrites, lock))
        return
    count = len(next(iter(columns.values())))
    if count:
        sql, names = _insertion(table, (*constants, *columns), None if overwrites is None else tuple(overwrites))
        same = {name: repeat(next(iter(_bound(table.c[name], [value]))), count) for name, value in constants.items()}
        # As tuples, past what would look at each value of each row in Python.
        rows = list(zip(*(same[name] if name in same else _bound(table.c[name], columns[name]) for name in names), strict=True))
        await (await session.connection()).exec_driver_sql(sql, rows)


@lru_cache(maxsize=64)
def _insertion(table: Table, names: tuple[str, ...], overwrites: tuple[str, ...] | None) -> tuple[str, tuple[str, ...]]:
    """The statement for one row, and which value each of its parameters is."""
    statement = sqlite.insert(table)
    if overwrites is not None:
        statement = statement.on_conflict_do_update(set_={name: statement.excluded[name] for name in overwrites})
    compiled: Any = statement.compile(dialect=_SQLITE, column_keys=names)
    return str(compiled), tuple(compiled.positiontup)


def _bound(column: Column[Any], values: Iterable[Any]) -> Iterable[Any]:
    """Values of a column as SQLite's driver takes them."""
    process = column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)
    return values if process is None else map(process, values)


def changed_rows(result: Any) -> int:
    """How many rows a statement wrote or deleted."""
    assert isinstance(result, CursorResult)  # noqa: S101 - what statements that write give back
    return result.rowcount


def _from_arrays(
    table: Table,
    constants: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
    overwrites: Collection[str] | None,
    lock: int | None,
) -> Any:
    given = arrays(table, columns, with_ordinality="ordinal")
    same = [bindparam(name, value, type_=table.c[name].type) for name, value in constants.items()]
    # The rows are sorted before the first is written, and by then the lock is held: keys are counted up in this order, under the lock.
    rows = select(*same, *(given.c[name] for name in columns)).order_by(given.c.ordinal)
    if lock is not None:
        held = select(func.pg_advisory_xact_lock(lock).label("held")).cte("held").prefix_with("MATERIALIZED")
        rows = rows.join_from(given, held, true())
    statement = postgresql.insert(table).from_select([*constants, *columns], rows, include_defaults=False)
    if overwrites is None:
        return statement
    return statement.on_conflict_do_update(constraint=table.primary_key, set_={name: statement.excluded[name] for name in overwrites})
