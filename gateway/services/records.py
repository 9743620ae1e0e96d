"""Reading records of an app's collections."""

import asyncio
import json
import re
from collections.abc import Sequence
from functools import partial

from gateway.connectors.redaction import Redactor
from gateway.errors import GatewayError, UpstreamAuthError
from gateway.models import CollectionOperation, CollectionSpec, JsonObject, Principal, Record, RecordQuery
from gateway.models.queries import EVERYTHING
from gateway.models.records import RECORD_PARTS
from gateway.runtime import Runtime
from gateway.services import app_pages, record_filters, record_specs, record_values, unified
from gateway.services.access import App
from gateway.services.app_pages import AppPage
from gateway.services.record_places import RecordPlace, app_at
from gateway.services.selectors import ALL_RECORDS, FieldValues, RecordListQuery

_MAXIMUM_ID = 1000
# No app has an id with these in it, and in an address or a header they would be the start of something else.
_NOT_IN_AN_ID = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Found = dict[str, Record | GatewayError | None]
"""Records by their ids; null where the app has none, an error where it could not say."""


async def page(
    runtime: Runtime,
    principal: Principal,
    *,
    place: RecordPlace,
    first: int,
    after: str | None,
    query: RecordListQuery = ALL_RECORDS,
    parts: frozenset[str] = RECORD_PARTS,
) -> AppPage[Record]:
    """Up to `first` records that fit the query, in the order that it asks for or else in the app's, whatever the size of the app's pages.

    Of the parts of records that are not among `parts` some may be left out.
    Raises InvalidError for a cursor of another list, and for whatever is wrong with the query (a CombinedUserError where that is more
    than one thing); UnsupportedError for what the app cannot filter, search or order; UpstreamError when the app cannot answer.
    """
    async with app_at(runtime, principal, place) as app:
        asked = await _query(runtime, app, place, query)
        return await app_pages.read(
            runtime,
            lambda request: app.connector.records(app.access, place.pointer, request, asked),
            first=first,
            after=after,
            scope=partial(_scope, place, asked),
            record_parts=parts,
        )


async def record(runtime: Runtime, principal: Principal, *, place: RecordPlace, external_id: str) -> Record | None:
    """The record of that id; null when the app has none. Raises UnsupportedError where records cannot be read by id, UpstreamError."""
    found = (await by_ids(runtime, principal, place=place, external_ids=[external_id])).get(external_id)
    if isinstance(found, GatewayError):
        raise found
    return found


async def by_ids(runtime: Runtime, principal: Principal, *, place: RecordPlace, external_ids: Sequence[str]) -> Found:
    """The records of those ids, by id, in the fewest requests that the app allows; null where the app has none, an error where it failed.

    Raises what concerns them all: a connection that cannot be used, UnsupportedError.
    """
    ids = [external_id for external_id in dict.fromkeys(external_ids) if is_possible_id(external_id)]
    found: Found = dict.fromkeys(external_ids)
    if not ids:
        return found
    async with app_at(runtime, principal, place) as app:
        maximum = await record_specs.decided_at_once(runtime, app, place, partial(ids_at_once, count=len(ids)))
        reads = [_read(app, place, ids[start : start + maximum], is_single=maximum == 1) for start in range(0, len(ids), maximum)]
        for part in await asyncio.gather(*reads, return_exceptions=True):
            if isinstance(part, BaseException):
                raise part
            found.update(part)
    return found


async def match(runtime: Runtime, principal: Principal, *, place: RecordPlace, by: FieldValues, udm: str | None = None) -> Record | None:
    """The first record whose fields are equal to all of these; null when the app has none. Raises as `page` does."""
    translation = unified.translation_of(runtime, place, udm) if by.unified_fields is not None else None

    def fields_of(spec: CollectionSpec) -> JsonObject:
        record_specs.require_operation(spec, CollectionOperation.MATCH)
        return record_values.matched_fields(by, spec=spec, translation=translation)

    async with app_at(runtime, principal, place) as app:
        fields = await record_specs.decided(runtime, app, place, fields_of)
        return await app.connector.match(app.access, place.pointer, fields)


def is_possible_id(external_id: str) -> bool:
    """Whether any app could have a record of that id."""
    return 0 < len(external_id) <= _MAXIMUM_ID and not _NOT_IN_AN_ID.search(external_id)


def ids_at_once(spec: CollectionSpec, *, count: int) -> int:
    """How many records one request finds. One alone is read as itself where the app can: its answer can be shared.

    Raises UnsupportedError where records cannot be read by id.
    """
    is_single = CollectionOperation.FIND_BY_ID in spec.operations
    if spec.find_by_ids_maximum > 1 and (count > 1 or not is_single):
        return spec.find_by_ids_maximum
    if not is_single:
        record_specs.require_operation(spec, CollectionOperation.FIND_BY_ID)
    return 1


async def _query(runtime: Runtime, app: App, place: RecordPlace, asked: RecordListQuery) -> RecordQuery:
    if asked is ALL_RECORDS or asked == ALL_RECORDS:
        await record_specs.decided_at_once(runtime, app, place, _require_list)
        return EVERYTHING
    translation = unified.translation_of(runtime, place) if asked.unified_filter is not None else None
    return await record_specs.decided(
        runtime, app, place, lambda spec: record_filters.record_query(asked, spec=spec, translation=translation)
    )


def _require_list(spec: CollectionSpec) -> None:
    record_specs.require_operation(spec, CollectionOperation.LIST)


def _scope(place: RecordPlace, query: RecordQuery) -> str:
    """Names a list: the same for the same question, however its parts are ordered."""
    conditions = sorted(json.dumps([c.field, c.operator, c.value], sort_keys=True) for c in query.conditions)
    order = [query.order.field, query.order.direction] if query.order is not None else None
    return "records " + json.dumps([place.identity, conditions, query.search, order])


async def _read(app: App, place: RecordPlace, ids: Sequence[str], *, is_single: bool) -> Found:
    """The records of some ids. What ends this request alone is told of its records; refused credentials end everything."""
    try:
        if is_single:
            return {ids[0]: await app.connector.record(app.access, place.pointer, ids[0])}
        records = await app.connector.records_by_ids(app.access, place.pointer, ids)
        return {external_id: records.get(external_id) for external_id in ids}
    except UpstreamAuthError:
        raise
    except GatewayError as error:
        Redactor(app.access.credentials).clean(error)
        return dict.fromkeys(ids, error)
