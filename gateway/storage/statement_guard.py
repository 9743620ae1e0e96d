"""Whether a customer's statement can be narrowed to the customer's rows: what cannot is refused, whatever it asks."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn

from sqlalchemy import ColumnClause, Delete, Select, Table, TextClause, Update
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.sql.expression import CompoundSelect, Insert, Join, SelectBase, TextualSelect
from sqlalchemy.sql.selectable import TableClause

from gateway.errors import InternalError

# The ORM narrows what it knows as an entity. It leaves out (SQLAlchemy 2.1): plain tables, tables inside a join object,
# the second table of an UPDATE or DELETE, rows updated by a list of keys, and text. Those are refused here.
_REFUSED: tuple[tuple[type[Any] | tuple[type[Any], ...], str], ...] = (
    ((TextClause, TextualSelect), "SQL text cannot be narrowed."),
    (Join, "A join object cannot be narrowed. Write select(...).join(...)."),
    (Insert, "An INSERT statement is not checked. Add the row to the session."),
)


def check(statement: Any, *, parameters: Any, owner_columns: Mapping[type[Any], str], shared: Collection[type[Any]]) -> None:
    """Returns when every table of the statement is an entity that the ORM narrows, or one that is shared.

    Raises InternalError for anything else, statements unknown to it included.
    """
    if not isinstance(statement, Select | CompoundSelect | Update | Delete):
        _refuse(f"{type(statement).__name__} cannot be narrowed.")
    shared_tables = {_table_of(model) for model in shared}
    for element in _elements(statement):
        _check_element(element, shared_tables=shared_tables)
        if isinstance(element, Update | Delete):
            _check_change(element, parameters=parameters, owner_columns=owner_columns)


def _check_element(element: Any, *, shared_tables: set[Any]) -> None:
    for kind, reason in _REFUSED:
        if isinstance(element, kind):
            _refuse(reason)
    if isinstance(element, ColumnClause):
        _check_column(element, shared_tables=shared_tables)
    elif isinstance(element, TableClause) and not _is_entity(element) and element not in shared_tables:
        _refuse(f"The plain table {element.name!r} cannot be narrowed. Select the model.")


def _check_column(column: ColumnClause[Any], *, shared_tables: set[Any]) -> None:
    if column.is_literal:
        if column.name != "*":  # count(*) and exists(select *) are written so.
            _refuse("Literal SQL cannot be narrowed.")
    elif isinstance(column.table, TableClause) and not _is_entity(column) and column.table not in shared_tables:
        _refuse(f"The plain column {column.name!r} of table {column.table.name!r} cannot be narrowed. Select the model's.")


def _check_change(change: Update | Delete, *, parameters: Any, owner_columns: Mapping[type[Any], str]) -> None:
    model = next((model for model in owner_columns if _table_of(model) == change.table), None)
    if model is None:
        _refuse(f"A customer does not write {str(change.table)!r} rows.")
    if parameters:
        _refuse("A change by a list of keys cannot be narrowed.")
    if any(
        isinstance(element, ColumnClause) and element.table is not None and element.table is not _table_of(model)
        for element in _own_elements(change)
    ):
        _refuse("A change that reads a second table cannot be narrowed. Use a subquery.")
    if isinstance(change, Update) and owner_columns[model] in _changed_columns(change):
        _refuse("A customer does not give its rows away.")


def _changed_columns(update: Update) -> set[str]:
    return {str(getattr(column, "key", column)) for column in update._values or ()}


def _elements(root: ClauseElement) -> Iterator[Any]:
    """Every element of a statement, subqueries included, as it was written: no tables that columns only imply."""
    pending: list[Any] = [root]
    while pending:
        element = pending.pop()
        yield element
        pending.extend(_children(element))


def _own_elements(root: ClauseElement) -> Iterator[Any]:
    """The elements of a statement outside its subqueries, which the ORM narrows by themselves."""
    pending: list[Any] = [root]
    while pending:
        element = pending.pop()
        yield element
        pending.extend(child for child in _children(element) if not isinstance(child, SelectBase))


def _children(element: Any) -> Iterator[Any]:
    children = ClauseElement.get_children(element) if isinstance(element, Select) else element.get_children()
    entity = element._annotations.get("parententity") if hasattr(element, "_annotations") else None
    own_table = entity.mapper.local_table if entity is not None else None
    # The table below an alias of its own entity belongs to the entity.
    return (child for child in children if child is not own_table)


def _is_entity(element: Any) -> bool:
    annotations = element._annotations
    # The ORM's own look-ups by key carry the second mark.
    return "parententity" in annotations or "_orm_adapt" in annotations


def _table_of(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _refuse(reason: str) -> NoReturn:
    raise InternalError(f"The storage scope refused a statement. {reason}")
