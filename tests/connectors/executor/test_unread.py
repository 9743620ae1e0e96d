"""Pages of which nobody reads more than a few fields of each record: they hold what a reading of all finds, as the app wrote it."""

import asyncio
import json

import pytest
from msgspec import Raw
from msgspec.structs import replace

from gateway.connectors.operation import Operation
from gateway.errors import UpstreamError, UpstreamResponseError
from gateway.models import PageRequest, Pointer
from gateway.models.read_fields import ReadFields, object_of
from gateway.models.records import MODELS_FIELDS, RECORD_PARTS, SHOWN_FIELDS, TOLD_PARTS
from gateway.testing import Answer
from gateway.udm import Picked
from tests.connectors.executor.notes import TOKEN, access_with, items, read
from tests.support.plain import plain

NOTES = {
    "items": [
        {"id": 7, "title": "A", "tags": ["x"], "rate": 0.1, "rev": 1, "at": "2026-11-21T16:16:37Z"},
        {"id": "b", "title": 5, "who": {"name": "é"}, "rev": None},
        {"id": 10**30, "title": "", "rev": "3", "at": "never"},
    ],
    "next": None,
}
ENVELOPE = {"id": "${record.id}", "name": "${record.title}", "version": "${record.rev}", "updated_at": "${record.at}"}
CURSOR = {"type": "cursor", "name": "c", "next": "${body.next}", "has_more": "body.more"}


SHOWN = TOLD_PARTS | {SHOWN_FIELDS}


async def page_of(connector, access, *, parts=SHOWN, token=None):
    return await connector.records(access, Pointer("notes"), PageRequest(size=100, token=token, parts=parts))


def whole(record):
    """The record with its fields read."""
    return replace(record, fields=json.loads(bytes(record.fields)))


def is_unread(page):
    kinds = {type(record.fields) for record in page.items}
    assert kinds in ({Raw}, {dict})
    return kinds == {Raw}


async def told(connector, access, **asked):
    """A page, or what is said where there is none."""
    try:
        return await page_of(connector, access, **asked)
    except UpstreamError as error:
        return type(error), error.message


@pytest.mark.parametrize(
    "listing",
    [
        {},
        {"records": "${body}"},
        {"records": "${body.data.list}"},
        {"pagination": {"type": "page", "name": "p", "size": {"max": 3}}},
        {"pagination": {"type": "page", "name": "p", "has_more": "headers.more == 'yes'"}},
        {"pagination": {"type": "offset", "name": "o", "has_more": "body.total > page.count"}},
        {"pagination": {"type": "next_url", "next": "${headers.link.next}"}},
        {"pagination": CURSOR},
        {"pagination": CURSOR, "records": "${body.data.list}"},
    ],
    ids=json.dumps,
)
async def test_records_are_the_same_as_where_all_of_them_is_read_but_for_their_fields_which_are_texts(app, connector, access, listing):
    path = listing.get("records", "${body.items}")
    bodies = {"${body}": NOTES["items"], "${body.data.list}": {"data": {"list": NOTES["items"]}, "next": "n", "more": True}}
    body = bodies.get(path, {**NOTES, "next": "n", "more": True, "total": 9})
    headers = {"Content-Type": "application/json", "More": "yes", "Link": '</notes?c=2>; rel="next"'}
    text = json.dumps(body, indent=1, ensure_ascii=False).encode()
    app.answer(Answer(body=text, headers=headers), Answer(body=text, headers=headers))
    notes = connector(listing=listing, collection={"record": ENVELOPE})

    seen = await page_of(notes, access)
    read = await page_of(notes, access, parts=RECORD_PARTS)

    assert is_unread(seen)
    assert not is_unread(read)
    assert tuple(map(whole, seen.items)) == read.items
    assert bytes(seen.items[1].fields) in text
    assert seen.next_token == read.next_token
    assert (seen.next_token is None) == ("pagination" not in listing)


@pytest.mark.parametrize(
    "parts",
    [
        {"listing": {"where": "item.rev != null"}},
        {"listing": {"records": "${body.items[0:2]}"}},
        {"listing": {"pagination": {**CURSOR, "next": "${last.id}"}}},
        {"listing": {"pagination": {**CURSOR, "has_more": "length(body) > `8`"}}},
        {"listing": {"pagination": {**CURSOR, "next": "${body.items[0].id}"}}},
        {"collection": {"record": {"id": "${record.id}", "name": "${upper(record.title)}"}}},
        {"collection": {"record": {"id": "${record.who.id}"}}},
        {"collection": {"record": {"id": '${record."a\\"b"}'}}},
        {"collection": {"from_api": {"title": "${record.title}"}}},
        {
            "collection": {
                "record": {"id": "${record.id}", "updated_at": "${record.at}"},
                "sync": {"cursor": {}, "deleted": {"when": "item.rev == `9`"}},
            }
        },
        {"collection": {"coerce": True}},
        {"http": {"errors": [{"when": {"body": "body.error"}, "action": "rejected"}]}},
        {"http": {"errors": [{"when": {"status": [200], "body": "body.error"}, "action": "rejected"}]}},
    ],
    ids=json.dumps,
)
async def test_where_something_takes_a_reading_of_all_records_are_read_whole(app, connector, access, parts):
    note = {"id": 1, "title": "a", "who": {"id": 2}, 'a"b': 3, "rev": 1}
    app.answer(json={"items": [note], "more": False})

    assert not is_unread(await page_of(connector(**parts), access))


async def test_fields_take_the_types_that_the_app_describes_though_it_described_none_before(app, connector, access, clock):
    rules = {"errors": [{"when": {"status": [404]}, "action": "empty"}]}
    notes = connector(
        http=rules,
        collection={"fields": None, "coerce": True, "dynamic_fields": {"request": {"path": "/fields"}, "schema": "${body}"}},
    )
    described = {"type": "object", "properties": {"rev": {"type": "string"}}}
    app.answer(Answer(status=404), Answer(json=items(1)), Answer(json=described), Answer(json={"items": [{"id": 1, "rev": 7}]}))

    assert is_unread(await page_of(notes, access))
    clock.advance(11 * 60)

    assert (await page_of(notes, access)).items[0].fields == {"id": 1, "rev": "7"}


async def test_a_rule_for_bodies_of_failures_alone_does_not_read_those_of_success(app, connector, access):
    app.answer(json=NOTES)
    app.answer(Answer(status=422, json={"error": f"No {TOKEN}"}))
    rules = {"errors": [{"when": {"status": [422], "body": "body.error"}, "action": "rejected", "message": "${body.error}"}]}
    notes = connector(http=rules)

    assert is_unread(await page_of(notes, access))
    assert (await told(notes, access))[1] == "Notes refused the request (422): No [redacted]."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"items": null}',
        b'{"items": [{"id": 1}, {"id": null}]}',
        b'{"items": [{"id": 1}, {"title": "A"}]}',
        b'{"items": [{"id": 1}, {"id": ""}]}',
        b'{"items": [{"id": 1}, {"id": true}]}',
        b'{"items": [{"id": 1}, 7]}',
        b'{"items": [{"id": 1, "a": %b}]}' % (b"[" * 1_500 + b"]" * 1_500),
        b'{"items": [{"id": 1}',
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_what_is_amiss_is_told_as_by_a_reading_of_all(app, connector, access, body):
    headers = {"Content-Type": "application/json"}
    app.answer(Answer(body=body, headers=headers), Answer(body=body, headers=headers))
    notes = connector()

    fault = await told(notes, access)

    assert fault == await told(notes, access, parts=RECORD_PARTS)
    assert issubclass(fault[0], UpstreamError)


async def test_what_is_amiss_with_a_page_is_told_to_each_who_shares_its_request(app, connector, access):
    app.answer(Answer(body=b'{"items": [', headers={"Content-Type": "application/json"}, delay_seconds=0.05))
    notes = connector()

    faults = await asyncio.gather(*(page_of(notes, access) for _ in range(3)), return_exceptions=True)

    assert len(app.requests) == 1
    assert {type(fault) for fault in faults} == {UpstreamResponseError}
    assert {fault.message for fault in faults} == {"Notes answered what is no JSON: The app's answer is not JSON."}
    assert len(set(map(id, faults))) == 3


async def test_a_page_with_which_something_is_amiss_is_not_kept_for_the_app_to_confirm(app, connector, access):
    app.answer(Answer(body=b'{"items": [', headers={"ETag": '"1"'}), Answer(json=NOTES, headers={"ETag": '"1"'}))
    notes = connector()

    fault = await told(notes, access)
    page = await page_of(notes, access)

    assert fault[0] is UpstreamResponseError
    assert "if-none-match" not in app.requests[1].headers
    assert is_unread(page)


async def test_a_page_with_which_something_is_amiss_is_asked_for_again_within_one_operation(app, connector):
    app.answer(Answer(body=b'{"items": [', headers={}), Answer(json=NOTES))
    notes, access = connector(), access_with(operation=Operation(remembers=True))

    fault = await told(notes, access)
    page = await page_of(notes, access)

    assert fault[0] is UpstreamResponseError
    assert is_unread(page)
    assert len(app.requests) == 2


async def test_json_that_is_not_quite_kept_to_is_read_whole(app, connector, access):
    app.answer(Answer(body=b'\xef\xbb\xbf{"items": [{"id": 1, "a": NaN, "b": "\xff", "c": "\\ud800"}]}', headers={}))

    (record,) = (await page_of(connector(), access)).items

    assert record.fields == {"id": 1, "a": None, "b": "�", "c": "�"}


async def test_those_who_read_all_and_those_who_do_not_share_one_request_whoever_comes_first(app, connector, access):
    notes = connector(collection={"record": ENVELOPE})
    for parts in ((SHOWN, RECORD_PARTS, frozenset({SHOWN_FIELDS})), (RECORD_PARTS, SHOWN, frozenset({SHOWN_FIELDS}))):
        app.answer(Answer(json=NOTES, delay_seconds=0.05))
        asked = len(app.requests)

        pages = await asyncio.gather(*(page_of(notes, access, parts=each) for each in parts))

        assert len(app.requests) == asked + 1
        records = {each: page.items for each, page in zip(parts, pages, strict=True)}
        assert [record.fields for record in records[RECORD_PARTS]] == NOTES["items"]
        assert [whole(record).fields if is_unread(page) else record.fields for page in pages for record in page.items] == NOTES["items"] * 3
        assert [record.name for record in records[SHOWN]] == ["A", "5", None]
        assert [record.name for record in records[frozenset({SHOWN_FIELDS})]] == [None] * 3


async def test_a_page_that_the_app_confirms_is_told_again_as_it_was_written(app, connector, access):
    app.answer(Answer(json=NOTES, headers={"ETag": '"1"'}), Answer(status=304), Answer(status=304))
    notes = connector()

    pages = [await page_of(notes, access), await page_of(notes, access), await page_of(notes, access, parts=RECORD_PARTS)]

    assert [is_unread(page) for page in pages] == [True, True, False]
    assert tuple(map(whole, pages[1].items)) == pages[2].items
    assert [bytes(record.fields) for record in pages[0].items] == [bytes(record.fields) for record in pages[1].items]


async def test_pages_that_repeat_are_told_by_the_ids_of_their_records(app, connector, access):
    app.answer_with(lambda request: Answer(json={**items(1, 2), "next": "n", "more": True}))
    notes = connector(listing={"pagination": {**CURSOR, "next": "${body.next}"}})

    first = await page_of(notes, access)

    assert await told(notes, access, token=first.next_token) == await told(notes, access, token=first.next_token, parts=RECORD_PARTS)


async def test_an_empty_page_is_none_of_its_kind(app, connector, access):
    app.answer(json={"items": [], "next": None})

    page = await page_of(connector(listing={"pagination": CURSOR}), access)

    assert (page.items, page.next_token) == ((), None)


async def test_a_page_of_thousands_is_told_in_their_order(app, connector, access):
    app.answer(json=items(*range(1_201)))

    page = await page_of(connector(), access)

    assert is_unread(page)
    assert [whole(record) for record in page.items] == list((await _read_again(app, connector, access)).items)


async def _read_again(app, connector, access):
    app.answer(json=items(*range(1_201)))
    return await read(connector(), access)


MODELLED = {
    "plain": {"subject": "title", "tags": "tags", "dueTime": "at", "priority": "rev"},
    "values": {"subject": "title", "status": {"field": "rev", "values": {"1": "open"}}},
    "expressions": {"subject": {"from": "${fields.title}"}, "status": {"field": "rev", "from": "${value || fields.rate}"}},
}


@pytest.mark.parametrize("fields", MODELLED.values(), ids=MODELLED)
@pytest.mark.parametrize("picked", [("id", "subject"), ("subject", "tags", "dueTime", "priority", "status", "updatedTime"), ()])
async def test_of_records_that_models_read_no_other_fields_are_read(app, connector, access, fields, picked):
    app.answer(json=NOTES)
    app.answer(json=NOTES)
    notes = connector(collection={"record": ENVELOPE, "universal_data_models": {"tasks": {"fields": fields}}})
    translation = notes.mapping(Pointer("notes"), "tasks")

    page = await page_of(notes, access, parts=TOLD_PARTS | {MODELS_FIELDS})
    whole_page = await page_of(notes, access, parts=RECORD_PARTS)

    assert all(isinstance(record.fields, ReadFields) for record in page.items)
    assert {"who", "next"}.isdisjoint(key for record in page.items for key in object_of(record.fields))
    assert list(map(translation.read, page.items)) == list(map(translation.read, whole_page.items))
    read = translation.reading({name: Picked(name) for name in picked})
    mixed = [*page.items, *whole_page.items]
    assert read(page.items) == read(whole_page.items)
    assert plain(read(page.items)) == [{name: each.get(name) for name in picked} for each in map(translation.read, whole_page.items)]
    assert read(mixed) == read(whole_page.items) * 2


KNOWN = {("title", str), ("at", str), ("rev", str), ("labels", list[str])}


@pytest.mark.parametrize(("sent", "known"), [("B", KNOWN), (None, KNOWN), (7, set())])
async def test_texts_are_known_as_such_where_the_connector_says_so_and_the_app_sends_no_other(app, connector, access, sent, known):
    text = {"type": "string"}
    described = {"title": text, "at": {"type": ["string", "null"]}, "rev": {"type": ["null", "string"]}, "unread": text}
    described |= {"labels": {"type": "array", "items": {"type": ["string"]}}}
    described |= {"kind": {"type": "array", "items": {"type": ["string", "null"]}}}
    described |= {"id": {"type": ["string", "integer"]}, "who": True, "state": {"type": "array"}}
    model = {
        "subject": "title",
        "dueTime": "at",
        "content": "rev",
        "assigneeId": "who",
        "tags": "labels",
        "status": "state",
        "priority": "kind",
    }
    tasks = {"fields": model}
    collection = {"fields": {"type": "object", "properties": described}, "universal_data_models": {"tasks": tasks}}
    app.answer(json={"items": [{"id": 1, "title": sent}, {"id": 2, "title": "C", "at": "2026-11-21T16:16:37Z"}]})

    page = await page_of(connector(collection=collection), access, parts=frozenset({MODELS_FIELDS}))

    assert [record.fields.types for record in page.items] == [known] * 2
    assert [object_of(record.fields)["title"] for record in page.items] == [sent, "C"]


@pytest.mark.parametrize(
    "properties", [None, [], {"title": None}, {"title": {"type": "array"}}, {"title": {"type": "array", "items": True}}]
)
async def test_of_fields_that_are_oddly_described_nothing_is_known(app, connector, access, properties):
    app.answer(json={"items": [{"id": 1, "title": "B"}]})
    tasks = {"fields": {"subject": "title"}}
    collection = {"fields": {"type": "object", "properties": properties}, "universal_data_models": {"tasks": tasks}}

    page = await page_of(connector(collection=collection), access, parts=frozenset({MODELS_FIELDS}))

    assert [record.fields.types for record in page.items] == [frozenset()]


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "who.name"},
        {"subject": {"from": "${join(', ', keys(fields))}"}},
        {"subject": {"field": "title", "from": "${value || fields.who.name}"}, "status": {"from": "${fields}"}},
        {"subject": '"'},
    ],
    ids=json.dumps,
)
async def test_where_a_model_may_read_any_field_all_are_read(app, connector, access, fields):
    app.answer(json=NOTES)
    notes = connector(collection={"universal_data_models": {"tasks": {"fields": fields}}})

    assert not is_unread(await page_of(notes, access, parts=frozenset({MODELS_FIELDS})))


async def test_records_that_are_shown_and_read_by_models_are_read_whole(app, connector, access):
    app.answer(json=NOTES)

    assert not is_unread(await page_of(connector(), access, parts=frozenset({MODELS_FIELDS, SHOWN_FIELDS})))


async def test_what_nests_too_deeply_for_an_answer_is_refused_where_a_model_reads_it(app, connector, access):
    body = b'{"items": [{"id": 1, "title": %b}]}' % (b"[" * 300 + b"]" * 300)
    headers = {"Content-Type": "application/json"}
    app.answer(Answer(body=body, headers=headers), Answer(body=body, headers=headers), Answer(body=body, headers=headers))
    notes = connector(collection={"universal_data_models": {"tasks": {"fields": {"subject": "title"}}}})

    fault = await told(notes, access, parts=frozenset({MODELS_FIELDS}))

    assert fault == await told(notes, access, parts=RECORD_PARTS)
    assert "nested deeper than the 200 levels" in fault[1]
    assert is_unread(await page_of(notes, access, parts=frozenset({SHOWN_FIELDS})))
