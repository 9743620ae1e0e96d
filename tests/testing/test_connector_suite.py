"""The promises of ConnectorSuite: a good connector keeps each of them, and each of them notices who breaks it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from unittest import SkipTest

import pytest

from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import Http
from gateway.connectors.loading import load_connector_file
from gateway.errors import GatewayError
from gateway.models import JsonObject, Pointer, Record, Written
from gateway.testing import Answer, ReceivedRequest, Scripted
from gateway.testing.connector_suite import ConnectorSuite
from gateway.testing.connector_suite.sync import Sync

FILE = """\
format: connector/v1
key: shelf
name: Shelf
version: 1.0.0
connection:
  schema: {type: object, required: [server], properties: {server: {type: string}}}
  check: {request: {path: /me}, when: body.ok}
auth:
  token:
    type: http
    scheme: bearer
    token: "${credentials.token}"
    credentials: {type: object, required: [token], properties: {token: {type: string, writeOnly: true}}}
http: {base_url: "${connection.server}", error_message: "${body.message}"}
locations: [{collection: books}]
collections:
  books:
    name: Books
    fields:
      type: object
      additionalProperties: false
      properties:
        {id: {type: string, readOnly: true}, title: {type: string}, kind: {type: string}, revision: {type: integer, readOnly: true}}
    record: {id: "${record.id}", version: "${to_string(record.revision)}"}
    operations:
      list:
        request: {path: /books, query: {sort: "${order.field}", way: "${order.direction}"}}
        pagination: {type: page, name: page, size: {name: size, max: 100}, has_more: body.more}
        records: "${body.items}"
        filters: {title: {eq: {query: title}}, kind: {eq: {query: kind}}}
        order: {fields: [kind]}
      get: {request: {path: "/books/${id}"}, record: "${body}"}
      get_many: {request: {path: /books, query: {ids: "${join(',', ids)}", page: 1, size: 50}}, records: "${body.items}", max: 50}
      create:
        {request: {method: POST, path: /books, headers: {Idempotency-Key: "${idempotency_key}"}, json: "${fields}"}, record: "${body}"}
      update:
        {request: {method: PATCH, path: "/books/${id}", headers: {If-Match: "${version}"}, json: "${fields}"}, record: "${body}"}
      delete: {request: {method: DELETE, path: "/books/${id}", headers: {If-Match: "${version}"}}}
"""


class Books:
    """The app: books in memory."""

    def __init__(self) -> None:
        books = [{"id": f"b-{n:02d}", "title": f"Book {n}", "kind": "xy"[n % 2], "revision": 1} for n in range(20)]
        self.books = {book["id"]: book for book in books}
        self.keys: dict[str, str] = {}

    def answer(self, request: ReceivedRequest) -> Scripted:
        if request.path == "/me":
            return Answer(json={"ok": True})
        external_id = request.path.removeprefix("/books").removeprefix("/")
        if not external_id:
            return self.created(request) if request.method == "POST" else self.listed(request.query)
        book = self.books.get(external_id)
        if book is None:
            return Answer(status=404, json={"message": "There is no such book."})
        return Answer(json=book) if request.method == "GET" else self.written(request, book)

    def listed(self, query: Mapping[str, str]) -> Scripted:
        books = list(self.books.values())
        if "ids" in query:
            books = [book for book in books if book["id"] in query["ids"].split(",")]
        books = [book for book in books if all(book[name] == query[name] for name in ("title", "kind") if name in query)]
        if "sort" in query:
            books.sort(key=lambda book: (book[query["sort"]], book["id"]), reverse=query["way"] == "desc")
        page, size = int(query["page"]), int(query["size"])
        return Answer(json={"items": books[(page - 1) * size : page * size], "more": page * size < len(books)})

    def created(self, request: ReceivedRequest) -> Scripted:
        key = request.headers.get("idempotency-key")
        external_id = self.keys.get(key or "", f"n-{len(self.books) + len(self.keys)}")
        if key is not None:
            self.keys[key] = external_id
        self.books.setdefault(external_id, {**json.loads(request.body), "id": external_id, "revision": 1})
        return Answer(status=201, json=self.books[external_id])

    def written(self, request: ReceivedRequest, book: dict[str, Any]) -> Scripted:
        if request.headers.get("if-match", str(book["revision"])) != str(book["revision"]):
            return Answer(status=412, json={"message": "It has changed."})
        if request.method == "DELETE":
            del self.books[book["id"]]
            return Answer(status=204)
        self.books[book["id"]] = book | json.loads(request.body) | {"revision": book["revision"] + 1}
        return Answer(json=self.books[book["id"]])


class Shelf(ConnectorSuite):
    """Not collected: its promises are asked for one by one."""

    collection = Pointer("books")
    auth_method = "token"
    credentials: ClassVar[JsonObject] = {"token": "a-secret-of-the-shelf"}
    new_fields: ClassVar[JsonObject] = {"title": "A new one", "kind": "x"}
    changed_fields: ClassVar[JsonObject] = {"title": "Not so new"}

    def __init__(self, folder: Path, *, text: str = FILE, connector: type[DeclarativeConnector] = DeclarativeConnector) -> None:
        self.path = folder / "shelf.yaml"
        self.path.write_text(text, encoding="utf-8")
        self.kind = connector
        self.app_of_books = Books()

    @property
    def file(self) -> Path:
        return self.path

    def connector(self, http: Http, clock: Any) -> DeclarativeConnector:
        return self.kind(super().connector(http, clock)._file, http, clock=clock)

    def respond(self, request: ReceivedRequest) -> Scripted:
        return self.app_of_books.answer(request)


PROMISES = sorted(name for name in dir(ConnectorSuite) if name.startswith("test_") and not hasattr(Sync, name))
"""Those of changes have tests of their own."""


async def is_kept(suite: ConnectorSuite, promise: str) -> bool:
    try:
        await getattr(suite, promise)()
    except (AssertionError, GatewayError):
        return False
    return True


@pytest.mark.parametrize("promise", PROMISES)
async def test_a_good_connector_keeps_the_promise(tmp_path, promise):
    assert await is_kept(Shelf(tmp_path), promise)


class Repeating(DeclarativeConnector):
    """Knows no end of pages, and no page that it has seen."""

    async def records(self, access, collection, page, *query):
        found = await super().records(access, collection, type(page)(size=page.size), *query)
        return type(found)(items=found.items, next_token={"again": 1})


class Twice(DeclarativeConnector):
    """Sends a creation again when it has no answer."""

    async def create(self, access, collection, fields, *, idempotency_key=None) -> Written:
        try:
            return await super().create(access, collection, fields, idempotency_key=idempotency_key)
        except Exception:
            return await super().create(access, collection, fields, idempotency_key=idempotency_key)


class Unversioned(DeclarativeConnector):
    """Forgets the version that a deletion is bound to."""

    async def delete(self, access, collection, external_id, *, if_version=None) -> None:
        await super().delete(access, collection, external_id)


class Overwriting(DeclarativeConnector):
    """Forgets the version that an update is bound to."""

    async def update(self, access, collection, external_id, fields, *, if_version=None) -> Written:
        return await super().update(access, collection, external_id, fields)


class Keyless(DeclarativeConnector):
    """Forgets the idempotency key."""

    async def create(self, access, collection, fields, *, idempotency_key=None) -> Written:
        return await super().create(access, collection, fields)


class Inventing(DeclarativeConnector):
    """Finds a record for every id."""

    async def record(self, access, collection, external_id) -> Record | None:
        found = await super().record(access, collection, external_id)
        return found or Record(external_id=external_id, fields={})


class Telling(DeclarativeConnector):
    """Tells in its errors what it sent."""

    async def records(self, access, *rest):
        try:
            return await super().records(access, *rest)
        except Exception as error:
            error.message = f"{error} {access.credentials}"
            error.args = (error.message,)
            raise


CREATED = 'json: "${fields}"}, record: "${body}"}\n      update'
CHANGED = 'json: "${fields}"}, record: "${body}"}\n      delete'
MESSAGE = 'error_message: "${body.message}"}'
GET_ANOTHER = """get: {request: {path: "/books/${replace(id, '00', '01')}"}"""
ONE_WAY = """way: "${order.direction && 'asc'}\""""
PAGES = "test_the_pages_end_and_hold_every_record_once"
SCHEMA = "test_records_match_the_schema_of_their_fields"
TOGETHER = "test_records_are_found_by_their_ids_together"
FILTER = "test_a_filter_by_equality_gives_the_records_that_are_equal"
WRITES = "test_a_record_is_created_changed_and_deleted"
VERSIONS = "test_a_stale_version_is_a_conflict_and_changes_nothing"
FAULTS = "test_every_fault_of_the_app_has_its_class"

FILE_FAULTS = {
    "the check is not met": ("test_the_app_accepts_the_connection", "when: body.ok", "when: body.nope"),
    "pages overlap": (PAGES, "type: page, name: page,", "type: offset, name: page, start: 1,"),
    "the last pages are left out": (PAGES, "has_more: body.more", "has_more: body.nothing"),
    "a field is of another type": (SCHEMA, "title: {type: string}", "title: {type: integer}"),
    "a field is not in the schema": (SCHEMA, ", revision: {type: integer, readOnly: true}", ""),
    "get reads another record": ("test_a_record_is_found_by_its_id", 'get: {request: {path: "/books/${id}"}', GET_ANOTHER),
    "get_many gives one only": (TOGETHER, 'records: "${body.items}", max: 50', 'records: "${body.items[:1]}", max: 50'),
    "get_many reads one page": (TOGETHER, "page: 1, size: 50", "page: 1, size: 5"),
    "a filter is not told": (FILTER, "kind: {eq: {query: kind}}", "kind: {eq: {query: other}}"),
    "a filter asks for another value": (FILTER, "{query: kind}", "{query: kind, value: z}"),
    "a filter gives a part of the records": (FILTER, "{query: kind}", "{query: ids, value: b-00}"),
    "an order has one direction": ("test_an_order_holds_every_record_once", 'way: "${order.direction}"', ONE_WAY),
    "a creation loses a field": (WRITES, CREATED, CREATED.replace("fields", "omit(fields, ['kind'])")),
    "a creation tells another record": (WRITES, CREATED, CREATED.replace("body", "merge(body, {kind: 'z'})")),
    "an update changes nothing": (WRITES, CHANGED, CHANGED.replace("fields", "omit(fields, ['title'])")),
    "an update is bound by another header": (VERSIONS, 'If-Match: "${version}"}, json', 'If-Matches: "${version}"}, json'),
    "a key has another header": ("test_a_creation_with_a_key_is_made_once", "Idempotency-Key:", "X-Key:"),
    "a refusal is read as nothing": (FAULTS, MESSAGE, "errors: [{when: {status: [403]}, action: empty}]}"),
    "an error is read as a pause": (FAULTS, MESSAGE, "errors: [{when: {status: [500]}, action: rate_limited}]}"),
}
"""The promise that is broken, and what stands in the file instead of what."""


@pytest.mark.parametrize(("promise", "right", "wrong"), FILE_FAULTS.values(), ids=list(FILE_FAULTS))
async def test_a_fault_in_the_file_breaks_the_promise(tmp_path, promise, right, wrong):
    suite = Shelf(tmp_path, text=FILE.replace(right, wrong))

    assert right in FILE
    assert load_connector_file(suite.file).key == "shelf"
    assert not await is_kept(suite, promise)


CODE_FAULTS = [
    ("test_an_app_that_repeats_a_page_does_not_loop", Repeating),
    ("test_a_creation_whose_answer_is_lost_is_sent_once", Twice),
    ("test_a_stale_version_is_a_conflict_and_changes_nothing", Unversioned),
    ("test_a_stale_version_is_a_conflict_and_changes_nothing", Overwriting),
    ("test_a_creation_with_a_key_is_made_once", Keyless),
    ("test_a_record_is_found_by_its_id", Inventing),
    ("test_no_fault_tells_a_secret", Telling),
]


@pytest.mark.parametrize(("promise", "connector"), CODE_FAULTS, ids=[fault.__name__ for _, fault in CODE_FAULTS])
async def test_a_fault_in_a_connector_breaks_the_promise(tmp_path, promise, connector):
    assert not await is_kept(Shelf(tmp_path, connector=connector), promise)


def test_every_promise_is_shown_to_be_able_to_fail():
    assert sorted({promise for promise, _, _ in FILE_FAULTS.values()} | {promise for promise, _ in CODE_FAULTS}) == PROMISES


async def test_a_list_that_fits_into_one_page_shows_nothing(tmp_path):
    suite = Shelf(tmp_path)
    suite.page_size = 20

    with pytest.raises(AssertionError, match="fits into one page: make `page_size` smaller"):
        await suite.test_the_pages_end_and_hold_every_record_once()


async def test_what_the_subclass_does_not_offer_is_skipped(tmp_path):
    suite = Shelf(tmp_path)
    suite.new_fields = None

    with pytest.raises(SkipTest):
        await suite.test_a_record_is_created_changed_and_deleted()
