"""Pages of our own rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import or_
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from gateway.models import Principal
from gateway.runtime import Runtime
from gateway.services import checks
from gateway.storage import rows
from gateway.storage.rows import RowPage, RowWindow

Row = TypeVar("Row", bound=SQLModel)
Keeps = Callable[[AsyncSession, list[Any]], Awaitable[list[bool]]]
"""Which of some rows belong to the list, where only Python can tell; it may read more in the session that read them."""

_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[Row]):
    """A page of rows, oldest first, and how to count the whole list if somebody asks."""

    rows: list[Row]
    has_next: bool
    count: Callable[[], Awaitable[int]]


def matching(statement: SelectOfScalar[Row], search: str | None, *columns: Any) -> SelectOfScalar[Row]:
    """The statement, narrowed to rows of which one of these columns holds the searched text. Raises InvalidError for one too long."""
    sought = checks.search(search)
    return statement.where(or_(*(col(column).icontains(sought, autoescape=True) for column in columns))) if sought else statement


async def read(
    runtime: Runtime, principal: Principal, statement: SelectOfScalar[Row], *, window: RowWindow, keeps: Keeps | None = None
) -> Listing[Row]:
    """One page of the rows that a statement selects and that `keeps`, if given, lets through."""

    async def count() -> int:
        if keeps is not None:
            return len((await _kept(runtime, principal, statement, RowWindow(first=2**31, after=None), keeps)).rows)
        async with runtime.database.read_once(principal) as session:
            return await rows.count(session, statement)

    if keeps is not None:
        page = await _kept(runtime, principal, statement, window, keeps)
    else:
        async with runtime.database.read_once(principal) as session:
            page = await rows.page(session, statement, window=window)
    return Listing(rows=page.rows, has_next=page.has_next, count=count)


async def _kept(runtime: Runtime, principal: Principal, statement: SelectOfScalar[Row], window: RowWindow, keeps: Keeps) -> RowPage[Row]:
    kept: list[Row] = []
    batch = RowWindow(first=_BATCH, after=window.after)
    while True:
        async with runtime.database.read(principal) as session:
            page = await rows.page(session, statement, window=batch)
            kept += [row for row, stays in zip(page.rows, await keeps(session, page.rows), strict=True) if stays]
        if len(kept) > window.first or not page.has_next:
            return RowPage(rows=kept[: window.first], has_next=len(kept) > window.first)
        batch = replace(batch, after=page.rows[-1].id)  # type: ignore[attr-defined]
