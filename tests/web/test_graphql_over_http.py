"""GraphQL over HTTP: what is answered, in which type and status, and what is refused how."""

import asyncio
import json

import pytest

from tests.web.serving import NOTES

GRAPHQL = "application/graphql-response+json"


def refused(response, *, status, code):
    """The message of a refusal, once its shape is as promised."""
    assert response.status_code == status
    assert response.headers["content-type"] in ("application/json; charset=utf-8", f"{GRAPHQL}; charset=utf-8")
    (error,) = response.json()["errors"]
    assert response.json() == {"errors": [{"message": error["message"], "extensions": {"code": code}}]}
    return error["message"]


async def test_a_query_is_answered_by_post_and_by_get(http):
    posted = await http.post("/graphql", json={"query": "query Greet($name: String!) { hello(name: $name) }", "variables": {"name": "Ada"}})
    got = await http.get("/graphql", params={"query": "query Greet($name: String!) { hello(name: $name) }", "variables": '{"name": "Ada"}'})

    assert (posted.status_code, posted.json()) == (200, {"data": {"hello": "Hello, Ada!"}})
    assert (got.status_code, got.json()) == (200, {"data": {"hello": "Hello, Ada!"}})
    assert posted.headers["content-type"] == "application/json; charset=utf-8"
    assert posted.headers["vary"] == "Accept, Origin"
    assert posted.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        ("application/*", GRAPHQL),
        (f"application/json;q=0.9, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, application/json", "application/json"),
        (f"{GRAPHQL};q=0, */*;q=0.1", "application/json"),
        ("multipart/mixed, application/json", "application/json"),
        (f"{GRAPHQL};q=high, application/json;q=0.2", "application/json"),
        ("", "application/json"),
        ("application/json;q=0, */*", GRAPHQL),
        (f"{GRAPHQL};q=0, application/*", "application/json"),
        (f"{GRAPHQL};q=inf, application/json;q=0.2", "application/json"),
        (f"{GRAPHQL};q=-1, application/json;q=0.2", "application/json"),
        ("text/html;q=0.1, application/json", "application/json"),
        ("application/json, multipart/mixed;q=2, text/event-stream", "application/json"),
    ],
)
async def test_the_answer_comes_in_the_type_that_the_client_likes_best(http, accept, media_type):
    http.headers.pop("accept")

    response = await http.post("/graphql", json={"query": "{ hello }"}, headers={} if accept is None else {"accept": accept})

    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.json() == {"data": {"hello": "Hello, world!"}}


@pytest.mark.parametrize("accept", ["text/plain", ",;q=1,/;;", "*/*;q=0", "text/event-stream;q=0", "application/json;q=0", "text/html;q=0"])
async def test_a_client_that_accepts_none_of_the_types_is_told_so_before_anything_runs(http, accept):
    response = await http.post("/graphql", json={"query": 'mutation { note(text: "x") }'}, headers={"accept": accept})

    assert refused(response, status=406, code="UNSUPPORTED") == (
        f"Answers are `{GRAPHQL}`, `application/json` or `text/event-stream`. Accept one of them."
    )
    assert NOTES == []


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{ nothing }"},
        {"query": "query($name: Int!) { hello(name: $name) }"},
        {"query": "query($name: String!) { hello(name: $name) }", "variables": {"name": 5}},
        {"query": "query($name: String!) { hello(name: $name) }"},
    ],
)
async def test_a_request_that_cannot_be_executed_has_no_data_and_the_code_invalid(http, body):
    old = await http.post("/graphql", json=body)
    new = await http.post("/graphql", json=body, headers={"accept": GRAPHQL})

    assert (old.status_code, new.status_code) == (200, 400)
    assert old.json() == new.json()
    assert old.json().keys() == {"errors"}
    assert {error["extensions"]["code"] for error in old.json()["errors"]} == {"INVALID"}


async def test_a_field_that_fails_leaves_the_rest_of_the_answer(http):
    response = await http.post("/graphql", json={"query": "{ hello missing }"}, headers={"accept": GRAPHQL})

    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello, world!", "missing": None}
    assert [error["path"] for error in response.json()["errors"]] == [["missing"]]


async def test_a_mutation_by_get_is_refused_and_changes_nothing(http):
    response = await http.get("/graphql", params={"query": 'mutation { note(text: "x") }'})

    assert refused(response, status=405, code="UNSUPPORTED") == "Mutations need POST."
    assert response.headers["allow"] == "POST"
    assert NOTES == []


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_sent_to_a_stream(http, method):
    asked = {"query": "subscription { count(to: 2) }"}

    response = await http.request(
        method, "/graphql", **({"params": asked} if method == "GET" else {"json": asked}), headers={"accept": GRAPHQL}
    )

    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert refused(response, status=400, code="UNSUPPORTED") == (
        "Subscriptions need a stream: accept `text/event-stream`, or open a WebSocket with `graphql-transport-ws` at this address."
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_refused_with_those_that_are_allowed(http, method):
    response = await http.request(method, "/graphql", headers={"accept": "application/json"})

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The request is not valid JSON."),
        (b"{", "The request is not valid JSON."),
        (b'{"query": "{ hello }"', "The request is not valid JSON."),
        (b'{"query": NaN}', "The request is not valid JSON."),
        (b'{"query": "\xff"}', "The request is not valid JSON."),
        (b'\xef\xbb\xbf{"query": "{ hello }"}', "The request is not valid JSON."),
        (b"[" * 2000, "The request is not valid JSON."),
        (b'{"query": "{ hello }", "variables": {"n": ' + b"[" * 1500, "The request is not valid JSON."),
        (b"null", "The request must be a JSON object with a `query`."),
        (b"5", "The request must be a JSON object with a `query`."),
        (b'"{ hello }"', "The request must be a JSON object with a `query`."),
        (b"[]", "The list of operations is empty. Send at least one."),
        (b"{}", "The request has no `query`. Send a GraphQL document in it."),
        (b'{"query": null}', "The request has no `query`. Send a GraphQL document in it."),
        (b'{"query": ""}', "The request has no `query`. Send a GraphQL document in it."),
        (b'{"query": 5}', "`query` of the request must be a string."),
        (b'{"query": ["{ hello }"]}', "`query` of the request must be a string."),
        (b'{"query": "{ hello }", "operationName": 5}', "`operationName` of the request must be a string or null."),
        (b'{"query": "{ hello }", "variables": "{}"}', "`variables` of the request must be an object or null."),
        (b'{"query": "{ hello }", "variables": []}', "`variables` of the request must be an object or null."),
        (b'{"query": "{ hello }", "extensions": 7}', "`extensions` of the request must be an object or null."),
    ],
)
async def test_an_odd_body_is_refused_by_its_fault(http, body, message):
    response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})

    assert refused(response, status=400, code="INVALID") == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "The request has no `query`. Send a GraphQL document in it."),
        ({"query": "{ hello }", "variables": "{"}, "The request is not valid JSON."),
        ({"query": "{ hello }", "variables": "[]"}, "`variables` of the request must be an object or null."),
        ({"query": "{ hello }", "extensions": "5"}, "`extensions` of the request must be an object or null."),
        ({"query": "query A { hello }", "operationName": "B"}, "The document has no operation named 'B'."),
    ],
)
async def test_an_odd_address_is_refused_by_its_fault(http, parameters, message):
    assert refused(await http.get("/graphql", params=parameters), status=400, code="INVALID") == message


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jsonp"},
        {"content-type": "text/html; application/json"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "\xff"},
    ],
)
async def test_a_body_that_a_foreign_page_could_send_unasked_is_refused(http, headers):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}

    response = await http.post("/graphql", content=b'{"query": "{ hello }"}', headers=encoded)

    assert refused(response, status=415, code="UNSUPPORTED") == (
        "Send the request as `Content-Type: application/json`, in UTF-8. As `text/plain` it takes a header `GraphQL-Require-Preflight`."
    )


@pytest.mark.parametrize("header", ["GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"])
async def test_plain_text_is_read_with_a_header_that_no_foreign_page_could_send_unasked(http, header):
    asked = {"content": b'{"query": "mutation { note(text: \\"x\\") }"}'}

    without = await http.post("/graphql", **asked, headers={"content-type": "text/plain"})
    empty = await http.post("/graphql", **asked, headers={"content-type": "text/plain", header: ""})
    form = await http.post("/graphql", **asked, headers={"content-type": "application/x-www-form-urlencoded", header: "1"})
    untyped = await http.post("/graphql", **asked, headers={header: "1"})

    assert [answer.status_code for answer in (without, empty, form, untyped)] == [415] * 4
    assert NOTES == []
    with_header = await http.post("/graphql", **asked, headers={"content-type": "text/plain", header: "1"})
    assert (with_header.json(), NOTES) == ({"data": {"note": "x"}}, ["x"])


async def test_a_compressed_body_is_refused(http):
    response = await http.post("/graphql", content=b"\x1f\x8b", headers={"content-type": "application/json", "content-encoding": "gzip"})

    assert refused(response, status=415, code="UNSUPPORTED") == "Compressed requests are not read. Send the body as it is."


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'application/json; charset="utf-8"', "Application/JSON"])
async def test_json_is_json_however_it_is_spelt(http, content_type):
    response = await http.post("/graphql", content=b'{"query": "{ hello }", "operationName": ""}', headers={"content-type": content_type})

    assert response.json() == {"data": {"hello": "Hello, world!"}}


async def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(http):
    query = json.dumps({"query": "{ hello }"})

    fits = await http.post("/graphql", content=query.ljust(2048), headers={"content-type": "application/json"})
    exceeds = await http.post("/graphql", content=query.ljust(2049), headers={"content-type": "application/json"})

    assert fits.json() == {"data": {"hello": "Hello, world!"}}
    assert (
        refused(exceeds, status=413, code="BODY_TOO_LARGE")
        == "The request body is larger than 2048 bytes. Send less, or ask the operator for more."
    )
    assert exceeds.headers["connection"] == "close"


@pytest.mark.parametrize("content_length", [None, "10", "-1", "lots", "9" * 400])
async def test_a_body_without_end_is_dropped_at_the_limit_whatever_it_announced(http, content_length):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    headers = {"content-type": "application/json", **({} if content_length is None else {"content-length": content_length})}
    response = await http.post("/graphql", content=endless(), headers=headers)

    refused(response, status=413, code="BODY_TOO_LARGE")
    assert sent <= 4000


async def test_a_body_that_announces_too_much_is_not_read_at_all(http):
    sent = []

    async def body():
        sent.append(1)
        yield b"{}"

    response = await http.post("/graphql", content=body(), headers={"content-type": "application/json", "content-length": "2049"})

    refused(response, status=413, code="BODY_TOO_LARGE")
    assert sent == []


async def test_integers_of_any_size_pass_in_and_out_unharmed(http):
    body = b'{"query": "query($v: JSON!) { echo(value: $v) }", "variables": {"v": [123456789012345678901234567890, 9007199254740993, 1.5]}}'

    response = await http.post("/graphql", content=body, headers={"content-type": "application/json"})

    assert response.content == b'{"data":{"echo":[123456789012345678901234567890,9007199254740993,1.5]}}'


@pytest.mark.parametrize(("digits", "status"), [(308, 200), (310, 400)])
async def test_an_integer_of_more_digits_than_a_float_could_have_is_refused(http, digits, status):
    body = b'{"query": "{ hello }", "variables": {"v": ' + b"9" * digits + b"}}"

    assert (await http.post("/graphql", content=body, headers={"content-type": "application/json"})).status_code == status


async def test_half_a_surrogate_pair_does_not_break_the_answer(http):
    response = await http.post("/graphql", json={"query": "{ surrogate }"})

    assert response.content == b'{"data":{"surrogate":"half \\ud800 a pair"}}'


async def test_a_page_is_for_those_who_like_it_better_than_data(http):
    browser = await http.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    client = await http.get("/graphql", headers={"accept": "application/json, text/html;q=0.9"})
    undecided = await http.get("/graphql", headers={"accept": "*/*"})
    asking = await http.get("/graphql", params={"query": "{ hello }"}, headers={"accept": "text/html, */*;q=0.1"})

    assert browser.headers["content-type"] == "text/html; charset=utf-8"
    assert [refused(answer, status=400, code="INVALID") for answer in (client, undecided)] == [
        "The request has no `query`. Send a GraphQL document in it."
    ] * 2
    assert asking.json() == {"data": {"hello": "Hello, world!"}}


async def test_every_operation_has_a_context_of_its_own(http):
    answers = await asyncio.gather(*(http.post("/graphql", json={"query": "{ a: uses b: uses }"}) for _ in range(3)))

    assert [sorted(answer.json()["data"].values()) for answer in answers] == [[1, 2]] * 3


async def test_of_a_header_that_comes_twice_the_first_counts(http):
    accepts = [("accept", "application/graphql-response+json"), ("accept", "image/png")]
    answers = [await http.post("/graphql", json={"query": "{ hello }"}, headers=headers) for headers in (accepts, accepts[::-1])]

    assert [answer.status_code for answer in answers] == [200, 406]
    assert answers[0].headers["content-type"] == "application/graphql-response+json; charset=utf-8"
