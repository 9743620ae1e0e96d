"""Which pages of records need not be read whole, because nobody looks at more of them than a few of their fields."""

from collections.abc import Iterator

from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.pages import Unread
from gateway.connectors.executor.pagination import resolved
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import CursorPagination, ErrorRule, NextUrlPagination, Pagination
from gateway.connectors.http import PageShape
from gateway.models import Record

_SUCCESS = range(200, 300)
_Path = tuple[str, ...]


def unread(caller: Caller, collection: Collection, operation: ListOperation, reader: RecordReader) -> Unread[Record] | None:
    """How the pages of a list are made records without reading all of them; null where something takes a reading of all."""
    known = caller.shapes
    key = id(operation), reader.parts
    if key not in known:
        known[key] = _shape(caller.file, collection, operation, reader.keys)
    shape = known[key]
    return Unread(shape, reader.read_unread) if shape is not None else None


def _shape(file: ConnectorFile, collection: Collection, operation: ListOperation, keys: frozenset[str] | None) -> PageShape | None:
    path = operation.records.path
    if keys is None or path is None or path[0] != "body":
        return None
    if collection.gone is not None or operation.where is not None or operation.partitions or operation.drilldowns is not None:
        return None
    # The answer of a GraphQL operation tells of errors in its body.
    if operation.request.graphql is not None or any(map(_judges_success, file.http.errors)):
        return None
    told = [*_paths_of(resolved(operation.pagination, file.pagination))]
    if any(path[0] in ("@", "last") or path == ("body",) for path in told):
        return None
    shape = PageShape(path[1:], keys, frozenset(path[1] for path in told if path[0] == "body"))
    return shape if shape.is_possible else None


def _judges_success(rule: ErrorRule) -> bool:
    """Whether it looks into bodies of answers of success."""
    return rule.when.body is not None and (not rule.when.status or any(status in _SUCCESS for status in rule.when.status))


def _paths_of(pagination: Pagination) -> Iterator[_Path]:
    """What tells whether there is another page, and where."""
    if pagination.has_more is not None:
        yield from pagination.has_more.paths
    if isinstance(pagination, CursorPagination | NextUrlPagination):
        yield from pagination.next.paths
