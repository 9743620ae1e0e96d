"""The promises of ConnectorSuite that are about changes: a good connector keeps each of them, and each notices who breaks it."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.loading import load_connector_file
from gateway.errors import GatewayError
from gateway.models import JsonObject, PageRequest, Pointer
from gateway.testing import Answer, ReceivedRequest, Scripted
from gateway.testing.connector_suite import ConnectorSuite
from gateway.testing.connector_suite.sync import Sync

FILE = """\
format: connector/v1
key: desk
name: Desk
version: 1.0.0
connection:
  schema: {type: object, required: [server], properties: {server: {type: string}}}
  check: {request: {path: /me}}
auth: {none: {type: none}}
http: {base_url: "${connection.server}"}
pagination: {pages: {type: page, size: {name: size, max: 100}, has_more: body.more}}
locations: [{collection: letters}]
collections:
  letters:
    name: Letters
    fields:
      type: object
      properties:
        id: {type: string, readOnly: true}
        text: {type: string}
        seq: {type: integer, readOnly: true}
        reads: {type: integer, readOnly: true}
    record: {id: "${record.id}", version: "${to_string(record.seq)}"}
    operations:
      list:
        request: {path: /letters, query: {sort: "${order.field}"}}
        pagination: pages
        records: "${body.items}"
        filters: {seq: {gte: {query: from}, gt: {query: above}}}
        order: {fields: [seq]}
      get: {request: {path: "/letters/${id}"}, record: "${body}"}
      create: {request: {method: POST, path: /letters, json: "${fields}"}, record: "${body}"}
      update: {request: {method: PATCH, path: "/letters/${id}", json: "${fields}"}, record: "${body}"}
      delete: {request: {method: DELETE, path: "/letters/${id}"}}
    sync:
      volatile_fields: [reads]
"""
CURSOR = FILE + "      cursor: {filter: seq, order: ascending, type: count, value: '${record.seq}'}\n"
DELTA = (
    FILE
    + """\
      delta:
        request: {path: /letters, query: {above: "${since.token}", gone: "${since.token && 'too'}", sort: seq}}
        where: "item.id"
        token: "${body.last}"
        told_on: first_page
      deleted: {when: item.gone}
"""
)


class Desk:
    """The app: letters in memory, two of which are of one number."""

    def __init__(self) -> None:
        self.letters = {f"l-{n:02d}": {"id": f"l-{n:02d}", "text": f"Letter {n}", "seq": n - n % 2, "reads": 0} for n in range(12)}
        self.last = 12

    def answer(self, request: ReceivedRequest) -> Scripted:
        external_id = request.path.removeprefix("/letters").removeprefix("/")
        if external_id:
            return self.one(request, external_id)
        return self.created(request) if request.method == "POST" else self.listed(request.query)

    def listed(self, query: Any) -> Scripted:
        letters = [letter for letter in self.letters.values() if "gone" in query or "gone" not in letter]
        letters = [
            letter for letter in letters if letter["seq"] >= int(query.get("from", 0)) and letter["seq"] > int(query.get("above", -1))
        ]
        letters.sort(key=lambda letter: (letter["seq"], letter["id"]) if query.get("sort") else letter["id"])
        page, size = int(query["page"]), int(query["size"])
        # Being read is counted.
        items = [letter if "gone" in letter else {**letter, "reads": self.last + page + size} for letter in letters]
        return Answer(json={"items": items[(page - 1) * size : page * size], "more": page * size < len(items), "last": self.last})

    def one(self, request: ReceivedRequest, external_id: str) -> Scripted:
        letter = self.letters.get(external_id, {"gone": True})
        if "gone" in letter:
            return Answer(status=404, json={})
        if request.method == "GET":
            return Answer(json=letter)
        self.last += 1
        if request.method == "DELETE":
            self.letters[external_id] = {"id": external_id, "seq": self.last, "gone": True}
            return Answer(status=204)
        self.letters[external_id] = {**letter, **json.loads(request.body), "seq": self.last}
        return Answer(json=self.letters[external_id])

    def created(self, request: ReceivedRequest) -> Scripted:
        self.last += 1
        letter = {**json.loads(request.body), "id": f"n-{self.last}", "seq": self.last, "reads": 0}
        self.letters[letter["id"]] = letter
        return Answer(status=201, json=letter)


class OnDesk(ConnectorSuite):
    """Not collected: its promises are asked for one by one."""

    collection = Pointer("letters")
    page_size = 3
    new_fields: ClassVar[JsonObject] = {"text": "Dear all"}
    changed_fields: ClassVar[JsonObject] = {"text": "Dear you"}

    def __init__(self, folder: Path, *, text: str) -> None:
        self.path = folder / "desk.yaml"
        self.path.write_text(text, encoding="utf-8")
        self.desk = Desk()

    @property
    def file(self) -> Path:
        return self.path

    def respond(self, request: ReceivedRequest) -> Scripted:
        return self.desk.answer(request)


PROMISES = sorted(name for name in dir(Sync) if name.startswith("test_"))


async def is_kept(suite: ConnectorSuite, promise: str) -> bool:
    try:
        await getattr(suite, promise)()
    except (AssertionError, KeyError, GatewayError):
        return False
    return True


@pytest.mark.parametrize("promise", PROMISES)
@pytest.mark.parametrize("text", [CURSOR, DELTA, FILE], ids=["cursor", "delta", "neither"])
async def test_a_good_connector_keeps_the_promise(tmp_path, text, promise):
    assert await is_kept(OnDesk(tmp_path, text=text), promise)


SAME = "test_a_written_record_is_the_same_in_the_list"
EVERYTHING = "test_without_a_beginning_changes_hold_every_record"
TOLD = "test_a_creation_a_change_and_a_deletion_are_told"
VALUE = "test_a_reading_from_a_value_on_holds_the_record_of_that_value"
TOKEN = "test_where_nothing_changes_a_token_tells_nothing"
CREATED = 'path: /letters, json: "${fields}"}, record: "${body}"'
FAULTS = {
    "what is counted at every read is not volatile": (SAME, CURSOR, "volatile_fields: [reads]", "volatile_fields: []"),
    "a creation tells other fields": (SAME, DELTA, CREATED, CREATED.replace("body", "merge(body, {text: 'x'})")),
    "changes leave out records": (EVERYTHING, DELTA, 'where: "item.id"', "where: \"item.id != 'l-03'\""),
    "changes are one page": (EVERYTHING, DELTA, "        told_on", "        pagination: none\n        told_on"),
    "a token is told too late": (TOLD, DELTA, "${body.last}", "${add(body.last, `5`)}"),
    "deletions are not asked for": (TOLD, DELTA, "gone: \"${since.token && 'too'}\"", 'gone: "${since.token && page.none}"'),
    "a deletion is read as a record": (TOLD, DELTA, "deleted: {when: item.gone}", "deleted: {when: item.lost}"),
    "the value itself is left out": (VALUE, CURSOR, "gte: {query: from}", "gte: {query: above}"),
    "all is told again": (TOKEN, DELTA, 'above: "${since.token}"', 'above: "${since.token && `3`}"'),
}
"""The promise that is broken, and what stands in which file instead of what."""


@pytest.mark.parametrize(("promise", "text", "right", "wrong"), FAULTS.values(), ids=list(FAULTS))
async def test_a_fault_in_the_file_breaks_the_promise(tmp_path, promise, text, right, wrong):
    assert text.count(right) == 1
    assert not await is_kept(OnDesk(tmp_path, text=text.replace(right, wrong)), promise)


class Forgetful(DeclarativeConnector):
    """Takes any page token for the first page's."""

    async def changes(self, access, collection, since, page):
        return await super().changes(access, collection, since, PageRequest(size=page.size))


async def test_a_connector_that_takes_any_page_token_breaks_the_promise(tmp_path):
    suite = OnDesk(tmp_path, text=CURSOR)
    suite.connector = lambda http, clock: Forgetful(load_connector_file(suite.file), http, clock=clock)

    assert not await is_kept(suite, "test_a_foreign_page_token_starts_anew")


def test_every_promise_is_shown_to_be_able_to_fail():
    assert sorted({promise for promise, *_ in FAULTS.values()} | {"test_a_foreign_page_token_starts_anew"}) == PROMISES
