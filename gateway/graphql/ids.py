"""Global ids and cursors: opaque text that says what it names."""

import binascii
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from gateway.errors import InvalidError
from gateway.models import Connection, Customer, DataSource, DataSourceInstance, EventSubscription, Integration, Pointer, SyncRun

Row = Integration | Customer | Connection | DataSource | DataSourceInstance | EventSubscription | SyncRun
"""A row that has an identity of its own; its class has the name of its type in the schema."""

ROW_TYPES: dict[str, type[Row]] = {
    row.__name__: row for row in (Integration, Customer, Connection, DataSource, DataSourceInstance, EventSubscription, SyncRun)
}
RECORD = "Record"
_CURSOR = "cursor"
_KEY_CURSOR = "key"
_MAXIMUM_LENGTH = 16_384
_KEPT_LENGTH = 128
"""Of the ids that are kept with what they name: those of rows are shorter, and each of them is asked for again and again."""
_URL_SAFE, _STANDARD = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""One spelling only: the same row must not have several ids."""


def global_id(row: Row) -> str:
    """The id of a row among everything the schema can name."""
    return _encode(type(row).__name__, str(row.id))


def record_id(connection_id: UUID, pointer: Pointer, external_id: str) -> str:
    """The id of a record among everything the schema can name."""
    place = [str(connection_id), pointer.key, pointer.parameters, external_id]
    return _encode(RECORD, json.dumps(place, separators=(",", ":"), sort_keys=True, ensure_ascii=False))


def parse_global_id(value: str, *, field: Sequence[str] | None = None) -> tuple[str, str]:
    """The type that an id names, and the rest of it. Raises InvalidError when it is none of ours."""
    name, rest = _decode(value)
    if name == RECORD or (name in ROW_TYPES and _uuid(rest) is not None):
        return name, rest
    raise InvalidError(f"Id {_shown(value)} is not an id of this gateway. Pass an `id` that it gave you.", field=field)


def parse_record_id(value: str, *, field: Sequence[str] | None = None) -> tuple[UUID, Pointer, str]:
    """What the id of a record says: the connection's id, the pointer of the collection, and the record's id in the app.

    Raises InvalidError when it is none of ours; whether there is such a place, it does not tell.
    """
    name, rest = _decode(value)
    parts = _record_parts(rest) if name == RECORD else None
    # One spelling only: the same record must not have several ids.
    if parts is None or record_id(*parts) != value.rstrip("="):
        raise InvalidError(f"Id {_shown(value)} is not an id of this gateway. Pass an `id` that it gave you.", field=field)
    return parts


def local_id(value: str, expected: type[Row], *, field: Sequence[str] | None = None) -> UUID:
    """The row's own id. Raises InvalidError, which names the type that was expected, for anything else."""
    name, found = _named_kept(value) if len(value) <= _KEPT_LENGTH else _named(value)
    if found is not None and name == expected.__name__:
        return found
    is_anothers = name != expected.__name__ and (name in ROW_TYPES or name == RECORD)
    given = f"the id of a {name}" if is_anothers else "not an id of this gateway"
    raise InvalidError(f"Id {_shown(value)} is {given}. Pass the `id` of a {expected.__name__}.", field=field)


def cursor_of(row: Any) -> str:
    """The place after a row in any list of its kind."""
    return _encode(_CURSOR, str(row.id))


def parse_cursor(cursor: str) -> UUID:
    """The id of the row that a cursor stands after. Raises InvalidError when it is no cursor of a list of rows."""
    name, rest = _decode(cursor)
    found = _uuid(rest) if name == _CURSOR else None
    if found is None:
        raise _bad_cursor(cursor)
    return found


def key_cursor(key: str) -> str:
    """The place after an item in a list that is sorted by key."""
    return _encode(_KEY_CURSOR, key)


def parse_key_cursor(cursor: str) -> str:
    """The key that a cursor stands after. Raises InvalidError when it is no cursor of a list that is sorted by key."""
    name, rest = _decode(cursor)
    if name != _KEY_CURSOR:
        raise _bad_cursor(cursor)
    return rest


def _encode(name: str, rest: str) -> str:
    # An app may give half of a surrogate pair in an id; it must come back as it was.
    raw = f"{name}:{rest}".encode(errors="surrogatepass")
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def _decode(value: str) -> tuple[str, str]:
    """The two parts of an id or cursor; empty ones for a text that holds none."""
    if len(value) > _MAXIMUM_LENGTH or not value.isascii():
        return "", ""
    try:
        bare = value.rstrip("=").encode().translate(_STANDARD)
        raw = binascii.a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
        text = raw.decode(errors="surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, rest = text.partition(":")
    return name, rest


def _named(value: str) -> tuple[str, UUID | None]:
    """The type that an id names, and the row's own id where it is one of a row."""
    name, rest = _decode(value)
    return name, _uuid(rest)


_named_kept = lru_cache(maxsize=4_096)(_named)


def _record_parts(text: str) -> tuple[UUID, Pointer, str] | None:
    try:
        parts = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or [type(part) for part in parts] != [str, str, dict, str]:
        return None
    connection_id, key, parameters, external_id = parts
    found = _uuid(connection_id)
    return (found, Pointer(key, parameters), external_id) if found is not None else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def _uuid(text: str) -> UUID | None:
    return UUID(text) if _UUID.fullmatch(text) else None


def _shown(value: str) -> str:
    return repr(value if len(value) <= 100 else value[:100] + "...")


def _bad_cursor(cursor: str) -> InvalidError:
    return InvalidError(f"Cursor {_shown(cursor)} is not of this list. Start again without `after`.", field=["after"])
