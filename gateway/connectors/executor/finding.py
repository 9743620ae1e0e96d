"""Finds single records: by their id, several by their ids, and by equal fields."""

from collections.abc import Mapping, Sequence

from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.collections import KnownCollection
from gateway.connectors.executor.conditions import ANY_FIELD
from gateway.connectors.executor.lists import list_operation, page_of_records
from gateway.connectors.executor.names import Names, holds, kind_of, told
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.requests import Request
from gateway.errors import UnsupportedError, UpstreamRejectedError, UpstreamResponseError
from gateway.expressions import Template
from gateway.models import Condition, FilterOperator, JsonObject, JsonValue, PageRequest, Record, RecordQuery

NOT_FOUND = (404, 410)
_MATCH_PAGE_SIZE = 10
# One would do, but an app may leave out items of a page that it must not show.


async def record_by_id(caller: Caller, collection: KnownCollection, external_id: str, *, names: Names) -> Record | None:
    """The record of that id; null when the app has none. Raises UnsupportedError when records cannot be found by id."""
    operation = collection.file.operations.get
    if operation is None:
        return (await records_by_ids(caller, collection, [external_id], names=names)).get(external_id)
    if not collection.ids.may_exist(external_id):
        return None
    return await _found(caller, collection.file, operation.request, operation.record, names=names, seen={**names, "id": external_id})


async def records_by_ids(caller: Caller, collection: KnownCollection, external_ids: Sequence[str], *, names: Names) -> Mapping[str, Record]:
    """The records of those ids, by id, with one request. Raises UnsupportedError when there is no such request."""
    operation = collection.file.operations.get_many
    if operation is None:
        several = " several at a time" if collection.file.operations.get is not None else ""
        raise UnsupportedError(f"The records of {collection.file.name} cannot be found by id{several}.")
    ids = [external_id for external_id in dict.fromkeys(external_ids) if collection.ids.may_exist(external_id)]
    seen = {**names, "ids": ids}
    answer = await _answer(caller, operation.request, names=seen) if ids else None
    if answer is None:
        return {}
    found = told(operation.records, {**caller.names, **seen, **answer.names}, what="The list of records")
    if not isinstance(found, list):
        raise UpstreamResponseError(
            f"The app's answer holds {kind_of(found)} where {operation.records.source!r} of its connector expects a list."
        )
    shared = {**caller.names, **names}
    reader = RecordReader(collection.file, names=shared)
    wanted = set(ids)
    plain = reader.read_plain(found)
    read = reader.read if plain is None else lambda _, number: plain[number - 1]
    records = (read(item, number) for number, item in enumerate(found, start=1) if not _is_gone(collection.file, item, shared))
    return {record.external_id: record for record in records if record.external_id in wanted}


async def matching_record(caller: Caller, collection: KnownCollection, fields: JsonObject, *, names: Names) -> Record | None:
    """The first record with these fields; null when the app has none. Raises UnsupportedError that names the fields which can match."""
    operation = collection.file.operations.match
    if operation is None:
        raise UnsupportedError(f"The records of {collection.file.name} cannot be matched by their fields.")
    others = [field for field in fields if field not in operation.fields and ANY_FIELD not in operation.fields]
    if others or not fields:
        by = " and ".join(map(repr, others)) or "no field"
        raise UnsupportedError(f"Records cannot be matched by {by}; they can be by {', '.join(operation.fields)}.")
    if operation.request is None or operation.record is None:
        return await _first_listed(caller, collection.file, fields, names=names)
    return await _found(caller, collection.file, operation.request, operation.record, names=names, seen={**names, "fields": fields})


async def _first_listed(caller: Caller, collection: Collection, fields: JsonObject, *, names: Names) -> Record | None:
    conditions = tuple(Condition(field=field, operator=FilterOperator.EQ, value=value) for field, value in fields.items())
    query = RecordQuery(conditions=conditions)
    operation = list_operation(collection, query)
    token: JsonValue = None
    while True:
        page = PageRequest(size=_MATCH_PAGE_SIZE, token=token)
        found = await page_of_records(caller, collection, operation, names=names, page=page, query=query)
        if found.items or found.next_token is None:
            return next(iter(found.items), None)
        token = found.next_token


async def _found(
    caller: Caller, collection: Collection, request: Request, selector: Template, *, names: Names, seen: Names
) -> Record | None:
    """The record that the request, which sees some names more than the record does, finds."""
    answer = await _answer(caller, request, names=seen)
    raw = told(selector, {**caller.names, **seen, **answer.names}, what="The record") if answer is not None else None
    names = {**caller.names, **names}
    return RecordReader(collection, names=names).read_one(raw) if raw is not None and not _is_gone(collection, raw, names) else None


def _is_gone(collection: Collection, raw: JsonValue, names: Names) -> bool:
    """Whether the app shows a record that it has deleted."""
    return collection.gone is not None and holds(collection.gone, {**names, "item": raw}, what="Whether the record is deleted")


async def _answer(caller: Caller, request: Request, *, names: Names) -> Answer | None:
    """The answer; null where the app says that there is no such thing."""
    try:
        answer = await caller.ask(request, names=names)
    except UpstreamRejectedError as error:
        if error.status in NOT_FOUND:
            return None
        raise
    return None if answer.is_empty else answer
