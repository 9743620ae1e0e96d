"""What goes wrong in a database, in the gateway's words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import SQLITE_BUSY

import asyncpg
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import SQLModel

from gateway.errors import ConflictError, InvalidError

UNREACHABLE: tuple[type[Exception], ...] = (OSError, TimeoutError, NoConnectionError, DBAPIError)
"""What a statement raises while the database is away, and a few faults more: for loops that try again, and say so."""
_UNSTORABLE_TEXT = ("22021", "22P05")
"""PostgreSQL: a character that its encoding has not (text), and one that jsonb has not; both are NUL."""
_UNIQUE_VIOLATION = "23505"
_LOST_RACE = ("40001", "40P01")
"""PostgreSQL: serialization failure, deadlock."""
_OUTAGES = ("08", "53", "57P")
"""PostgreSQL: classes of connection faults, of too little of something, and of a server that stops or starts."""
_SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(?P<name>\w+)'")
_SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (?P<columns>\w+\.\w+(, \w+\.\w+)*)")


@contextmanager
def translated() -> Iterator[None]:
    """Faults of the database that a caller can put right, as errors of the gateway; all others as they are."""
    try:
        yield
    except StaleDataError as error:
        raise ConflictError("It was changed by somebody else since it was read. Read it again, then repeat.") from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in _LOST_RACE:
            raise ConflictError("Somebody else changed the same rows at the same moment. Repeat the request.") from error
        if state in _UNSTORABLE_TEXT or _is_unencodable(error):
            raise _unstorable() from None
        raise
    except UnicodeEncodeError:
        raise _unstorable() from None


def is_outage(error: BaseException) -> bool:
    """Whether the database could not be reached, had no time or went away, which says nothing of what was asked of it."""
    fault = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and (error.connection_invalidated or isinstance(error, InterfaceError)):
        return True
    state = getattr(fault, "sqlstate", None) or ""
    if state.startswith(_OUTAGES) or getattr(fault, "sqlite_errorcode", None) == SQLITE_BUSY:
        return True
    # The last of them is the driver's word for a connection that was ended while something was about to be asked of it.
    return isinstance(fault, OSError | TimeoutError | NoConnectionError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def is_unique_violation(error: IntegrityError) -> str | None:
    """The name of the unique index or constraint that the statement broke; null when it broke something else."""
    driver_error = getattr(error.orig, "__cause__", None) or error.orig
    if getattr(driver_error, "sqlstate", None) == _UNIQUE_VIOLATION:
        return str(driver_error.constraint_name)  # type: ignore[union-attr]

    # SQLite names the index only where it holds an expression; otherwise it names the columns.
    problem = str(driver_error)
    if named := _SQLITE_INDEX.fullmatch(problem):
        return named["name"]
    if listed := _SQLITE_COLUMNS.fullmatch(problem):
        return _unique_name(listed["columns"].split(", "))
    return None


def _unique_name(columns: list[str]) -> str | None:
    table = SQLModel.metadata.tables[columns[0].partition(".")[0]]
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint | PrimaryKeyConstraint)]
    for candidate in (*table.indexes, *constraints):
        if [str(column) for column in candidate.columns] == columns and getattr(candidate, "unique", True):
            return str(candidate.name)
    return None


def _is_unencodable(error: BaseException | None) -> bool:
    # The drivers wrap it, in different depths.
    while error is not None and not isinstance(error, UnicodeEncodeError):
        error = error.__cause__
    return error is not None


def _unstorable() -> InvalidError:
    # The error of the driver is left out: it quotes the text, which may be a secret.
    return InvalidError("A text holds a character that cannot be stored, such as NUL or half of a surrogate pair. Leave it out.")
