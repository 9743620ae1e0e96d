"""Rows as loaders and pages ask for them: many by id, a window of a list, a window for each of many parents."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

Row = TypeVar("Row", bound=SQLModel)


@dataclass(frozen=True, kw_only=True)
class RowWindow:
    """The `first` rows that come after the row of id `after`, in the order of creation or in the opposite one."""

    first: int
    after: UUID | None = None
    is_newest_first: bool = False

    def starts(self, key: Mapped[UUID]) -> ColumnElement[bool]:
        """The criterion of the rows after `after`."""
        return key < self.after if self.is_newest_first else key > self.after

    def order(self, key: Mapped[UUID]) -> ColumnElement[UUID]:
        """The order of the rows."""
        return key.desc() if self.is_newest_first else key.asc()


@dataclass(frozen=True, kw_only=True)
class RowPage(Generic[Row]):
    """The rows of a window, in its order, and whether more come after them."""

    rows: list[Row]
    has_next: bool


async def by_ids(session: AsyncSession, model: type[Row], ids: Collection[UUID]) -> dict[UUID, Row]:
    """The rows of these ids, in one statement; ids that do not exist, or not for the session's principal, are left out."""
    if not ids:
        return {}
    key = _id_of(model)
    rows = await session.exec(select(model).where(key.in_(set(ids))))
    return {row.id: row for row in rows}  # type: ignore[attr-defined]


async def page(session: AsyncSession, statement: SelectOfScalar[Row], *, window: RowWindow) -> RowPage[Row]:
    """A window of the rows that a statement selects, in the window's order whatever the statement's own."""
    model = _model_of(statement)
    key = _id_of(model)
    if window.after is not None:
        statement = statement.where(window.starts(key))
    rows = (await session.exec(statement.order_by(None).order_by(window.order(key)).limit(window.first + 1))).all()
    return _page_of(rows, first=window.first)


async def count(session: AsyncSession, statement: SelectOfScalar[Row]) -> int:
    """How many rows a statement selects."""
    model = _model_of(statement)
    ids = statement.with_only_columns(_id_of(model)).order_by(None).subquery()
    return (await session.exec(select(func.count()).select_from(ids))).one()


async def pages_by_parent(
    session: AsyncSession, statement: SelectOfScalar[Row], *, parent_column: Mapped[Any], parent_ids: Collection[UUID], window: RowWindow
) -> dict[UUID, RowPage[Row]]:
    """For each parent, a window of its rows, in one statement; a parent without rows has an empty page."""
    rows_by_parent: dict[UUID, list[Row]] = {parent_id: [] for parent_id in parent_ids}
    if not rows_by_parent:
        return {}
    model = _model_of(statement)
    key = _id_of(model)
    if window.after is not None:
        statement = statement.where(window.starts(key))

    position = func.row_number().over(partition_by=parent_column, order_by=window.order(key)).label("position")
    numbered = (
        _of_parents(statement, parent_column, rows_by_parent).with_only_columns(key, parent_column.label("parent"), position).subquery()
    )
    windows = select(model, numbered.c.parent).join(numbered, numbered.c.id == key).where(numbered.c.position <= window.first + 1)
    for row, parent_id in await session.exec(windows.order_by(window.order(key))):
        rows_by_parent[parent_id].append(row)
    return {parent_id: _page_of(rows, first=window.first) for parent_id, rows in rows_by_parent.items()}


async def counts_by_parent(
    session: AsyncSession, statement: SelectOfScalar[Row], *, parent_column: Mapped[Any], parent_ids: Collection[UUID]
) -> dict[UUID, int]:
    """For each parent, how many rows of the statement it has, in one statement; zero where it has none."""
    counts = dict.fromkeys(parent_ids, 0)
    if not counts:
        return {}
    parents = _of_parents(statement, parent_column, counts).with_only_columns(parent_column.label("parent")).subquery()
    counts.update((await session.exec(select(parents.c.parent, func.count()).group_by(parents.c.parent))).all())
    return counts


def _of_parents(statement: SelectOfScalar[Row], parent_column: Mapped[Any], parent_ids: Collection[UUID]) -> Select[Any]:
    return statement.where(parent_column.in_(parent_ids)).order_by(None)


def _page_of(rows: Sequence[Row], *, first: int) -> RowPage[Row]:
    return RowPage(rows=list(rows[:first]), has_next=len(rows) > first)


def _model_of(statement: SelectOfScalar[Row]) -> type[Row]:
    model: type[Row] = statement.column_descriptions[0]["entity"]
    return model


def _id_of(model: type[SQLModel]) -> Mapped[UUID]:
    return col(model.id)  # type: ignore[attr-defined]
