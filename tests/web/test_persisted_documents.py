"""Documents by their hash: registered by clients, and from the operator's manifest, over HTTP."""

import json
from dataclasses import replace
from hashlib import sha256

import httpx
import pytest

from gateway.errors import ConfigurationError, PersistedQueryNotFoundError
from gateway.web.assembly import assemble
from gateway.web.persisted import PersistedDocuments, read_manifest
from tests.web.serving import NOTES, SCHEMA, Context

GREET = "query Greet($name: String!) { hello(name: $name) }"
NOTE = 'mutation Note { note(text: "by its hash") }'
COUNT = "subscription Count { count(to: 2) }"
GRAPHQL = "application/graphql-response+json"
NOT_FOUND = {"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]}


def digest(query):
    return sha256(query.encode()).hexdigest()


def by_hash(query):
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(query)}}


async def post(http, **request):
    return await http.post("/graphql", json=request)


def refused(response, *, status, code):
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]) == (status, {"code": code})
    return error["message"]


async def test_a_document_that_was_sent_once_with_its_hash_is_found_by_the_hash_alone(http):
    before = await post(http, extensions=by_hash(GREET), variables={"name": "Ada"})
    registered = await post(http, query=GREET, extensions=by_hash(GREET), variables={"name": "Ada"})
    after = await post(http, extensions=by_hash(GREET), variables={"name": "Bob"})

    assert (before.status_code, before.json()) == (200, NOT_FOUND)
    assert registered.json() == {"data": {"hello": "Hello, Ada!"}}
    assert after.json() == {"data": {"hello": "Hello, Bob!"}}


async def test_a_get_by_hash_is_answered_with_json_that_nobody_keeps_whatever_else_is_accepted(http):
    asked = {"extensions": json.dumps(by_hash(GREET)), "variables": '{"name": "Ada"}'}
    accept = {"accept": "*/*, text/html"}

    before = await http.get("/graphql", params=asked, headers=accept)
    await post(http, query=GREET, extensions=by_hash(GREET), variables={"name": "Ada"})
    after = await http.get("/graphql", params=asked, headers=accept)

    assert (before.status_code, before.json(), before.headers["cache-control"]) == (200, NOT_FOUND, "no-store")
    assert (after.json(), after.headers["content-type"]) == ({"data": {"hello": "Hello, Ada!"}}, "application/json; charset=utf-8")


async def test_clients_of_the_specification_learn_of_an_unknown_hash_by_the_status_too(http):
    response = await http.post("/graphql", json={"extensions": by_hash(GREET)}, headers={"accept": GRAPHQL})

    assert (response.status_code, response.json()) == (400, NOT_FOUND)
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"


async def test_a_mutation_by_hash_still_needs_post_and_a_subscription_a_stream(http):
    for document in (NOTE, COUNT):
        await post(http, query=document, extensions=by_hash(document), operationName="Nobody")

    got = await http.get("/graphql", params={"extensions": json.dumps(by_hash(NOTE))})
    assert (refused(got, status=405, code="UNSUPPORTED"), got.headers["allow"], NOTES) == ("Mutations need POST.", "POST", [])
    assert refused(await post(http, extensions=by_hash(COUNT)), status=400, code="UNSUPPORTED").startswith("Subscriptions need a stream")
    streamed = await http.post("/graphql", json={"extensions": by_hash(COUNT)}, headers={"accept": "text/event-stream"})
    assert streamed.text.count("event: next") == 2
    assert (await post(http, extensions=by_hash(NOTE))).json() == {"data": {"note": "by its hash"}}


@pytest.mark.parametrize(
    "extensions",
    [
        {"persistedQuery": 5},
        {"persistedQuery": [digest(GREET)]},
        {"persistedQuery": {}},
        {"persistedQuery": {"version": 2, "sha256Hash": digest(GREET)}},
        {"persistedQuery": {"version": 1, "sha256Hash": 5}},
        {"persistedQuery": {"version": 1, "sha256Hash": None}},
    ],
)
async def test_an_odd_persisted_query_is_refused_by_its_fault(http, extensions):
    assert refused(await post(http, query="{ hello }", extensions=extensions), status=400, code="INVALID") == (
        "`extensions.persistedQuery` of the request must be an object with `version` 1 and `sha256Hash`, a string."
    )


async def test_a_document_under_the_hash_of_another_is_refused_and_not_kept(http):
    planted = await post(http, query="{ hello }", extensions=by_hash(GREET))

    assert refused(planted, status=400, code="INVALID") == (
        "The hash of the request is not the SHA-256 of its `query`. Send the hash of exactly that text, in hexadecimal."
    )
    assert (await post(http, extensions=by_hash(GREET))).json() == NOT_FOUND


async def test_a_document_may_be_named_by_its_id_too(http):
    await post(http, query="{ hello }", documentId=f"sha256:{digest('{ hello }')}")

    named = await post(http, documentId=f"sha256:{digest('{ hello }')}")
    got = await http.get("/graphql", params={"documentId": f"sha256:{digest('{ hello }')}"})

    assert named.json() == got.json() == {"data": {"hello": "Hello, world!"}}
    assert refused(await post(http, documentId=5), status=400, code="INVALID") == ("`documentId` of the request must be a string or null.")
    assert (await post(http, documentId="x" * 500)).json() == NOT_FOUND


def test_clients_cannot_fill_the_memory_with_documents():
    documents = PersistedDocuments()
    filling = [f"{{ hello }} # {number:0>999999}" for number in range(8)]

    for query in filling:
        assert documents.resolved({"query": query, "extensions": by_hash(query)}) == query

    assert documents.resolved({"extensions": by_hash(filling[-1])}) == filling[-1]
    with pytest.raises(PersistedQueryNotFoundError):
        documents.resolved({"extensions": by_hash(filling[0])})


APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "greet-1", "name": "Greet", "type": "query", "body": GREET}, {"id": digest(NOTE), "body": NOTE}],
}


@pytest.fixture
def manifest(tmp_path):
    """Writes a manifest."""

    def write(content):
        path = tmp_path / "manifest.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


def serving(runtime, **settings):
    NOTES.clear()
    app = assemble(replace(runtime, settings=runtime.settings.model_copy(update=settings)), SCHEMA, make_context=Context)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test")


@pytest.mark.parametrize("content", [APOLLO, {"greet-1": GREET, digest(NOTE): NOTE}])
async def test_the_documents_of_a_manifest_are_known_from_the_start_by_any_id(runtime, manifest, content):
    async with serving(runtime, persisted_documents=manifest(content)) as http:
        greeted = await post(http, extensions={"persistedQuery": {"version": 1, "sha256Hash": "greet-1"}}, variables={"name": "Ada"})
        with_text = await post(http, query=GREET, documentId="greet-1", variables={"name": "Ada"})
        noted = await post(http, documentId=digest(NOTE))
        other = await post(http, query="{ hello }")

    assert greeted.json() == with_text.json() == {"data": {"hello": "Hello, Ada!"}}
    assert noted.json() == {"data": {"note": "by its hash"}}
    assert other.json() == {"data": {"hello": "Hello, world!"}}


async def test_where_only_those_of_the_manifest_pass_nothing_else_is_executed_or_kept(runtime, manifest):
    async with serving(runtime, persisted_documents=manifest({"greet-1": GREET}), persisted_documents_only=True) as http:
        known = [
            await post(http, documentId="greet-1", variables={"name": "Ada"}),
            await post(http, query=GREET, variables={"name": "Ada"}),
        ]
        unknown = await post(http, query=NOTE)
        registering = await post(http, query=NOTE, extensions=by_hash(NOTE))
        registered = await post(http, extensions=by_hash(NOTE))
        listed = await http.post("/graphql", json=[{"query": NOTE}, {"documentId": "greet-1", "variables": {"name": "Bob"}}])
        streamed = await http.post("/graphql", json={"query": COUNT}, headers={"accept": "text/event-stream"})

    message = "This gateway executes only the documents of its manifest, and this is none of them."
    assert [answer.json() for answer in known] == [{"data": {"hello": "Hello, Ada!"}}] * 2
    assert {refused(answer, status=403, code="ACCESS_DENIED") for answer in (unknown, registering, streamed)} == {message}
    assert registered.json() == NOT_FOUND
    assert [list(answer) for answer in listed.json()] == [["errors"], ["data"]]
    assert NOTES == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "the file is not valid JSON."),
        (b"\xff", "the file is not valid JSON."),
        ([], "a manifest is a JSON object of ids and documents, or one of the format `apollo-persisted-query-manifest`."),
        ({"a": 5}, "the id 'a' has no document, a string that is not empty."),
        ({"": "{ hello }"}, "the id '' has no document, a string that is not empty."),
        (
            APOLLO | {"version": 2},
            "the manifest has `operations`, but is not of the format `apollo-persisted-query-manifest` in version 1.",
        ),
        (APOLLO | {"operations": [{"body": GREET}]}, "operation 0 has no `id`, a string."),
        (APOLLO | {"operations": ["{ hello }"]}, "operation 0 has no `id`, a string."),
        (APOLLO | {"operations": [{"id": "a", "body": " "}]}, "the id 'a' has no document, a string that is not empty."),
        (APOLLO | {"operations": [{"id": "a", "body": GREET}, {"id": "a", "body": NOTE}]}, "two operations have the id 'a'."),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_name_and_its_fault(manifest, content, problem):
    path = manifest(content)

    with pytest.raises(ConfigurationError) as refusal:
        read_manifest(path)

    assert refusal.value.message == f"{path}: {problem}"


def test_a_manifest_that_is_missing_or_not_named_stops_the_start(settings, tmp_path):
    missing = settings.model_copy(update={"persisted_documents": tmp_path / "none.json"})
    unnamed = settings.model_copy(update={"persisted_documents_only": True})

    with pytest.raises(ConfigurationError, match=r"none\.json: the file cannot be read \(No such file or directory\)\."):
        PersistedDocuments.of(missing)
    with pytest.raises(ConfigurationError, match="but GATEWAY_PERSISTED_DOCUMENTS names no manifest"):
        PersistedDocuments.of(unnamed)
