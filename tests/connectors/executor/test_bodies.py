import json

import pytest

from gateway.errors import UpstreamAuthError, UpstreamRejectedError, UpstreamResponseError
from gateway.models import PageRequest, Pointer
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read, read_all

QUERY = "query Notes($first: Int, $after: String, $box: String) { notes(first: $first, after: $after) { id } }"


def posted(**body):
    return {"request": {"method": "POST", "read": True, "path": "/notes", **body}}


async def sent(app, connector, access, *, listing, **parts):
    app.answer(json=items())
    await read(connector(listing=listing, **parts), access)
    return app.requests[-1]


async def test_a_json_body(app, connector, access):
    request = await sent(app, connector, access, listing=posted(json={"size": "${page.size}", "deep": {"list": ["${page.number}", None]}}))

    assert request.headers["content-type"] == "application/json"
    assert request.json() == {"size": 100, "deep": {"list": [1, None]}}


async def test_a_form_leaves_nulls_out_and_repeats_lists(app, connector, access):
    form = {"q": "a b&c=ü", "n": "${page.size}", "none": "${page.count}", "flag": True, "ids": ["1", None, 2], "o": {"a": 1}}
    request = await sent(app, connector, access, listing=posted(form=form))

    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.body == b"q=a+b%26c%3D%C3%BC&n=100&flag=true&ids=1&ids=2&o=%7B%22a%22%3A1%7D"


async def test_a_text_may_be_of_any_type(app, connector, access):
    request = await sent(
        app, connector, access, listing=posted(text="fields id; limit ${page.size}; ü", headers={"Content-Type": "text/x-query"})
    )

    assert request.headers["content-type"] == "text/x-query"
    assert request.body.decode() == "fields id; limit 100; ü"


async def test_plain_text_says_so(app, connector, access):
    assert (await sent(app, connector, access, listing=posted(text="a"))).headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_graphql_query_is_posted_with_its_variables(app, connector, access):
    listing = {"request": {"path": "/graphql", "graphql": {"query": QUERY, "variables": {"first": "${page.size}", "box": "a"}}}}
    app.answer(json={"data": {"notes": [{"id": 1}]}})

    page = await read(connector(listing={**listing, "records": "${body.data.notes}"}), access)

    assert (app.requests[0].method, app.requests[0].target) == ("POST", "/graphql")
    assert app.requests[0].headers["content-type"] == "application/json"
    assert app.requests[0].json() == {"query": QUERY, "variables": {"first": 100, "box": "a"}}
    assert [record.external_id for record in page.items] == ["1"]


def graphql(**parts):
    return {"request": {"path": "/graphql", "graphql": {"query": QUERY}}, "records": "${body.data.notes}", **parts}


async def test_graphql_errors_are_a_refusal_in_the_apps_words_however_much_data_came(app, connector, access):
    app.answer(json={"data": {"notes": [{"id": 1}]}, "errors": [{"message": "Field 'x' is unknown"}, {"message": "more"}]})

    with pytest.raises(UpstreamRejectedError) as refusal:
        await read(connector(listing=graphql()), access)

    assert refusal.value.message == "Notes refused the request (200): Field 'x' is unknown."
    assert len(app.requests) == 1


async def test_a_rule_reads_more_out_of_graphql_errors(app, connector, access):
    rule = {"when": {"status": [200], "body": "body.errors[0].extensions.code == 'UNAUTHENTICATED'"}, "action": "reauth"}
    app.answer(json={"errors": [{"message": "Sign in", "extensions": {"code": "UNAUTHENTICATED"}}]})

    with pytest.raises(UpstreamAuthError, match="Sign in"):
        await read(connector(listing=graphql(), http={"errors": [rule]}), access)


async def test_graphql_errors_of_another_status_have_their_text(app, connector, access):
    app.answer(status=400, json={"errors": [{"message": "No such field"}]})

    with pytest.raises(UpstreamRejectedError, match=r"\(400\): No such field"):
        await read(connector(listing=graphql()), access)


@pytest.mark.parametrize("body", [[], "text", 1, None, {}, {"errors": []}], ids=repr)
async def test_an_answer_that_is_no_graphql_is_not_what_was_promised(app, connector, access, body):
    app.answer(json=body)

    with pytest.raises(UpstreamResponseError):
        await read(connector(listing=graphql()), access)


@pytest.mark.parametrize("errors", ["text", 1, [1], [{}], [{"message": 5}], {"a": 1}], ids=repr)
async def test_odd_graphql_errors_are_a_refusal_too(app, connector, access, errors):
    app.answer(json={"data": {"notes": []}, "errors": errors})

    with pytest.raises(UpstreamRejectedError, match=r"Notes refused the request \(200\)"):
        await read(connector(listing=graphql()), access)


def test_a_graphql_mutation_is_no_read_and_a_query_is(connector):
    def request(query):
        listing = connector(listing={"request": {"path": "/g", "graphql": {"query": query}}})
        return listing._file.collections["notes"].operations.list.request

    assert request("{ notes { id } }").is_safe is True
    assert request("# mutation\nquery { notes { id } }").is_safe is True
    assert request("fragment F on Note { id } mutation { add { id } }").is_safe is False


def paged(placement, body):
    pagination = {"type": "cursor", "in": placement, "name": "page.after", "next": "${body.next}"}
    return {**posted(**body), "pagination": {**pagination, "size": {"in": placement, "name": "page.first", "max": 50}}}


async def test_a_page_is_told_in_a_json_body(app, connector, access):
    app.answer(Answer(json={**items(1), "next": "t1"}), Answer(json=items(2)))

    await read_all(connector(listing=paged("body", {"json": {"page": {"sort": "id"}, "all": True}})), access)

    assert [request.json() for request in app.requests] == [
        {"page": {"sort": "id", "first": 50}, "all": True},
        {"page": {"sort": "id", "first": 50, "after": "t1"}, "all": True},
    ]


async def test_a_page_is_told_in_a_form(app, connector, access):
    app.answer(Answer(json={**items(1), "next": "t&1"}), Answer(json=items(2)))

    await read_all(connector(listing=paged("body", {"form": {"q": "a"}})), access)

    assert [request.body for request in app.requests] == [b"q=a&page.first=50", b"q=a&page.first=50&page.after=t%261"]


async def test_a_page_is_told_in_graphql_variables(app, connector, access):
    pagination = {
        "type": "cursor",
        "in": "body",
        "name": "after",
        "next": "${body.data.next}",
        "size": {"in": "body", "name": "first", "max": 50},
    }
    app.answer(Answer(json={"data": {"notes": [{"id": 1}], "next": "t1"}}), Answer(json={"data": {"notes": [{"id": 2}]}}))

    await read_all(connector(listing=graphql(pagination=pagination)), access)

    assert [request.json()["variables"] for request in app.requests] == [{"first": 50}, {"first": 50, "after": "t1"}]


async def test_a_page_is_told_in_a_header(app, connector, access):
    pagination = {
        "type": "page",
        "in": "header",
        "name": "X-Page",
        "size": {"in": "header", "name": "X-Per-Page", "max": 2},
        "stop": "short_page",
    }
    app.answer(Answer(json=items(1, 2)), Answer(json=items(3)))

    await read_all(connector(listing={"pagination": pagination}), access)

    assert [(request.headers["x-page"], request.headers["x-per-page"], request.target) for request in app.requests] == [
        ("1", "2", "/notes"),
        ("2", "2", "/notes"),
    ]


async def test_a_token_that_no_header_carries_is_refused(app, connector, access):
    pagination = {"type": "cursor", "in": "header", "name": "X-After", "next": "${body.next}"}
    app.answer(json={**items(1), "next": "a\r\nX-Admin: 1"})
    notes = connector(listing={"pagination": pagination})
    page = await read(notes, access)

    with pytest.raises(UpstreamRejectedError, match="Header 'X-After' would hold a line break"):
        await read(notes, access, token=page.next_token)
    assert len(app.requests) == 1


async def test_a_request_reads_its_page_where_it_wants(app, connector, access):
    request = {"path": "/notes/from/${page.offset}", "query": {"n": "${page.size}"}}
    pagination = {"type": "offset", "in": "request", "size": {"in": "request", "max": 2}, "stop": "short_page"}
    app.answer(Answer(json=items(1, 2)), Answer(json=items(3)))

    await read_all(connector(listing={"request": request, "pagination": pagination}), access)

    assert [request.target for request in app.requests] == ["/notes/from/0?n=2", "/notes/from/2?n=2"]


async def test_a_request_reads_the_token_of_its_page(app, connector, access):
    pagination = {"type": "cursor", "in": "request", "next": "${body.next}"}
    listing = {**posted(json={"resume": "${page.token}"}), "pagination": pagination}
    app.answer(Answer(json={**items(1), "next": 7}), Answer(json=items(2)))

    await read_all(connector(listing=listing), access)

    assert [request.json() for request in app.requests] == [{"resume": None}, {"resume": "7"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": "a"}, "plain text cannot say which page"),
        ({}, "no body to say which page"),
        ({"json": "${`[1]`}"}, "a list in its body cannot hold 'page.first'"),
    ],
    ids=["text", "none", "list"],
)
async def test_a_page_that_a_body_cannot_hold_is_refused_unsent(app, connector, access, body, message):
    with pytest.raises(UpstreamRejectedError, match=message):
        await read(connector(listing=paged("body", body)), access)
    assert app.requests == []


@pytest.mark.parametrize("body", [{"form": {"a": "${parameters.q}"}}, {"text": "${parameters.q}"}], ids=["form", "text"])
async def test_text_that_is_not_unicode_is_refused_unsent(app, connector, access, body):
    notes = connector(listing=posted(**body), collection={"parameters": {"type": "object"}})

    with pytest.raises(UpstreamRejectedError, match="not Unicode"):
        await notes.records(access, Pointer("notes", {"q": "a\ud800"}), PageRequest(size=10))
    assert app.requests == []


KEY_IN_BODY = {"auth": {"token": {"type": "apiKey", "location": "body", "parameter": "api.key", "value": "${credentials.token}"}}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"json": {"q": 1}}, b'{"q":1,"api.key":"k&1"}'),
        ({"form": {"q": 1}}, b"q=1&api.key=k%261"),
        ({}, b'{"api.key":"k&1"}'),
        ({"graphql": {"query": "{ notes { id } }"}}, b'{"query":"{ notes { id } }","variables":{},"api.key":"k&1"}'),
    ],
    ids=["json", "form", "none", "graphql"],
)
async def test_a_key_in_the_body(app, connector, body, expected):
    app.answer(json={"data": {}, **items()})

    await read(connector(listing=posted(**body), **KEY_IN_BODY), access_with(credentials={"token": "k&1"}))

    assert app.requests[0].body == expected


async def test_a_key_that_no_body_can_hold_is_refused_unsent(app, connector):
    with pytest.raises(UpstreamRejectedError, match="or who asks"):
        await read(connector(**KEY_IN_BODY), access_with(credentials={"token": "k1"}))
    assert app.requests == []


async def test_a_key_in_the_body_stands_in_no_error_and_no_cursor(app, connector):
    access = access_with(credentials={"token": "body-key-4711"})
    notes = connector(
        listing={**posted(json={}), "pagination": {"type": "cursor", "in": "body", "next": "${body.next}"}},
        http={"error_message": "${body.error}"},
        **KEY_IN_BODY,
    )
    app.answer(Answer(json={**items(1), "next": "body-key-4711/2"}), Answer(status=400, json={"error": "bad key body-key-4711"}))
    page = await read(notes, access)

    with pytest.raises(UpstreamRejectedError, match=r"bad key \[redacted\]"):
        await read(notes, access, token=page.next_token)

    assert "body-key-4711" not in json.dumps(page.next_token)
    assert app.requests[1].json() == {"api.key": "body-key-4711", "cursor": "body-key-4711/2"}
