"""Finding single records."""

import pytest

from gateway.errors import UnsupportedError, UpstreamRejectedError, UpstreamResponseError, UpstreamUnavailableError
from gateway.models import Pointer
from tests.connectors.executor.notes import items

NOTES = Pointer("notes")
LIST = {"request": {"path": "/notes"}, "records": "${body.items}"}
GET = {"get": {"request": {"path": "/notes/${id}"}, "record": "${body.note}"}}
GET_MANY = {"get_many": {"request": {"path": "/notes", "query": {"ids": "${join(',', ids)}"}}, "records": "${body.items}", "max": 3}}
MATCH = {"match": {"fields": ["title", "size"], "request": {"path": "/find", "query": {"t": "${fields.title}"}}, "record": "${body.note}"}}
MATCH_IN_LIST = {
    "list": {**LIST, "filters": {"title": {"eq": {"query": "title"}}}, "pagination": {"type": "page", "stop": "empty_page"}},
    "match": {"fields": ["title"]},
}
HOSTILE_IDS = {
    "empty": "",
    "here": ".",
    "up": "..",
    "path up": "../admin",
    "path up in the middle": "a/../../admin",
    "path up with backslashes": "..\\admin",
    "up with a parameter": "..;x",
    "path up with parameters": "a/..;x/admin",
    "line break": "1\r\nX-Evil: 1",
    "null": "a\x00b",
    "delete": "a\x7f",
    "half a character": "a\ud800",
    "long": "a" * 1001,
}


@pytest.fixture
def made(connector):
    """A connector with these operations beside the list, and these words of the record's envelope."""
    return lambda *parts, **record: connector(
        collection={
            "operations": {"list": LIST} | {key: part for parts_ in parts for key, part in parts_.items()},
            "record": {"id": "${record.id}", **record},
        }
    )


async def test_a_record_is_found_by_its_id(app, made, access):
    app.answer(json={"note": {"id": 7, "title": "A"}})

    found = await made(GET).record(access, NOTES, "7")

    assert (found.external_id, found.fields) == ("7", {"id": 7, "title": "A"})
    assert app.requests[0].target == "/notes/7"


@pytest.mark.parametrize(
    ("id", "target"),
    [
        ("a/b", "/notes/a%2Fb"),
        ("a b?c#d%2e", "/notes/a%20b%3Fc%23d%252e"),
        ("é", "/notes/%C3%A9"),
        ("a;b=c", "/notes/a%3Bb%3Dc"),
        ("...", "/notes/..."),
    ],
)
async def test_an_id_is_one_segment_of_the_path_whatever_it_holds(app, made, access, id, target):
    app.answer(json={"note": {"id": id}})

    assert (await made(GET).record(access, NOTES, id)).external_id == id
    assert app.requests[0].target == target


@pytest.mark.parametrize("status", [404, 410])
async def test_a_record_that_the_app_has_not_is_null(app, made, access, status):
    app.answer(status=status, json={})
    app.answer(json={"note": None})

    assert await made(GET).record(access, NOTES, "7") is None
    assert await made(GET).record(access, NOTES, "8") is None


async def test_a_rule_may_say_that_an_answer_means_no_record(app, connector, access):
    app.answer(status=400, json={"error": "no such"})
    told = connector(http={"errors": [{"when": {"status": [400]}, "action": "empty"}]}, collection={"operations": GET})

    assert await told.record(access, NOTES, "7") is None


@pytest.mark.parametrize(("status", "kind"), [(403, UpstreamRejectedError), (400, UpstreamRejectedError)])
async def test_a_refusal_is_not_a_record_that_is_not_there(app, made, access, status, kind):
    app.answer(status=status, json={})

    with pytest.raises(kind):
        await made(GET).record(access, NOTES, "7")


@pytest.mark.parametrize("record", ["text", [], 7])
async def test_an_answer_that_holds_no_object_is_told(app, made, access, record):
    app.answer(json={"note": record})

    with pytest.raises(UpstreamResponseError, match=r"The record is .*, not an object"):
        await made(GET).record(access, NOTES, "7")


@pytest.mark.parametrize("id", HOSTILE_IDS.values(), ids=HOSTILE_IDS)
async def test_an_id_that_no_app_gives_is_of_no_record_and_asks_nobody(app, made, access, id):
    both = made(GET, GET_MANY)

    assert await both.record(access, NOTES, id) is None
    assert await both.records_by_ids(access, NOTES, [id]) == {}
    assert app.requests == []


async def test_an_id_that_does_not_fit_the_apps_pattern_asks_nobody(app, made, access):
    app.answer(json={"note": {"id": "ab12"}})
    strict = made(GET, id_pattern="[a-z]{2}[0-9]{2}|x")

    assert (await strict.record(access, NOTES, "ab12")).external_id == "ab12"
    assert [await strict.record(access, NOTES, other) for other in ("ab123", "ab12\n", "1", "AB12", "xx")] == [None] * 5
    assert len(app.requests) == 1


async def test_several_records_are_found_with_one_request(app, made, access):
    app.answer(json=items(3, 1, 99))

    found = await made(GET, GET_MANY).records_by_ids(access, NOTES, ["1", "2", "3", "1"])

    assert {external_id: record.external_id for external_id, record in found.items()} == {"3": "3", "1": "1"}
    assert [request.target for request in app.requests] == ["/notes?ids=1%2C2%2C3"]


async def test_one_record_is_found_among_several_where_the_app_has_no_other_way(app, made, access):
    app.answer(json=items(1))
    app.answer(json=items())

    assert (await made(GET_MANY).record(access, NOTES, "1")).external_id == "1"
    assert await made(GET_MANY).record(access, NOTES, "2") is None


@pytest.mark.parametrize("body", [{"items": None}, {"items": {}}, {}])
async def test_an_answer_without_the_list_of_several_is_told(app, made, access, body):
    app.answer(json=body)

    with pytest.raises(UpstreamResponseError, match="of its connector expects a list"):
        await made(GET_MANY).records_by_ids(access, NOTES, ["1"])


async def test_a_selector_sees_what_its_request_saw(app, made, access):
    app.answer(json=items(1, 7))
    through_list = {
        "get": {"request": {"path": "/notes", "query": {"near": "${id}"}}, "record": "${body.items[?to_string(id) == '7'] | [0]}"}
    }

    assert (await made(through_list).record(access, NOTES, "7")).external_id == "7"


async def test_a_record_is_matched_by_a_request_of_its_own(app, made, access):
    app.answer(json={"note": {"id": 1}})
    app.answer(status=404, json={})
    app.answer(json={"note": None})
    matching = made(MATCH)

    assert [record and record.external_id for record in [await matching.match(access, NOTES, {"title": t}) for t in "abc"]] == [
        "1",
        None,
        None,
    ]
    assert [request.target for request in app.requests] == ["/find?t=a", "/find?t=b", "/find?t=c"]


async def test_a_record_is_matched_as_the_first_of_the_list(app, made, access):
    app.answer(json=items(4, 5))
    app.answer(json=items())

    assert (await made(MATCH_IN_LIST).match(access, NOTES, {"title": "a"})).external_id == "4"
    assert await made(MATCH_IN_LIST).match(access, NOTES, {"title": "b"}) is None
    assert app.requests[0].target == "/notes?title=a&page=1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"id": 1}, "Records cannot be matched by 'id'; they can be by title, size."),
        ({"title": "a", "x": 1, "y": 2}, "Records cannot be matched by 'x' and 'y'; they can be by title, size."),
        ({}, "Records cannot be matched by no field; they can be by title, size."),
    ],
)
async def test_fields_that_cannot_match_are_refused_with_those_that_can(app, made, access, fields, message):
    with pytest.raises(UnsupportedError) as caught:
        await made(MATCH).match(access, NOTES, fields)
    assert (caught.value.message, app.requests) == (message, [])


async def test_what_a_collection_does_not_support_is_refused_before_anything_is_asked(app, made, access):
    without = made()

    with pytest.raises(UnsupportedError, match="The records of Notes cannot be found by id"):
        await without.record(access, NOTES, "1")
    with pytest.raises(UnsupportedError, match="cannot be found by id several at a time"):
        await made(GET).records_by_ids(access, NOTES, ["1"])
    with pytest.raises(UnsupportedError, match="cannot be matched by their fields"):
        await without.match(access, NOTES, {"title": "a"})
    assert app.requests == []


async def test_an_app_that_fails_is_not_an_app_without_the_record(app, connector, access):
    app.answer(status=500, json={})

    with pytest.raises(UpstreamUnavailableError):
        await connector(http={"retry": {"max_attempts": 1}}, collection={"operations": GET}).record(access, NOTES, "7")
