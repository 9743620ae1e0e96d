"""Which pages of records need not be read whole, because nobody looks at more of them than a few of their fields."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.pagination import resolved
from gateway.connectors.executor.record_columns import RecordColumns, key_of, told_by
from gateway.connectors.executor.record_values import ODD, ids_of
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.executor.unread_pages import Unread
from gateway.connectors.format.collections import Collection, Envelope
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.mappings import FieldMapping
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import CursorPagination, ErrorRule, NextUrlPagination, Pagination
from gateway.connectors.http import JsonPage, PageShape
from gateway.expressions import Template
from gateway.models import JsonSchema, Record
from gateway.models.read_fields import attribute_of
from gateway.models.records import MODELS_FIELDS, SHOWN_FIELDS, TOLD_PARTS

_SUCCESS = range(200, 300)
_Path = tuple[str, ...]


def unread(caller: Caller, collection: Collection, operation: ListOperation, reader: RecordReader) -> Unread[Record] | None:
    """How the pages of a list are made records without reading all of them; null where something takes a reading of all of it."""
    if reader.is_reshaped:
        return None
    known = caller.unread
    key = id(operation), reader.parts
    if key not in known:
        known[key] = _unread(caller.file, collection, operation, reader.parts)
    return known[key]


def _unread(file: ConnectorFile, collection: Collection, operation: ListOperation, parts: frozenset[str]) -> Unread[Record] | None:
    keys = _keys(collection, parts)
    shape = _shape(file, collection, operation, keys, has_texts=SHOWN_FIELDS in parts) if keys is not None else None
    return Unread(shape, _UnreadRecords(collection.record, parts)) if shape is not None else None


class _UnreadRecords:
    """Makes the records of a page of which only some fields were read, `_keys` among them. Null where anything is amiss with any.

    Their fields are texts of JSON where the page has these, else those that were read.
    """

    def __init__(self, record: Envelope, parts: frozenset[str]) -> None:
        self._ids = _attributes(record.id)
        self._columns = RecordColumns(record, parts, values_of=lambda template: partial(_values, _attributes(template)))

    def __call__(self, page: JsonPage) -> list[Record] | None:
        items = page.items
        try:
            return self._columns.records(ids_of(list(map(self._ids, items))), page.texts or items, items)
        except ODD:
            return None


def _attributes(template: Template) -> Callable[[Any], Any]:
    """What reads the value of a template, which is a field, out of the fields that were read."""
    return attrgetter(attribute_of(key_of(template) or ""))


def _values(attribute: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return list(map(attribute, items))


def _keys(collection: Collection, parts: frozenset[str]) -> frozenset[str] | None:
    """The fields of items that are read; null where that may be any."""
    told = _told_keys(collection.record, parts)
    if told is None or "fields" in parts or {SHOWN_FIELDS, MODELS_FIELDS} <= parts:
        return None
    if MODELS_FIELDS not in parts:
        return told
    fields = [field for mapping in collection.universal_data_models.values() for field in mapping.fields.values()]
    keys = list(chain.from_iterable(map(_keys_of_field, fields)))
    return told.union(key for key in keys if key is not None) if None not in keys else None


def _told_keys(record: Envelope, parts: frozenset[str]) -> frozenset[str] | None:
    """The fields of items that tell all that is wanted of records beside their fields; null where that takes more."""
    told = [record.id, *(told_by(record, part, wanted=parts) for part in TOLD_PARTS)]
    keys = {key_of(template) for template in told if template is not None}
    return frozenset(key for key in keys if key is not None) if None not in keys else None


def _keys_of_field(field: str | FieldMapping) -> Iterator[str | None]:
    """The app's fields that tell a field of a model; null among them where it may be any."""
    if isinstance(field, str):
        yield _key(field)
        return
    if field.field is not None:
        yield _key(field.field)
    for part in field.fields.values():
        yield from _keys_of_field(part)
    for path in field.from_.paths if field.from_ is not None else ():
        if path[0] in ("@", "fields"):
            yield path[1] if len(path) > 1 else None


def _key(path: str) -> str | None:
    # One with dots may be a name or a way.
    return path if "." not in path else None


def _shape(
    file: ConnectorFile, collection: Collection, operation: ListOperation, keys: frozenset[str], *, has_texts: bool
) -> PageShape | None:
    path = operation.records.path
    if path is None or path[0] != "body":
        return None
    if collection.gone is not None or operation.where is not None or operation.partitions or operation.drilldowns is not None:
        return None
    # The answer of a GraphQL operation tells of errors in its body.
    if operation.request.graphql is not None or any(map(_judges_success, file.http.errors)):
        return None
    told = [*_paths_of(resolved(operation.pagination, file.pagination))]
    if any(path[0] in ("@", "last") or path == ("body",) for path in told):
        return None
    beside = frozenset(path[1] for path in told if path[0] == "body")
    # Where the items' texts are wanted, too, no model reads their fields.
    likely = () if has_texts else _types(collection.fields)
    shape = PageShape(path[1:], keys, beside, has_texts, frozenset((key, kind) for key, kind in likely if key in keys))
    return shape if shape.is_possible else None


def _types(fields: JsonSchema | None) -> Iterator[tuple[str, Any]]:
    """The fields that hold strings or lists of them, each with its type, by what the connector says of them."""
    described = (fields or {}).get("properties")
    for key, schema in described.items() if isinstance(described, dict) else ():
        if _is_of(schema, "string"):
            yield key, str
        elif _is_of(schema, "array") and _is_of(schema.get("items"), "string", nullable=False):
            yield key, list[str]


def _is_of(schema: Any, name: str, *, nullable: bool = True) -> bool:
    """Whether a schema allows values of a type and no others but null, if that may be."""
    allowed = (name, [name], [name, "null"], ["null", name]) if nullable else (name, [name])
    return isinstance(schema, dict) and schema.get("type") in allowed


def _judges_success(rule: ErrorRule) -> bool:
    """Whether it looks into bodies of answers of success."""
    return rule.when.body is not None and (not rule.when.status or any(status in _SUCCESS for status in rule.when.status))


def _paths_of(pagination: Pagination) -> Iterator[_Path]:
    """What tells whether there is another page, and where."""
    if pagination.has_more is not None:
        yield from pagination.has_more.paths
    if isinstance(pagination, CursorPagination | NextUrlPagination):
        yield from pagination.next.paths
