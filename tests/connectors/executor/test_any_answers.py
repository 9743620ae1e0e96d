"""Whatever an app answers: records that can be kept and told, or an error that names the app as its cause."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http
from gateway.errors import ConflictError, CursorExpiredError, NotFoundError, UpstreamError, UpstreamResponseError
from gateway.events import bodies
from gateway.models import LocationPath, PageRequest, Pointer, Record, Since
from gateway.services import cursors
from gateway.services.cursors import Position
from gateway.testing import Answer, FakeClock, ScriptedApp
from tests.connectors.executor.notes import access_with, notes_file
from tests.support.examples import ANY_JSON, NUMBERS, TEXTS, part_of_examples

NOTES = Pointer("notes")
OWN = (UpstreamError, CursorExpiredError, NotFoundError, ConflictError)
PAGINATIONS = [
    {"type": "cursor", "name": "after", "next": "${body.next}"},
    {"type": "next_url", "next": "${body.next}"},
    {"type": "next_url", "next": "${headers.link.next}"},
    {"type": "page", "stop": "short_page", "has_more": "body.next"},
    {"type": "offset", "name": "from", "stop": "empty_page", "size": {"name": "count", "max": 3, "default": 2}},
]
BOX = {
    "directory": "box",
    "name": "${item}",
    "parameters_schema": {"type": "object", "properties": {"box": {}}},
    "parameters": {"box": "${item}"},
    "list": {"request": {"path": "/boxes"}, "items": "${body.boxes}"},
    "read": {"request": {"path": "/boxes/${parameters.box}"}, "item": "${body.id}"},
    "locations": [{"collection": "notes"}],
}
ENVELOPE = {"name": "${record.name}", "url": "${record.url}", "version": "${record.v}", "created_at": "${record.at}"}
DELTA = {
    "request": {"path": "/changes", "query": {"since": "${since.token}"}},
    "pagination": {"type": "cursor", "name": "after", "next": "${body.next}"},
    "token": "${body.sync}",
}
COUNTS = {"type": "count", "value": "${record.at}", "filter": "at", "order": "ascending"}
SYNCS = [{"delta": DELTA}, {"delta": {**DELTA, "is_address": True}}, {"cursor": COUNTS}, {"cursor": {**COUNTS, "type": "datetime"}}]


def collection(pagination: Any, sync: Any, *, is_fitted: bool) -> dict[str, Any]:
    """A collection with most of what a file can say."""
    listing = {"request": {"path": "/notes"}, "records": "${body.items}", "pagination": pagination, "order": {"fields": ["at"]}}
    filters = {"filters": {"at": {"gte": {"query": "from"}, "lte": {"query": "to"}}}}
    one = {"record": "${body.note}"}
    return {
        "record": {"id": "${record.id}", **ENVELOPE, "updated_at": "${record.at}", "times": "auto" if is_fitted else "epoch_ms"},
        "dynamic_fields": {"request": {"path": "/fields"}, "schema": "${body.schema}"},
        "coerce": is_fitted,
        "sync": {**sync, "deleted": {"when": "item.gone", "id": "${item.id}"}},
        "operations": {
            "list": {**listing, **filters},
            "get": {"request": {"path": "/notes/${id}"}, **one},
            "create": {"request": {"method": "POST", "path": "/notes", "json": "${fields}"}, **one},
            "update": {"request": {"method": "PATCH", "path": "/notes/${id}", "json": "${fields}"}, **one},
        },
    }


COLLECTIONS = st.builds(collection, st.sampled_from(PAGINATIONS), st.sampled_from(SYNCS), is_fitted=st.booleans())
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "string", "integer", "number", "array", ["string", "null"]]) | ANY_JSON,
            "format": st.sampled_from(["date", "date-time"]) | ANY_JSON,
            **dict.fromkeys(("enum", "title", "x-reference", "required", "minimum", "maxLength", "pattern", "$ref"), ANY_JSON),
        },
    ),
    lambda inner: st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(TEXTS, inner, max_size=3)}),
    max_leaves=3,
)
NOTE = st.fixed_dictionaries(
    {"id": st.integers(0, 9) | TEXTS | NUMBERS, "gone": st.sampled_from([None, True, 0])},
    optional=dict.fromkeys(("name", "at", "v", "url", "extra"), ANY_JSON),
)
ANSWERS = ANY_JSON | st.fixed_dictionaries(
    {"items": st.lists(NOTE, max_size=3), "note": NOTE, "next": st.none() | TEXTS | NUMBERS | ANY_JSON, "schema": SCHEMAS},
    optional={"sync": ANY_JSON, "boxes": st.lists(TEXTS | NUMBERS, max_size=3), **dict.fromkeys(("id", "error", "errors"), ANY_JSON)},
)
HEADERS = st.dictionaries(
    st.sampled_from(["link", "etag", "last-modified", "cache-control", "x-ratelimit-remaining", "x-ratelimit-reset"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12) | st.sampled_from(["0", "-1", "1e400", '</n>; rel="next"']),
    max_size=2,
)


@pytest.fixture
def described(app: ScriptedApp, http: Http) -> Callable[[dict[str, Any]], DeclarativeConnector]:
    """Makes a connector of a collection, which nobody has asked yet."""
    said = {"error_message": "${body.error}", "field_errors": "${body.errors}"}

    def described(collection: dict[str, Any]) -> DeclarativeConnector:
        file = notes_file(app.url, collection=collection, http=said, locations=[{"collection": "notes"}, BOX])
        return DeclarativeConnector(ConnectorFile.model_validate(file), http, clock=FakeClock())

    return described


@part_of_examples(percent=30)
@given(collection=COLLECTIONS, body=ANSWERS, status=st.sampled_from([200, 200, 200, 201, 400, 404, 409, 422]), headers=HEADERS)
async def test_whatever_an_app_answers_is_told_or_the_apps_own_fault(app, described, collection, body, status, headers):
    connector, access = described(collection), access_with()
    app.answer_with(lambda request: Answer(status=status, body=json.dumps(body).encode(), headers=headers))

    records, token = [], None
    for _ in range(2):
        page = await told(connector.records(access, NOTES, PageRequest(size=2, token=token)))
        records += page.items if page is not None else ()
        token = page.next_token if page is not None else None
        check_token(token)
    for location in getattr(await told(connector.locations(access, Pointer(""), PageRequest(size=9))), "items", ()):
        assert location.pointer == Pointer.from_json(json.loads(json.dumps(location.pointer.as_json())))
        LocationPath.parse(location.pointer.path)
    await told(connector.location(access, Pointer("box", {"box": "a"})))
    await told(connector.describe(access, NOTES))
    records.append(await told(connector.record(access, NOTES, "7")))
    for written in (connector.create(access, NOTES, {"name": "x"}), connector.update(access, NOTES, "7", {"name": "x"})):
        records.append(getattr(await told(written), "record", None))
    changes = await told(connector.changes(access, NOTES, Since(), PageRequest(size=2)))
    if changes is not None:
        records += [change.record for change in changes.changes]
        check_token(changes.next_token)
        check_token(changes.delta_token)
    for record in filter(None, records):
        check_record(record)


async def told(asked: Awaitable[Any]) -> Any:
    """What the connector tells; null where that is an error that its contract names."""
    try:
        return await asked
    except OWN as error:
        assert error.message  # noqa: PT017 - most answers are refused, in one way or another.
        return None


def check_record(record: Record) -> None:
    """It can be kept, and comes back as it was."""
    assert record.external_id
    assert bodies.decode(bodies.encode(record), record.external_id) == replace(record, raw_fields=None)


def check_token(token: object) -> None:
    """It can be given to a client, and comes back as it was."""
    try:
        cursor = cursors.encode(Position(size=2, token=token), scope="notes", secret="s" * 32)
    except UpstreamResponseError:
        return
    assert cursors.decode(cursor, scope="notes", secret="s" * 32).token == token
