"""Whether a customer's statement is narrowed to the customer's rows: what is not is refused, whatever it asks.

Twice, as a leak is worse than a refusal. Before the ORM narrows a statement, `check` refuses what cannot be looked
through, such as text. After it, `check_sql` reads the SQL that is about to run: each place that names an owned table
must carry the mark of its criterion. The ORM gives none to plain tables, join objects and the second table of an
UPDATE, and SQLAlchemy 2.1 forgets it in a self join and for an entity that appears only within OVER, FILTER or EXTRACT.
"""

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import ColumnClause, ColumnElement, CompoundSelect, Delete, Insert, Select, TextClause, Update
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import TableClause, TextualSelect

from gateway.errors import InternalError

_MARK = "= /* scope */"
_TEXTUAL = ("_prefixes", "_suffixes", "_hints", "_statement_hints")


def owned(column: ColumnElement[UUID], *, by: UUID | None) -> ColumnElement[bool]:
    """The criterion that a row belongs to a customer, with a mark that is found again in the SQL."""
    return column.op(_MARK, is_comparison=True)(by)


def check(statement: Any, *, parameters: Any, owner_columns: Mapping[type[Any], str], shared: Collection[type[Any]]) -> None:
    """Returns when `check_sql` can judge the statement and it writes owned tables at most; raises InternalError when not."""
    if not isinstance(statement, Select | CompoundSelect | Update | Delete):
        _refuse(f"{type(statement).__name__} cannot be narrowed.")
    owner_by_table = {model.__table__: column for model, column in owner_columns.items()}
    known = {*owner_by_table, *(model.__table__ for model in shared)}
    for element in _elements(statement):
        _check_text(element)
        if isinstance(element, Insert):
            _refuse("An INSERT statement is not checked. Add the row to the session.")
        if isinstance(element, TableClause) and element not in known:
            _refuse(f"The table {element.name!r} is neither owned nor shared.")
        if isinstance(element, Select) and any(flags.get("full") for *_, flags in element._setup_joins):
            _refuse("A full join gives back rows that their criterion leaves out.")
        if isinstance(element, Update | Delete):
            _check_change(element, parameters=parameters, owner_by_table=owner_by_table)


@functools.lru_cache(maxsize=2_000)  # The same SQL runs again and again, with other parameters.
def check_sql(sql: str, *, owners: frozenset[tuple[str, str]]) -> None:
    """Returns when each place that names an owned table carries its criterion; raises InternalError when not.

    `owners` holds pairs of table and owner column.
    """
    for table, column in owners:
        # Neither a column's table (`table.`) nor a part of another word.
        places = [alias or table for alias in re.findall(rf'(?<![\w.]){table}(?![\w.])(?: AS ("[^"]+"|\w+))?', sql)]
        for name in set(places):
            marks = re.findall(rf"(?<![\w.]){re.escape(name)}\.{column} {re.escape(_MARK)}", sql)
            if len(marks) != places.count(name):
                _refuse(f"A place of {table!r} is open. Write the statement without plain tables, join objects and self joins.")


def _check_text(element: Any) -> None:
    # count(*) and exists(select *) are written with a literal column.
    is_literal = isinstance(element, ColumnClause) and element.is_literal and element.name != "*"
    if is_literal or isinstance(element, TextClause | TextualSelect) or any(getattr(element, name, None) for name in _TEXTUAL):
        _refuse("SQL text, hints included, cannot be narrowed.")


def _check_change(change: Update | Delete, *, parameters: Any, owner_by_table: Mapping[Any, str]) -> None:
    owner_column = owner_by_table.get(change.table)
    if owner_column is None:
        _refuse(f"A customer does not write {str(change.table)!r} rows.")
    if parameters:
        _refuse("A change by a list of keys cannot be narrowed.")
    if isinstance(change, Update) and owner_column in {getattr(column, "key", column) for column in change._values or ()}:
        _refuse("A customer does not give its rows away.")


def _elements(root: ClauseElement) -> Iterator[Any]:
    """Every element of a statement, its subqueries and theirs included."""
    pending: list[Any] = [root]
    seen: dict[int, Any] = {}  # By identity: elements compare into SQL. A recursive CTE comes back to itself.
    while pending:
        element = pending.pop()
        if id(element) not in seen:
            seen[id(element)] = element
            yield element
            pending.extend(element.get_children())
            if isinstance(element, ColumnClause) and element.table is not None:
                pending.append(element.table)  # A column implies where it comes from.


def _refuse(reason: str) -> NoReturn:
    raise InternalError(f"The storage scope refused a statement. {reason}")
