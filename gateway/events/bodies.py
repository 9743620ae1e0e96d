"""Records as they are kept: bytes of JSON, and a hash that tells whether a record changed."""

import json
import math
import re
from collections.abc import Callable, Collection
from datetime import datetime

import orjson
import xxhash

from gateway.errors import UpstreamResponseError
from gateway.models import JsonObject, JsonValue, Record

# JSON may begin with blanks: one marks what the fast reader would read wrongly, such as integers of more than 64 bits.
_EXACT = b" "
_MAX_DEPTH = 260
"""Deeper than connectors' answers are read, and than orjson writes; what reads a body must not run out of stack."""
_WHOLE_FLOAT = re.compile(rb"\.0[,}\]]|e\+")


def encode(record: Record) -> bytes:
    """The record as JSON: its fields with every integer exact, and what the connector says of it.

    Half a surrogate pair, which is no character, becomes U+FFFD, and a number that JSON has not becomes null.
    Raises UpstreamResponseError when the fields are no JSON or nested too deeply.
    """
    return _dumped(
        {
            "fields": record.fields,
            "name": record.name,
            "url": record.url,
            "version": record.version,
            "createdAt": _text(record.created_at),
            "updatedAt": _text(record.updated_at),
        },
        external_id=record.external_id,
    )


def decode(body: bytes, external_id: str) -> Record:
    """The record that `encode` made bytes of."""
    content = _loaded(body)
    return Record(
        external_id=external_id,
        fields=content["fields"],
        name=content["name"],
        url=content["url"],
        version=content["version"],
        created_at=_time(content["createdAt"]),
        updated_at=_time(content["updatedAt"]),
    )


def fields_of(body: bytes) -> JsonObject:
    """The fields of the record that `encode` made bytes of."""
    fields: JsonObject = _loaded(body)["fields"]
    return fields


def changed_fields(body: bytes, previous: bytes) -> tuple[str, ...]:
    """The names of the fields that differ between two bodies of a record, sorted; one that only one of them has differs.

    What `hash_of` takes for equal does not differ.
    """
    now, before = fields_of(body), fields_of(previous)
    return tuple(sorted(name for name in now.keys() | before.keys() if _one_of(name, now) != _one_of(name, before)))


def hash_of(record: Record, volatile_fields: Collection[str] = ()) -> bytes:
    """Sixteen bytes that are the same as long as the record's fields are, those left out whose change is none of the record.

    `1` and `1.0` are one number, as JSON knows no other kind: apps write now this, now that. Raises UpstreamResponseError as
    `encode` does.
    """
    fields = record.fields
    if volatile_fields:
        fields = {name: value for name, value in fields.items() if name not in volatile_fields}
    return xxhash.xxh3_128_digest(_canonical(fields, external_id=record.external_id))


def _one_of(name: str, fields: JsonObject) -> bytes | None:
    return _canonical(fields[name], external_id="") if name in fields else None


def _canonical(value: JsonValue, *, external_id: str) -> bytes:
    """The value as bytes which are the same for equal values."""
    data = _dumped(value, external_id=external_id)
    # Few records hold such a number, or a text that looks like it: the others are not taken apart.
    if isinstance(value, float) or (_may_hold_float(data) and _WHOLE_FLOAT.search(data)):
        return _dumped(_with_floats(_loaded(data), _whole), external_id=external_id)
    return data


def _may_hold_float(data: bytes) -> bool:
    # One sign is found far faster than two, and those than an expression.
    return (b"." in data and b".0" in data) or (b"+" in data and b"e+" in data)


def _dumped(value: JsonValue, *, external_id: str) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return _dumped_exactly(value, external_id=external_id)


def _dumped_exactly(value: JsonValue, *, external_id: str) -> bytes:
    try:
        finite = _with_floats(value, _finite)
        text = json.dumps(finite, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UpstreamResponseError(
            f"Record {external_id[:100]!r} cannot be recorded: its fields are no JSON, or too deeply nested ({type(error).__name__})."
        ) from None
    return _EXACT + text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _with_floats(value: JsonValue, convert: Callable[[float], JsonValue], *, depth: int = 0) -> JsonValue:
    """The value, its floats converted. Raises ValueError for nesting that is too deep."""
    if isinstance(value, float):
        return convert(value)
    if not isinstance(value, dict | list | tuple):
        return value
    if depth > _MAX_DEPTH:
        raise ValueError
    # Not as comprehensions: each would take another frame of the stack.
    if isinstance(value, dict):
        fields: JsonObject = {}
        for name, each in value.items():
            fields[name] = _with_floats(each, convert, depth=depth + 1)
        return fields
    items: list[JsonValue] = []
    for each in value:
        items.append(_with_floats(each, convert, depth=depth + 1))
    return items


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _loaded(body: bytes) -> JsonObject:
    content: JsonObject = json.loads(body) if body.startswith(_EXACT) else orjson.loads(body)
    return content


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time is not None else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
