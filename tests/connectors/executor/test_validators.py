"""Answers that the app confirms: an unchanged page costs a 304, and nothing is confirmed that another request was answered."""

import asyncio
import json
from datetime import timedelta

import pytest

from gateway.connectors.executor.answers import decoded
from gateway.connectors.executor.validators import Validators, confirming_headers, may_be_confirmed
from gateway.connectors.http import AppResponse, WebAddress
from gateway.errors import UpstreamRejectedError, UpstreamResponseError
from gateway.models import Pointer
from gateway.testing import Answer, FakeClock
from tests.connectors.executor.notes import access_with, items, read

OLD = "Wed, 31 Dec 2025 12:00:00 GMT"
NOW = "Thu, 01 Jan 2026 00:00:00 GMT"


class Tagged:
    """An app whose notes have a tag, and that confirms what it gave."""

    def __init__(self, app, tag='"1"', **parts):
        self.tag = tag
        self.notes = items(1)
        self.headers = {}
        self.statuses = []
        app.answer_with(self.respond)

    def respond(self, request):
        is_known = request.headers.get("if-none-match") == self.tag
        self.statuses.append(304 if is_known else 200)
        headers = {"ETag": self.tag, **self.headers}
        return Answer(status=304, headers=headers) if is_known else Answer(json=self.notes, headers=headers)


async def ids(connector, access=None, **parts):
    return [record.external_id for record in (await read(connector, access or access_with(), **parts)).items]


async def test_an_unchanged_page_costs_a_304_and_a_changed_one_is_read(app, connector):
    tagged, notes = Tagged(app), connector()

    assert [await ids(notes) for _ in range(3)] == [["1"]] * 3
    tagged.tag, tagged.notes = '"2"', items(1, 2)
    assert [await ids(notes) for _ in range(2)] == [["1", "2"]] * 2

    assert tagged.statuses == [200, 304, 304, 200, 304]


async def test_a_confirmed_answer_is_not_parsed_again(app, connector):
    Tagged(app)
    notes = connector()

    first, second = await read(notes, access_with()), await read(notes, access_with())

    assert second.items[0].fields is first.items[0].fields


@pytest.mark.parametrize(
    "other",
    [{"connection_id": "c2"}, {"credentials": {"token": "token-4712-another"}}, {"parameters": {"region": "eu"}}],
    ids=lambda other: next(iter(other)),
)
async def test_nobody_is_given_what_another_was_answered(app, connector, other):
    tagged, notes = Tagged(app), connector()

    await ids(notes)
    await ids(notes, access_with(**other))

    assert tagged.statuses == [200, 200]


async def test_each_request_is_confirmed_by_itself(app, connector):
    tagged = Tagged(app)
    notes = connector(listing={"request": {"path": "/notes", "query": {"box": "${parameters.box}"}}})

    for number in (1, 2, 1):
        await ids(notes, pointer=Pointer("notes", {"box": number}))

    assert tagged.statuses == [200, 200, 304]


async def test_a_connector_can_do_without(app, connector):
    tagged, notes = Tagged(app), connector(http={"conditional": "none"})

    await ids(notes)
    await ids(notes)

    assert tagged.statuses == [200, 200]


@pytest.mark.parametrize("header", [{"Cache-Control": "private, No-Store"}, {"Cache-Control": 'no-store="x"'}, {"Vary": "Accept, *"}])
async def test_what_the_app_forbids_to_keep_is_not_kept(app, connector, header):
    tagged, notes = Tagged(app), connector()
    tagged.headers = header

    await ids(notes)
    await ids(notes)

    assert tagged.statuses == [200, 200]


async def test_what_the_app_forbids_to_keep_later_is_kept_no_longer(app, connector):
    tagged, notes = Tagged(app), connector()
    await ids(notes)
    tagged.headers = {"Cache-Control": "no-store"}

    assert [await ids(notes) for _ in range(2)] == [["1"]] * 2

    assert tagged.statuses == [200, 304, 200]


async def test_a_time_confirms_only_what_was_long_unchanged(app, connector):
    notes = connector()
    asked = []

    def respond(request):
        asked.append(request.headers.get("if-modified-since"))
        return Answer(status=304) if asked[-1] else Answer(json=items(1), headers={"Last-Modified": modified, "Date": NOW})

    app.answer_with(respond)
    modified = "Wed, 31 Dec 2025 23:59:01 GMT"
    await ids(notes)
    await ids(notes)
    modified = OLD
    await ids(notes)

    assert [await ids(notes) for _ in range(2)] == [["1"], ["1"]]
    assert asked == [None, None, None, OLD, OLD]


async def test_a_tag_is_asked_without_the_time_beside_it(app, connector):
    tagged, notes = Tagged(app), connector()
    tagged.headers = {"Last-Modified": OLD, "Date": NOW}

    await ids(notes)
    await ids(notes)

    assert "if-modified-since" not in app.requests[1].headers


async def test_a_weak_tag_confirms_too_and_is_sent_as_it_came(app, connector):
    tagged, notes = Tagged(app, tag='W/"abc"'), connector()

    await ids(notes)
    tagged.headers = {"ETag": '"abc"'}

    assert await ids(notes) == ["1"]
    assert app.requests[1].headers["if-none-match"] == 'W/"abc"'
    assert tagged.statuses == [200, 304]


@pytest.mark.parametrize("tag", ["abc", '"a', '"é"', f'"{"x" * 600}"', "W/abc", '"a b"', '"a", "b"'])
async def test_what_is_no_tag_is_not_sent(app, connector, tag):
    app.answer_with(lambda request: Answer(json=items(1), headers={"ETag": tag}))
    notes = connector()

    await ids(notes)
    await ids(notes)

    assert [request.headers.get("if-none-match") for request in app.requests] == [None, None]


async def test_a_304_that_confirms_another_answer_is_asked_anew(app, connector):
    notes = connector()
    app.answer(json=items(1), headers={"ETag": '"1"'})
    app.answer(status=304, headers={"ETag": '"2"'})
    app.answer(json=items(2), headers={"ETag": '"2"'})

    assert [await ids(notes), await ids(notes)] == [["1"], ["2"]]
    assert [request.headers.get("if-none-match") for request in app.requests] == [None, '"1"', None]


async def test_a_304_that_nobody_asked_for_is_an_answer_that_nobody_expects(app, connector):
    app.answer(status=304, headers={"ETag": '"1"'})

    with pytest.raises(UpstreamResponseError, match=r"does not expect \(304\)"):
        await read(connector(), access_with())


async def test_a_condition_of_the_connector_is_its_own(app, connector):
    app.answer_with(lambda request: Answer(json=items(1), headers={"ETag": '"1"'}))
    rule = {"when": {"status": [304]}, "action": "empty"}
    notes = connector(listing={"request": {"path": "/notes", "headers": {"If-None-Match": '"mine"'}}}, http={"errors": [rule]})
    await ids(notes)
    app.answer(status=304)

    assert await ids(notes) == []
    assert [request.headers["if-none-match"] for request in app.requests] == ['"mine"', '"mine"']


async def test_a_post_that_reads_is_not_confirmed(app, connector):
    app.answer_with(lambda request: Answer(json=items(1), headers={"ETag": '"1"'}))
    notes = connector(listing={"request": {"method": "POST", "path": "/notes", "json": {}, "read": True}})

    await ids(notes)
    await ids(notes)

    assert ["if-none-match" in request.headers for request in app.requests] == [False, False]


async def test_where_a_redirect_leads_elsewhere_the_same_tag_confirms_nothing(app, connector):
    notes = connector()
    app.answer(status=302, headers={"Location": "/a"})
    app.answer(json=items(1), headers={"ETag": '"1"'})
    app.answer(status=302, headers={"Location": "/b"})
    app.answer(json=items(2), headers={"ETag": '"1"'})
    app.answer(status=302, headers={"Location": "/b"})
    app.answer(status=304)

    assert [await ids(notes) for _ in range(3)] == [["1"], ["2"], ["2"]]
    assert [request.headers.get("if-none-match") for request in app.requests] == [None, None, None, None, None, '"1"']


async def test_a_passing_failure_leaves_what_is_kept_and_a_refusal_does_not(app, connector):
    tagged, notes = Tagged(app), connector()
    await ids(notes)
    app.answer(status=503)
    await ids(notes)
    assert tagged.statuses == [200, 304]

    app.answer(status=404)
    with pytest.raises(UpstreamRejectedError):
        await ids(notes)
    await ids(notes)

    assert tagged.statuses == [200, 304, 200]


async def test_an_error_in_an_answer_of_success_is_not_kept(app, connector):
    rule = {"when": {"body": "body.error"}, "action": "rejected"}
    notes = connector(http={"errors": [rule]})
    app.answer(json={"error": "no"}, headers={"ETag": '"1"'})
    app.answer(json=items(1), headers={"ETag": '"1"'})

    with pytest.raises(UpstreamRejectedError):
        await ids(notes)

    assert await ids(notes) == ["1"]
    assert "if-none-match" not in app.requests[1].headers


async def test_an_answer_that_stands_for_nothing_still_does_when_it_is_confirmed(app, connector):
    tagged = Tagged(app)
    tagged.notes = {"items": [{"id": 1}], "state": "closed"}
    notes = connector(http={"errors": [{"when": {"body": "body.state == 'closed'"}, "action": "empty"}]})

    assert [await ids(notes), await ids(notes)] == [[], []]
    assert tagged.statuses == [200, 304]


async def test_what_a_304_says_anew_of_the_limits_and_links_is_heard(app, connector):
    notes = connector(listing={"pagination": {"type": "next_url", "next": "${headers.link.next}"}})
    app.answer(json=items(1), headers={"ETag": '"1"', "Link": '</notes?page=2>; rel="next"'})
    app.answer(status=304, headers={"ETag": '"1"', "Link": '</notes?page=3>; rel="next"'})
    app.answer_with(lambda request: Answer(json=items(2)))

    await read(notes, access_with())
    page = await read(notes, access_with())
    await read(notes, access_with(), token=page.next_token)

    assert app.requests[2].target == "/notes?page=3"


async def test_many_at_once_share_a_304(app, connector):
    tagged, notes = Tagged(app), connector()
    await ids(notes)

    outcomes = await asyncio.gather(*(ids(notes) for _ in range(20)))

    assert outcomes == [["1"]] * 20
    assert tagged.statuses == [200, 304]


def answer_of(status=200, headers=None, body=b"{}"):
    response = AppResponse(status=status, headers={"etag": '"1"'} if headers is None else headers, body=body)
    return decoded(response, url=WebAddress.parse("http://app.test"), app="Notes")


WEIGHT = answer_of().weight


def test_what_is_kept_is_bounded_and_the_least_used_goes_first():
    validators = Validators(clock=FakeClock(), maximum_bytes=3 * WEIGHT)
    for key in (b"a", b"b", b"c"):
        validators.note(key, answer_of())
    validators.confirmable(b"a")

    validators.note(b"d", answer_of())
    validators.note(b"huge", answer_of(body=json.dumps("x" * 2 * WEIGHT).encode()))

    kept = [key for key in (b"a", b"b", b"c", b"d", b"huge") if validators.confirmable(key) is not None]
    assert (kept, validators.weight) == ([b"a", b"c", b"d"], 3 * WEIGHT)


def test_what_nobody_reads_for_an_hour_is_forgotten():
    clock = FakeClock()
    validators = Validators(clock=clock)
    validators.note(b"a", answer_of())
    clock.advance(timedelta(minutes=61).total_seconds())

    assert validators.confirmable(b"a") is None
    validators.note(b"b", answer_of())
    assert validators.weight == WEIGHT


def test_headers_of_confirmations_do_not_add_up():
    validators = Validators(clock=FakeClock())
    validators.note(b"a", answer_of())
    for number in range(100):
        confirmation = answer_of(status=304, headers={"etag": '"1"', f"x-{number}": "x" * 1000}, body=b"")
        validators.note(b"a", validators.confirmable(b"a").renewed(confirmation))

    assert validators.confirmable(b"a").answer.headers == {"etag": '"1"'}
    assert validators.weight == WEIGHT


@pytest.mark.parametrize("status", [201, 203, 204, 206, 404])
def test_only_a_plain_answer_is_kept(status):
    assert confirming_headers(answer_of(status)) == {}


# The last one could not be sent back: each read would be refused.
TIMES = ["", "yesterday", "Thu, 32 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2036 00:00:00 GMT", "Wed, 31 Dec 2025 12:00:00 GMT\x01"]


@pytest.mark.parametrize("modified", TIMES)
def test_a_time_that_cannot_be_read_or_is_to_come_confirms_nothing(modified):
    headers = {"last-modified": modified, "date": NOW}

    assert confirming_headers(answer_of(headers=headers)) == {}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, True),
        ("HEAD", {}, False),
        ("POST", {}, False),
        ("GET", {"range": "bytes=0-1"}, False),
        ("GET", {"if-match": "*"}, False),
    ],
)
def test_a_get_without_conditions_of_its_own_may_be_confirmed(method, headers, expected):
    assert may_be_confirmed(method, headers) is expected
