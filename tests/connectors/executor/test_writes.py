"""Writing records, and what is told when it is not known what became of a write."""

import asyncio

import pytest

from gateway.connectors.executor import ExecutorLimits
from gateway.errors import (
    ConflictError,
    NotFoundError,
    UnsupportedError,
    UpstreamAuthError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UpstreamResponseError,
    UpstreamUnavailableError,
)
from gateway.models import Pointer, Written
from gateway.testing import Answer, Drop, Hang
from tests.connectors.executor.notes import TOKEN
from tests.connectors.executor.test_finding import HOSTILE_IDS

NOTES = Pointer("notes")
GET = {"request": {"path": "/notes/${id}"}, "record": "${body}"}
CREATE = {"request": {"method": "POST", "path": "/notes", "json": "${fields}"}, "record": "${body}"}
KEYED = {**CREATE, "request": {**CREATE["request"], "headers": {"Idempotency-Key": "${idempotency_key}"}}}
UPDATE = {
    "request": {"method": "PATCH", "path": "/notes/${id}", "json": "${fields}", "headers": {"If-Match": "${version}"}},
    "record": "${body}",
}
DELETE = {"request": {"method": "DELETE", "path": "/notes/${id}", "headers": {"If-Match": "${version}"}}}
ALL = {"get": GET, "create": KEYED, "update": UPDATE, "delete": DELETE}
DOUBT = {
    "create": "It is not known whether the record was created: look before you try again.",
    "update": "It is not known whether the record was changed: look before you try again.",
    "delete": "It is not known whether the record was deleted: look before you try again.",
}


@pytest.fixture
def made(connector):
    """A connector with these operations."""
    return lambda *, collection=None, limits=None, http=None, **operations: connector(
        limits=limits, http=http or {}, collection={"operations": operations or ALL, **(collection or {})}
    )


async def write(connector, access, operation, **options):
    match operation:
        case "create":
            return await connector.create(access, NOTES, {"title": "A"}, **options)
        case "update":
            return await connector.update(access, NOTES, "7", {"title": "A"}, **options)
        case _:
            return await connector.delete(access, NOTES, "7", **options)


async def failure(connector, access, operation, **options):
    with pytest.raises(Exception) as caught:
        await write(connector, access, operation, **options)
    return caught.value


async def test_a_creation_gives_the_record_that_the_app_answers(app, made, access):
    app.answer(status=201, json={"id": 7, "title": "A"})

    written = await made().create(access, NOTES, {"title": "A", "none": None, "big": 2**70})

    assert (written.external_id, written.record.fields) == ("7", {"id": 7, "title": "A"})
    request = app.requests[0]
    assert (request.method, request.target, request.json()) == ("POST", "/notes", {"title": "A", "none": None, "big": 2**70})
    assert "idempotency-key" not in request.headers


async def test_a_creation_whose_answer_holds_an_id_gives_the_id(app, made, access):
    app.answer(status=201, json={"key": 12})

    assert await made(get=GET, create={**CREATE, "record": None, "id": "${body.key}"}).create(access, NOTES, {}) == Written(
        external_id="12"
    )


async def test_an_id_may_be_read_from_what_was_sent(app, made, access):
    app.answer(status=204)
    chosen = {**CREATE, "record": None, "id": "${fields.key}"}

    assert await made(get=GET, create=chosen).create(access, NOTES, {"key": "k1"}) == Written(external_id="k1")


async def test_an_update_gives_the_record_or_its_id(app, made, access):
    app.answer(json={"id": 7, "title": "A"})
    app.answer(status=204)
    app.answer(json={"id": 8})
    silent = {**UPDATE, "record": None}

    assert (await made().update(access, NOTES, "7", {"title": "A"})).record.fields == {"id": 7, "title": "A"}
    assert await made(get=GET, update=silent).update(access, NOTES, "7", {}) == Written(external_id="7")
    assert await made(get=GET, update={**silent, "id": "${body.id}"}).update(access, NOTES, "7", {}) == Written(external_id="8")
    assert [(request.method, request.target) for request in app.requests] == [("PATCH", "/notes/7")] * 3


async def test_a_deletion_gives_nothing(app, made, access):
    app.answer(status=204)

    assert await made().delete(access, NOTES, "7") is None
    assert (app.requests[0].method, app.requests[0].target) == ("DELETE", "/notes/7")


async def test_versions_and_keys_are_sent_as_the_connector_says(app, made, access):
    for _ in range(3):
        app.answer(json={"id": 7})

    await made().create(access, NOTES, {}, idempotency_key="k-1")
    await made().update(access, NOTES, "7", {}, if_version='"3"')
    await made().delete(access, NOTES, "7", if_version='"3"')

    assert [request.headers.get("idempotency-key") or request.headers["if-match"] for request in app.requests] == ["k-1", '"3"', '"3"']


@pytest.mark.parametrize("operation", ["update", "delete"])
async def test_a_version_that_is_no_header_is_refused_before_anything_is_sent(app, made, access, operation):
    error = await failure(made(), access, operation, if_version="1\r\nX-Evil: 1")

    assert (type(error), app.requests) == (UpstreamRejectedError, [])


async def test_versions_and_keys_that_the_app_does_not_know_are_refused(app, made, access):
    plain = {"request": {"method": "POST", "path": "/notes/${id}", "json": "${fields}"}, "record": "${body}"}
    without = made(create=CREATE, update=plain, delete={"request": {"method": "DELETE", "path": "/notes/${id}"}})

    errors = [
        await failure(without, access, "create", idempotency_key="k"),
        await failure(without, access, "update", if_version="1"),
        await failure(without, access, "delete", if_version="1"),
    ]

    assert [type(error) for error in errors] == [UnsupportedError] * 3
    assert app.requests == []


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("create", "No records can be created in Notes."),
        ("update", "The records of Notes cannot be changed."),
        ("delete", "The records of Notes cannot be deleted."),
    ],
)
async def test_a_write_that_the_collection_does_not_support_is_refused(app, made, access, operation, message):
    error = await failure(made(get=GET), access, operation)

    assert (type(error), error.message, app.requests) == (UnsupportedError, message, [])


@pytest.mark.parametrize("operation", ["update", "delete"])
async def test_another_version_is_a_conflict(app, made, access, operation):
    app.answer(status=412, json={"error": "Changed at noon."})

    error = await failure(made(http={"error_message": "${body.error}"}), access, operation, if_version="1")

    assert type(error) is ConflictError
    assert error.message == (
        "The record is as it was. Notes says that this conflicts with what it has (412): Changed at noon. Read it again, then repeat."
    )


async def test_a_record_of_that_identity_is_a_conflict_where_the_connector_says_so(app, made, access):
    app.answer(status=409, json={})

    error = await failure(made(http={"errors": [{"when": {"status": [409]}, "action": "conflict"}]}), access, "create")

    assert (type(error), error.message) == (
        ConflictError,
        "No record was created: one of that identity is there already. Notes says that this conflicts with what it has (409).",
    )


@pytest.mark.parametrize("operation", ["update", "delete"])
@pytest.mark.parametrize("status", [404, 410])
async def test_a_record_that_is_not_there_is_told(app, made, access, operation, status):
    app.answer(status=status, json={})

    error = await failure(made(), access, operation)

    assert (type(error), error.message) == (NotFoundError, "Notes has no record '7'.")


@pytest.mark.parametrize("id", HOSTILE_IDS.values(), ids=HOSTILE_IDS)
async def test_an_id_that_no_app_gives_is_of_no_record_and_is_never_sent(app, made, access, id):
    for ask in (made().update(access, NOTES, id, {}), made().delete(access, NOTES, id)):
        with pytest.raises(NotFoundError) as caught:
            await ask
        assert len(caught.value.message) < 150
    assert app.requests == []


async def test_a_refusal_tells_the_apps_words_for_each_field(app, made, access):
    body = {
        "error": "Invalid.",
        "problems": [
            {"at": "title", "why": f"Too long, says {TOKEN}."},
            {"at": "title", "why": "a second word"},
            {"at": "size.unit", "why": "x" * 400},
            {"at": 7, "why": "no name"},
            {"at": "empty", "why": " "},
            {"at": "markup", "why": "<b>no</b>"},
            "text",
        ],
    }
    app.answer(status=422, json=body)
    http = {"error_message": "${body.error}", "field_errors": "${body.problems[].{field: at, message: why}}"}

    error = await failure(made(http=http), access, "create")

    assert (type(error), error.status, error.message) == (UpstreamRejectedError, 422, "Notes refused the request (422): Invalid.")
    assert error.fields == {"title": "Too long, says [redacted]", "size.unit": "x" * 297 + "..."}


@pytest.mark.parametrize("problems", [None, "text", {}, 7, [[]]])
async def test_field_errors_of_another_shape_are_none(app, made, access, problems):
    app.answer(status=400, json={"problems": problems})

    assert (await failure(made(http={"field_errors": "${body.problems}"}), access, "create")).fields == {}


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
@pytest.mark.parametrize(
    "answer", [Answer(status=500), Drop(), Answer(status=503, headers={"retry-after": "1"})], ids=["500", "drop", "503"]
)
async def test_a_write_that_may_have_been_received_is_never_repeated_and_says_so(app, made, access, operation, answer):
    app.answer_with(lambda _: answer)

    error = await failure(made(), access, operation)

    assert (type(error), error.may_have_been_received, len(app.requests)) == (UpstreamUnavailableError, True, 1)
    assert error.message.endswith(DOUBT[operation])
    assert "Try again later" not in error.message


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
async def test_a_write_that_was_never_sent_is_repeated_and_says_nothing_of_doubt(app, made, connector, access, operation):
    gone = connector(server="http://127.0.0.1:9", collection={"operations": ALL}, http={"retry": {"max_attempts": 2}})

    error = await failure(gone, access, operation)

    assert (type(error), error.may_have_been_received) == (UpstreamUnavailableError, False)
    assert "not known" not in error.message


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
async def test_a_write_that_is_late_says_that_nothing_is_known(app, made, access, operation):
    app.answer_with(lambda _: Hang())

    error = await failure(made(limits=ExecutorLimits(deadline_seconds=0.3)), access, operation)

    assert (type(error), error.may_have_been_received) == (UpstreamUnavailableError, True)
    assert error.message == f"Notes did not answer within 0.3 seconds. {DOUBT[operation]}"


@pytest.mark.parametrize("operation", ["create", "update"])
async def test_a_good_answer_that_cannot_be_read_leaves_doubt_too(app, made, access, operation):
    answers = [Answer(status=200, body=b"{"), Answer(status=200, body=b'{"title": "A"}'), Answer(status=200, body=b"[]")]

    for answer in answers:
        app.answer_with(lambda _, answer=answer: answer)
        error = await failure(made(), access, operation)
        assert (type(error), error.message.endswith(DOUBT[operation])) == (UpstreamResponseError, True)
    assert len(app.requests) == 3


async def test_a_creation_that_answers_nothing_of_the_record_leaves_doubt(app, made, access):
    app.answer(status=204)

    error = await failure(made(), access, "create")

    assert error.message == f"Notes did not answer with the record that it was to create. {DOUBT['create']}"


async def test_a_write_that_is_redirected_elsewhere_is_not_followed(app, made, access):
    app.answer(status=303, headers={"location": "/notes/7"})

    error = await failure(made(), access, "create")

    assert (type(error), len(app.requests)) == (UpstreamResponseError, 1)
    assert error.message.endswith(DOUBT["create"])


async def test_a_creation_with_a_key_that_the_app_knows_is_sent_again(app, made, access):
    answers = iter([Answer(status=503), Drop(), Answer(status=201, json={"id": 7})])
    app.answer_with(lambda _: next(answers))

    written = await made().create(access, NOTES, {}, idempotency_key="k")

    assert (written.external_id, [request.headers["idempotency-key"] for request in app.requests]) == ("7", ["k"] * 3)


async def test_a_creation_with_a_key_that_never_succeeds_says_how_to_try_again(app, made, access):
    app.answer_with(lambda _: Answer(status=503))

    error = await failure(made(http={"retry": {"max_attempts": 2}}), access, "create", idempotency_key="k")

    assert len(app.requests) == 2
    assert error.message == (
        "Notes failed (503). It is not known whether the record was created: look before you try again, "
        "or try again with the same idempotency key."
    )


@pytest.mark.parametrize("status", [401, 409, 412, 422, 429])
async def test_a_refusal_leaves_doubt_where_the_attempt_before_may_have_created_the_record(app, made, access, status):
    answers = iter([Drop(), Answer(status=status, json={}, headers={"retry-after": "3600"})])
    app.answer_with(lambda _: next(answers))

    error = await failure(made(), access, "create", idempotency_key="k")

    assert (type(error), len(app.requests)) == (UpstreamUnavailableError, 2)
    assert f"({status})" in error.message
    assert error.message.endswith(f"{DOUBT['create'].removesuffix('.')}, or try again with the same idempotency key.")


async def test_doubt_outlives_an_attempt_that_was_never_sent(connector, access):
    async def answer_and_close_the_door(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        server.close()
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_and_close_the_door, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    keyed = connector(server=f"http://127.0.0.1:{port}", collection={"operations": ALL}, http={"retry": {"max_attempts": 2}})

    error = await failure(keyed, access, "create", idempotency_key="k")

    assert (type(error), error.may_have_been_received) == (UpstreamUnavailableError, True)
    assert "(503)" not in error.message
    assert "It is not known whether the record was created" in error.message


@pytest.mark.parametrize(("status", "kind"), [(401, UpstreamAuthError), (403, UpstreamRejectedError), (429, UpstreamRateLimitError)])
@pytest.mark.parametrize("operation", ["create", "update", "delete"])
async def test_a_refusal_leaves_no_doubt_and_is_not_repeated(app, made, access, operation, status, kind):
    app.answer(status=status, json={})

    error = await failure(made(), access, operation)

    assert (type(error), len(app.requests), "not known" in error.message) == (kind, 1, False)


async def test_fields_are_sent_as_the_connector_maps_them(app, made, access):
    app.answer(json={"id": 7})
    app.answer(json={"id": 7})
    mapped = {
        "to_api": {"subject": "${fields.title}", "size": {"w": "${fields.width}", "h": "${fields.height}"}, "source": "gateway"},
    }

    await made(collection=mapped).create(access, NOTES, {"title": "A", "width": 1})
    await made(collection=mapped).update(access, NOTES, "7", {"title": None})

    assert [request.json() for request in app.requests] == [
        {"subject": "A", "size": {"w": 1, "h": None}, "source": "gateway"},
        {"subject": None, "source": "gateway"},
    ]


async def test_all_fields_may_be_mapped_at_once(app, made, access):
    app.answer(json={"id": 7})

    await made(collection={"to_api": "${omit(fields, ['b'])}"}).create(access, NOTES, {"a": 1, "b": 2})

    assert app.requests[0].json() == {"a": 1}


async def test_a_mapping_that_gives_no_fields_sends_nothing(app, made, access):
    error = await failure(made(collection={"to_api": "${fields.title}"}), access, "create")

    assert (type(error), app.requests) == (UpstreamRejectedError, [])
    assert error.message == "The fields become text by `to_api` of the connector, not an object."


async def test_no_secret_leaves_in_an_error_of_a_write(app, made, access):
    app.answer_with(
        lambda _: Answer(status=412, body=b'{"error": "' + TOKEN.encode() + b'"}', headers={"content-type": "application/json"})
    )

    for operation in ("update", "create"):
        error = await failure(made(http={"error_message": "${body.error}"}), access, operation)
        assert type(error) is ConflictError
        assert TOKEN not in f"{error.message} {error!r} {error.__cause__} {error.__context__}"
