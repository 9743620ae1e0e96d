"""Changes to the shape of records. What comes in is never changed itself: an answer may be read by several."""

from collections.abc import Sequence
from typing import Any

from gateway.connectors.executor.names import Names, told
from gateway.connectors.format.transforms import AddFields, FlattenFields, RemoveFields, RenameFields, Transform
from gateway.models import JsonObject, JsonValue

_MISSING = object()


def transformed(record: JsonObject, transforms: Sequence[Transform], *, names: Names, what: str) -> JsonObject:
    """The record after the transforms, in their order; `names` are those of expressions beside `record`.

    Raises UpstreamResponseError when an expression cannot be evaluated.
    """
    for transform in transforms:
        record = _changed(record, transform, names=names, what=what)
    return record


def _changed(record: JsonObject, transform: Transform, *, names: Names, what: str) -> JsonObject:
    match transform:
        case AddFields():
            values = {path: told(value, {**names, "record": record}, what=f"{what}: {path}") for path, value in transform.add.items()}
            for path, value in values.items():
                record = _with(record, path.split("."), value)
        case RemoveFields():
            for path in transform.remove:
                record = _without(record, path.split("."))
        case RenameFields():
            record = _renamed(record, transform.rename)
        case FlattenFields():
            record = _flattened(record, transform)
        case _:
            record = {key.lower(): _lowered(value) for key, value in record.items()}
    return record


def _renamed(record: JsonObject, names: dict[str, str]) -> JsonObject:
    # Taken all at once, so that two fields can change places.
    found = {new: value for old, new in names.items() if (value := _value(record, old.split("."))) is not _MISSING}
    for old in names:
        record = _without(record, old.split("."))
    for new, value in found.items():
        record = _with(record, new.split("."), value)
    return record


def _flattened(record: JsonObject, transform: FlattenFields) -> JsonObject:
    path = transform.flatten.split(".")
    inner = _value(record, path)
    if not isinstance(inner, dict):
        return record
    rest = _without(record, path)
    return {**rest, **{name: value for key, value in inner.items() if (name := transform.prefix + key) not in rest}}


def _lowered(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {key.lower(): _lowered(item) for key, item in value.items()}
    return [_lowered(item) for item in value] if isinstance(value, list) else value


def _value(record: JsonObject, path: Sequence[str]) -> Any:
    value: Any = record
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _with(record: JsonObject, path: Sequence[str], value: JsonValue) -> JsonObject:
    """The record with a value at a path; what is no object on the way there gives way to one."""
    name, *rest = path
    inner = record.get(name)
    return {**record, name: _with(inner if isinstance(inner, dict) else {}, rest, value) if rest else value}


def _without(record: JsonObject, path: Sequence[str]) -> JsonObject:
    name, *rest = path
    if name not in record:
        return record
    if not rest:
        return {key: value for key, value in record.items() if key != name}
    inner = record[name]
    return {**record, name: _without(inner, rest)} if isinstance(inner, dict) else record
