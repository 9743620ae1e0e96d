"""Who sees which rows: the one place that decides it, and the session in which nothing is asked without it."""

import functools
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy.orm
from sqlalchemy import ColumnElement, Engine, Select, event, inspect
from sqlalchemy.orm import LoaderCriteriaOption, ORMExecuteState, UOWTransaction, with_loader_criteria
from sqlmodel import Session, SQLModel

from gateway.errors import InternalError
from gateway.models import (
    Connection,
    Customer,
    DataSource,
    DataSourceInstance,
    Event,
    EventLog,
    EventSubscription,
    Integration,
    Principal,
    Snapshot,
    Stage,
    SyncGeneration,
    SyncRun,
    SyncState,
    SyncTask,
    Webhook,
    WebhookInbox,
)
from gateway.storage import statement_guard

OWNER_COLUMNS: dict[type[SQLModel], str] = {
    Customer: "id",
    Connection: "customer_id",
    DataSourceInstance: "customer_id",
    EventSubscription: "customer_id",
    SyncState: "customer_id",
    SyncGeneration: "customer_id",
    SyncTask: "customer_id",
    SyncRun: "customer_id",
    Webhook: "customer_id",
}
"""By table: the column that names the customer whose row it is. A customer sees and writes its own rows only."""
SHARED: frozenset[type[SQLModel]] = frozenset({Integration, DataSource})
"""The tables that every customer reads and none writes."""
INTERNAL: frozenset[type[SQLModel]] = frozenset({Event, EventLog, Snapshot, Stage, WebhookInbox})
"""The tables that only the gateway itself reads, on behalf of whoever may see the instance that a row is of."""

_OWNERS = frozenset((str(inspect(table).local_table), column) for table, column in OWNER_COLUMNS.items())
_NARROWED = "gateway_narrowed"
_BULK = "Bulk methods skip the checks of a flush. Add the rows, or execute a statement as an admin."


class ScopedSession(Session):
    """A session that carries its principal: an admin's sees every row, a customer's only what it may see.

    In a customer's session a statement that cannot be narrowed to the customer's rows, such as plain SQL, is refused
    with InternalError before it reaches the database; so is a write of another's row, in a read session any write, and
    in a session for a single statement a second one.
    """

    def __init__(self, *arguments: Any, principal: Principal, is_read_only: bool, is_single: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._principal = principal
        self._is_read_only = is_read_only
        self._is_single = is_single
        self._has_executed = False

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self._principal

    def connection(self, *arguments: Any, **options: Any) -> Any:
        """The connection below, for an admin only."""
        if not self._principal.is_admin:
            _refuse("A connection below the session would see every customer's rows.")
        return super().connection(*arguments, **options)

    def bulk_save_objects(self, *arguments: Any, **options: Any) -> NoReturn:
        """Refused: it would skip the checks of a flush."""
        _refuse(_BULK)

    def bulk_insert_mappings(self, *arguments: Any, **options: Any) -> NoReturn:
        """Refused: it would skip the checks of a flush."""
        _refuse(_BULK)

    def bulk_update_mappings(self, *arguments: Any, **options: Any) -> NoReturn:
        """Refused: it would skip the checks of a flush."""
        _refuse(_BULK)


def watch(engine: Engine) -> None:
    """Reads each statement of a customer's session once more before it runs, and refuses one that is not narrowed everywhere."""
    event.listen(engine, "before_cursor_execute", _check_sql)


def _check_sql(connection: object, cursor: object, sql: str, parameters: object, context: Any, executemany: bool) -> None:
    if context is not None and context.execution_options.get(_NARROWED):
        statement_guard.check_sql(sql, owners=_OWNERS)


@event.listens_for(ScopedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    session = _scoped(state.session)
    if session._is_read_only and (state.is_insert or state.is_update or state.is_delete):
        _refuse("A read session does not write.")
    if session._is_single and session._has_executed:
        _refuse("A second statement may see another moment. Use a read session.")
    session._has_executed = True
    if session.principal.is_admin:
        return

    statement_guard.check(state.statement, parameters=state.parameters, owner_columns=OWNER_COLUMNS, shared=SHARED)
    state.update_execution_options(**{_NARROWED: True})
    owner = session.principal.customer_id
    mapper = state.bind_mapper
    if state.is_column_load and mapper is not None and mapper.class_ in OWNER_COLUMNS and isinstance(state.statement, Select):
        # The ORM leaves loader criteria out when it reads a row again.
        state.statement = state.statement.where(_criterion(mapper.class_, owner))
    else:
        state.statement = state.statement.options(*_criteria(owner))


@functools.lru_cache(maxsize=10_000)  # They cost more to make than the rest of this check.
def _criteria(owner: UUID | None) -> tuple[LoaderCriteriaOption, ...]:
    return tuple(with_loader_criteria(table, _criterion(table, owner), include_aliases=True) for table in OWNER_COLUMNS)


def _criterion(table: type[SQLModel], owner: UUID | None) -> ColumnElement[bool]:
    return statement_guard.owned(getattr(table, OWNER_COLUMNS[table]), by=owner)


@event.listens_for(ScopedSession, "before_flush")
def _check_rows(session: Session, context: UOWTransaction, instances: object) -> None:
    written = [*session.new, *session.deleted, *(row for row in session.dirty if session.is_modified(row))]
    scoped = _scoped(session)
    if scoped._is_read_only and written:
        _refuse(f"A read session does not write, and {_names(written)} changed in it.")
    if scoped.principal.is_admin:
        return

    for row in written:
        column = OWNER_COLUMNS.get(type(row))
        if column is None:
            _refuse(f"A customer does not write {_names([row])} rows.")
        if getattr(row, column) != scoped.principal.customer_id:
            _refuse(f"A customer writes its own {_names([row])} rows only.")


@event.listens_for(ScopedSession, "before_attach")
def _refuse_strangers(session: Session, row: object) -> None:
    # A row that another session loaded may belong to anybody, whatever its columns say by now.
    if not _scoped(session).principal.is_admin and inspect(row, raiseerr=True).key is not None:
        _refuse(f"A {_names([row])} row of another session was added. Read it in this one.")


def _scoped(session: sqlalchemy.orm.Session) -> ScopedSession:
    assert isinstance(session, ScopedSession)  # noqa: S101 - the events are registered on this class alone
    return session


def _names(rows: list[Any]) -> str:
    return ", ".join(sorted({type(row).__name__ for row in rows}))


def _refuse(reason: str) -> NoReturn:
    raise InternalError(f"The storage scope refused a statement. {reason}")
