import asyncio
import base64
import json
import logging

import pytest

from gateway.connectors.executor import ExecutorLimits
from gateway.errors import UpstreamAuthError, UpstreamResponseError, UpstreamUnavailableError
from gateway.models import Pointer
from gateway.testing import Answer, Drop
from tests.connectors.executor.notes import access_with, items, read

PASSWORD = "pass-word-4711"
TOKENS = ("token-one-1111", "token-two-2222", "token-three-3333")


def session(*, login=None, **method):
    request = {"method": "POST", "path": "/login", "json": {"user": "anna", "password": "${credentials.password}"}}
    return {
        "auth": {
            "token": {"type": "session", "login": {"request": request, "token": "${body.token}", **(login or {})}, **method},
        }
    }


def entered(password=PASSWORD, **parts):
    return access_with(credentials={"password": password}, **parts)


class Logins:
    """An app that gives a token for each login, and takes only the last."""

    def __init__(self, app, **answer):
        self.app = app
        self.answer = answer
        self.count = 0
        self.valid = set()
        app.answer_with(self.respond)

    def respond(self, request):
        if request.path == "/login":
            self.count += 1
            token = TOKENS[self.count - 1]
            self.valid = {token}
            return Answer(json={"token": token, **self.answer})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return Answer(json=items(1)) if token in self.valid else Answer(status=401, json={})


def paths(app):
    return [request.path for request in app.requests]


async def test_a_login_gives_the_token_that_every_request_carries(app, connector):
    logins = Logins(app)
    notes = connector(**session())

    await read(notes, entered())
    await read(notes, entered())

    assert paths(app) == ["/login", "/notes", "/notes"]
    assert app.requests[0].json() == {"user": "anna", "password": PASSWORD}
    assert "authorization" not in app.requests[0].headers
    assert [request.headers["authorization"] for request in app.requests[1:]] == ["Bearer token-one-1111"] * 2
    assert logins.count == 1


@pytest.mark.parametrize(
    ("method", "header", "target"),
    [
        ({"value": "${token}"}, ("authorization", "token-one-1111"), "/notes"),
        ({"parameter": "X-Session", "value": "S ${token}"}, ("x-session", "S token-one-1111"), "/notes"),
        ({"location": "cookie", "parameter": "sid", "value": "${token}"}, ("cookie", "sid=token-one-1111"), "/notes"),
        ({"location": "query", "parameter": "auth", "value": "${token}"}, None, "/notes?auth=token-one-1111"),
    ],
    ids=["header", "named header", "cookie", "query"],
)
async def test_where_the_token_goes(app, connector, method, header, target):
    app.answer(Answer(json={"token": TOKENS[0]}), Answer(json=items()))

    await read(connector(**session(**method)), entered())

    assert app.requests[1].target == target
    if header is not None:
        assert app.requests[1].headers[header[0]] == header[1]


async def test_a_token_in_a_header_of_the_answer(app, connector):
    app.answer(Answer(headers={"X-Token": TOKENS[0]}), Answer(json=items()))

    await read(connector(**session(login={"token": '${headers."x-token"}'})), entered())

    assert app.requests[1].headers["authorization"] == "Bearer token-one-1111"


PAGES = {"pagination": {"type": "page", "size": {"name": "limit", "max": 100}}}


async def test_all_requests_at_once_share_one_login(app, connector):
    logins = Logins(app)
    notes = connector(listing=PAGES, **session())

    await asyncio.gather(*(read(notes, entered(), size=size) for size in range(1, 21)))

    assert logins.count == 1
    assert sorted(int(request.query["limit"]) for request in app.requests if request.path == "/notes") == list(range(1, 21))


async def test_requests_that_wait_for_a_login_share_its_refusal(app, connector):
    app.answer_with(lambda request: Answer(status=400, json={"error": "Wrong password"}))
    notes = connector(http={"error_message": "${body.error}"}, listing=PAGES, **session())

    outcomes = await asyncio.gather(*(read(notes, entered(), size=size) for size in range(1, 11)), return_exceptions=True)

    assert paths(app) == ["/login"]
    assert {type(outcome) for outcome in outcomes} == {UpstreamAuthError}
    assert len({id(outcome) for outcome in outcomes}) == 10
    assert {outcome.message for outcome in outcomes} == {
        "The login failed. Notes refused the request (400): Wrong password. Connect again with valid credentials."
    }


async def test_a_login_that_failed_is_tried_again_by_the_next_read(app, connector):
    notes = connector(**session())
    app.answer(status=400, json={})
    with pytest.raises(UpstreamAuthError):
        await read(notes, entered())
    Logins(app)

    page = await read(notes, entered())

    assert [record.external_id for record in page.items] == ["1"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refused_login_asks_the_customer_to_connect_again(app, connector, status):
    app.answer(status=status, json={})

    with pytest.raises(UpstreamAuthError, match="Connect again with valid"):
        await read(connector(**session()), entered())
    assert paths(app) == ["/login"]


async def test_a_token_that_the_app_no_longer_takes_is_replaced_once(app, connector):
    logins = Logins(app)
    notes = connector(**session())
    await read(notes, entered())
    logins.valid = set()

    page = await read(notes, entered())

    assert [record.external_id for record in page.items] == ["1"]
    assert paths(app) == ["/login", "/notes", "/notes", "/login", "/notes"]


async def test_reads_whose_token_ended_share_the_new_login(app, connector):
    logins = Logins(app)
    notes = connector(listing=PAGES, **session())
    await read(notes, entered())
    logins.valid = set()

    await asyncio.gather(*(read(notes, entered(), size=size) for size in range(1, 5)))

    assert logins.count == 2


async def test_a_token_just_made_that_is_refused_is_not_made_again(app, connector):
    app.answer(Answer(json={"token": TOKENS[0]}), Answer(status=401, json={}))

    with pytest.raises(UpstreamAuthError, match="does not accept the credentials"):
        await read(connector(**session()), entered())

    assert paths(app) == ["/login", "/notes"]


async def test_an_app_that_refuses_every_token_is_asked_twice(app, connector):
    notes = connector(**session())
    app.answer(Answer(json={"token": TOKENS[0]}), Answer(json=items()))
    await read(notes, entered())
    app.answer_with(lambda request: Answer(json={"token": TOKENS[1]}) if request.path == "/login" else Answer(status=401, json={}))

    with pytest.raises(UpstreamAuthError, match="does not accept the credentials"):
        await read(notes, entered())

    assert paths(app)[2:] == ["/notes", "/login", "/notes"]


def jwt(**claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.c2lnbmF0dXJl"


# The clock of the tests begins at 2026-01-01T00:00:00Z, which is 1767225600.
@pytest.mark.parametrize(
    ("login", "answer"),
    [
        ({"expires_in": "${body.lasts}"}, {"lasts": 600}),
        ({"expires_in": "${body.lasts}"}, {"lasts": "600"}),
        ({"expires_in": 600}, {}),
        ({"expires_at": "${body.until}"}, {"until": "2026-01-01T00:10:00Z"}),
        ({"expires_at": "${body.until}"}, {"until": "2026-01-01 00:10:00.000Z"}),
        ({"expires_at": "${body.until}"}, {"until": 1767226200}),
        ({"expires_at": "${body.until}"}, {"until": 1767226200000}),
        ({"expires_at": "${jwt_claims(body.jwt).exp}"}, {"jwt": jwt(exp=1767226200)}),
    ],
    ids=["seconds", "seconds as text", "constant", "time", "time with a space", "epoch", "epoch in milliseconds", "claims"],
)
async def test_a_token_is_renewed_half_a_minute_before_its_end(app, connector, clock, login, answer):
    assert clock.now().isoformat() == "2026-01-01T00:00:00+00:00"
    logins = Logins(app, **answer)
    notes = connector(**session(login=login))

    await read(notes, entered())
    clock.advance(569)
    await read(notes, entered())
    assert logins.count == 1
    clock.advance(1)
    await read(notes, entered())

    assert logins.count == 2
    assert paths(app) == ["/login", "/notes", "/notes", "/login", "/notes"]


async def test_a_short_token_is_used_for_four_fifths_of_its_time(app, connector, clock):
    logins = Logins(app)
    notes = connector(**session(login={"expires_in": 10}))

    await read(notes, entered())
    clock.advance(7)
    await read(notes, entered())
    assert logins.count == 1
    clock.advance(1)
    await read(notes, entered())

    assert logins.count == 2


@pytest.mark.parametrize("until", [None, "soon", True, [], {}, 1e300, -1, "9" * 400, float("-1e9")], ids=repr)
async def test_an_end_that_makes_no_sense_does_not_keep_the_token_from_being_used(app, connector, until):
    Logins(app, until=until)

    page = await read(connector(**session(login={"expires_at": "${body.until}"})), entered())

    assert [record.external_id for record in page.items] == ["1"]


@pytest.mark.parametrize("token", [None, "", True, [], {"a": 1}, 1.5], ids=repr)
async def test_an_answer_without_a_token_is_not_what_was_promised(app, connector, token):
    app.answer(json={"token": token})

    with pytest.raises(UpstreamResponseError, match=r"The login failed\. Notes answered it without a token\."):
        await read(connector(**session()), entered())
    assert paths(app) == ["/login"]


CREATION = {"operations": {"create": {"request": {"method": "POST", "path": "/notes", "json": "${fields}"}, "record": "${body}"}}}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(json={}), UpstreamResponseError),
        (Answer(body=b"{"), UpstreamResponseError),
        (Answer(status=302, headers={"location": "/elsewhere"}), UpstreamResponseError),
        (Drop(), UpstreamUnavailableError),
        (Answer(status=503), UpstreamUnavailableError),
        (Answer(status=403), UpstreamAuthError),
    ],
    ids=["no token", "no JSON", "redirected", "lost", "503", "refused"],
)
@pytest.mark.parametrize("is_renewal", [False, True], ids=["first login", "login after a refused token"])
async def test_a_write_whose_login_failed_is_known_not_to_have_happened(app, connector, answer, kind, is_renewal):
    notes = connector(collection=CREATION, **session())
    if is_renewal:
        app.answer(Answer(json={"token": TOKENS[0]}), Answer(status=201, json={"id": 1}))
        await notes.create(entered(), Pointer("notes"), {})
        app.answer(Answer(status=401, json={}), answer)
    else:
        app.answer(answer)

    with pytest.raises(kind, match=r"^The login failed\.") as failed:
        await notes.create(entered(), Pointer("notes"), {})

    assert "not known" not in failed.value.message
    assert paths(app)[-1] == "/login"
    assert "authorization" not in app.requests[-1].headers


@pytest.mark.parametrize("answer", [Answer(json={}), Drop(), Answer(status=403)], ids=["no token", "lost", "refused"])
async def test_doubt_of_an_attempt_outlives_the_login_that_failed_after_it(app, connector, answer):
    create = {**CREATION["operations"]["create"]}
    create["request"] = {**create["request"], "headers": {"Idempotency-Key": "${idempotency_key}"}}
    notes = connector(collection={"operations": {"create": create}}, **session())
    answers = iter([Answer(json={"token": TOKENS[0]}), Answer(json={"id": 1}), Drop(), Answer(status=401), answer])
    app.answer_with(lambda _: next(answers))
    await notes.create(entered(), Pointer("notes"), {}, idempotency_key="first")

    with pytest.raises(UpstreamUnavailableError, match=r"^The login failed\..* It is not known whether the record was created:"):
        await notes.create(entered(), Pointer("notes"), {}, idempotency_key="second")

    assert paths(app) == ["/login", "/notes", "/notes", "/notes", "/login"]


@pytest.mark.parametrize("token", ["a\r\nX-Admin: 1", "ä", "a\0"], ids=repr)
async def test_a_token_that_no_header_carries_is_not_sent(app, connector, token):
    app.answer(json={"token": token})

    with pytest.raises(UpstreamAuthError) as refusal:
        await read(connector(**session()), entered())
    assert paths(app) == ["/login"]
    assert (
        refusal.value.message
        == "The token of the credentials has a space at an end, a line break or a sign that no header carries. Enter it again."
    )


@pytest.mark.parametrize(
    ("other", "count"),
    [({}, 1), ({"connection_id": "c2"}, 2), ({"credentials": {"password": "another-pass"}}, 2), ({"parameters": {"realm": "b"}}, 2)],
    ids=["the same", "connection", "credentials", "parameters"],
)
async def test_a_token_is_of_one_connection_and_its_credentials(app, connector, other, count):
    logins = Logins(app)
    notes = connector(**session())

    await read(notes, entered())
    await read(notes, access_with(**{"credentials": {"password": PASSWORD}, **other}))

    assert logins.count == count


async def test_a_login_that_was_lost_is_not_repeated_and_nothing_else_was_sent(app, connector):
    app.answer(Drop())

    with pytest.raises(UpstreamUnavailableError) as lost:
        await read(connector(**session()), entered())

    assert paths(app) == ["/login"]
    assert lost.value.may_have_been_received is False
    assert lost.value.message.startswith("The login failed.")


async def test_a_read_that_gives_up_leaves_the_login_to_the_next(app, connector):
    app.answer(Answer(json={"token": TOKENS[0]}, delay_seconds=30))
    notes = connector(limits=ExecutorLimits(timeout_seconds=30, deadline_seconds=30), **session())
    first = asyncio.create_task(read(notes, entered()))
    await app.wait_for_requests(1)
    second = asyncio.create_task(read(notes, entered()))
    await asyncio.sleep(0)
    app.answer(Answer(json={"token": TOKENS[1]}), Answer(json=items(7)))

    first.cancel()

    assert [record.external_id for record in (await second).items] == ["7"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_neither_password_nor_token_stands_in_errors_or_logs(app, connector, caplog):
    caplog.set_level(logging.DEBUG)
    notes = connector(http={"error_message": "${body.error}"}, **session())
    app.answer(status=400, json={"error": f"{PASSWORD} is wrong"})
    with pytest.raises(UpstreamAuthError) as refused:
        await read(notes, entered())
    app.answer(Answer(json={"token": TOKENS[0]}), Answer(status=403, json={"error": f"{TOKENS[0]} may not, {PASSWORD}"}))
    with pytest.raises(Exception, match="may not") as forbidden:
        await read(notes, entered())

    assert "[redacted] is wrong" in refused.value.message
    assert "[redacted] may not, [redacted]" in forbidden.value.message
    assert PASSWORD not in caplog.text + repr(notes)
    assert TOKENS[0] not in caplog.text


async def test_next_pages_do_not_carry_the_token_into_cursors(app, connector):
    notes = connector(
        listing={"pagination": {"type": "next_url", "next": "${body.next}"}},
        **session(location="query", parameter="auth", value="${token}"),
    )
    app.answer(
        Answer(json={"token": TOKENS[0]}),
        Answer(json={**items(1), "next": f"{app.url}/notes?after=1&auth={TOKENS[0]}"}),
        Answer(json=items(2)),
    )

    page = await read(notes, entered())
    await read(notes, entered(), token=page.next_token)

    assert TOKENS[0] not in json.dumps(page.next_token)
    assert app.requests[2].target == f"/notes?after=1&auth={TOKENS[0]}"
