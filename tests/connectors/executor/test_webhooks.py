"""Webhooks of a connector file: told to the app, and what their deliveries say."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import InvalidError, UnsupportedError, UpstreamRejectedError, UpstreamResponseError, WebhookRefusedError
from gateway.models import ChangeHint, ChangeType, EventMethod, Pointer, Record, WebhookDelivery, WebhookSupport, WebhookTarget
from gateway.testing import FakeClock

NOTES = Pointer("notes")
TOKEN = "token-of-the-address-0123456789abcdef"
TARGET = WebhookTarget(url=f"https://gateway.example.com/webhooks/{TOKEN}", secret="5ec4e7" * 10)
REGISTER = {
    "request": {"method": "POST", "path": "/hooks", "json": {"to": "${webhook.url}", "key": "${webhook.secret}", "of": "${collection}"}},
    "state": {"id": "${body.id}", "as": "${body.as}"},
}
REMOVE = {"request": {"method": "DELETE", "path": "/hooks/${state.id}"}}
EVENTS = [
    {"when": "body.kind == 'new'", "type": "created", "id": "${body.id}", "record": "${body.note}"},
    {"when": "body.kind == 'gone'", "type": "deleted", "id": "${body.id}"},
    {"when": "starts_with(body.kind, 'any')", "type": "updated", "id": "${body.id}"},
]
TOKEN_IN_HEADER = {"type": "shared_token", "header": "X-Token"}
NO_JSON = "The webhook cannot be read as its connector expects: The app's answer is not JSON."


def parts(collection=None, **webhook):
    """The parts of a file whose notes are told of."""
    told = {"register": REGISTER, "remove": REMOVE, "verify": TOKEN_IN_HEADER, "events": EVENTS} | webhook
    return {"collection": {"webhook": "changes", **(collection or {})}, "webhooks": {"changes": told}}


def delivery(body, *, headers=None, query=None, token=TARGET.secret):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"x-token": token, **(headers or {})} if token is not None else dict(headers or {})
    return WebhookDelivery(headers=named, query=query or {}, body=content, received_at=datetime(2026, 1, 1, tzinfo=UTC))


def hints(reading):
    return [(hint.type.value, hint.external_id, hint.record.fields if hint.record is not None else None) for hint in reading.hints]


class TestTellingTheApp:
    async def test_it_is_told_where_to_send_and_what_it_said_is_kept(self, app, connector, access):
        app.answer(json={"id": 7, "as": {"name": "hook"}})

        told = await connector(**parts()).register_webhook(access, NOTES, TARGET)

        assert app.requests[0].json() == {"to": TARGET.url, "key": TARGET.secret, "of": "notes"}
        assert (told.state, told.expires_at, told.secret) == ({"id": 7, "as": {"name": "hook"}}, None, None)

    async def test_no_secret_is_shown_by_what_is_passed_on(self, app, connector, access):
        app.answer(json={"id": "hook-of-nobody", "key": "chosen"})
        register = {**REGISTER, "secret": "${body.key}"}

        told = await connector(**parts(register=register)).register_webhook(access, NOTES, TARGET)

        assert told.secret == "chosen"
        assert repr(told) == "WebhookRegistration(expires_at=None)"
        assert repr(TARGET) == "WebhookTarget()"

    @pytest.mark.parametrize(
        ("end", "body", "seconds"),
        [
            ({"expires_in": "${body.seconds}"}, {"seconds": 90}, 90),
            ({"expires_in": "3600"}, {}, 3600),
            ({"expires_in": "${body.seconds}"}, {"seconds": "NaN"}, None),
            ({"expires_in": "${body.seconds}"}, {"seconds": -1}, None),
            ({"expires_in": "${body.seconds}"}, {"seconds": 10**400}, None),
            ({"expires_in": "${body.seconds}"}, {"seconds": 10**18}, 10 * 366 * 86_400),
            ({"expires_at": "${body.end}"}, {"end": "2026-01-01T02:00:00Z"}, 7200),
            ({"expires_at": "${body.end}"}, {"end": 1767232800}, 7200),
            ({"expires_at": "${body.end}"}, {"end": 1767232800000}, 7200),
            ({"expires_at": "${body.end}"}, {"end": "later"}, None),
            ({"expires_at": "${body.end}"}, {}, None),
        ],
    )
    async def test_when_it_ends_is_read_however_it_is_written(self, app, connector, access, end, body, seconds):
        made = connector(**parts(register={**REGISTER, **end}), clock=FakeClock(now=datetime(2026, 1, 1, tzinfo=UTC)))
        app.answer(json={"id": 7, **body})

        told = await made.register_webhook(access, NOTES, TARGET)

        assert told.expires_at == (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) if seconds is not None else None)

    async def test_a_refusal_does_not_show_the_address(self, app, connector, access):
        app.answer(status=422, json={"error": f"cannot reach {TARGET.url} with {TARGET.secret} or {TOKEN}"})
        http = {"error_message": "${body.error}"}

        with pytest.raises(UpstreamRejectedError) as caught:
            await connector(http=http, **parts()).register_webhook(access, NOTES, TARGET)

        assert TOKEN not in caught.value.message
        assert TARGET.secret not in caught.value.message
        assert "cannot reach [redacted] with [redacted] or [redacted]" in caught.value.message

    async def test_an_app_that_was_to_choose_a_secret_must_tell_it(self, app, connector, access):
        app.answer(json={"id": 7})

        with pytest.raises(UpstreamResponseError, match=r"^The app's answer holds no secret, by which its webhooks could be known\.$"):
            await connector(**parts(register={**REGISTER, "secret": "${body.key}"})).register_webhook(access, NOTES, TARGET)

    async def test_it_is_told_to_go_on(self, app, connector, access):
        app.answer(json={"id": 8, "seconds": 60})
        renew = {"request": {"method": "POST", "path": "/hooks/${state.id}/renew"}, "expires_in": "${body.seconds}"}
        register = {**REGISTER, "expires_in": "60"}

        told = await connector(**parts(register=register, renew=renew)).renew_webhook(access, NOTES, TARGET, {"id": 7})

        assert app.requests[0].target == "/hooks/7/renew"
        assert (told.state, told.secret) == ({"id": 7}, None)
        assert told.expires_at is not None

    async def test_one_that_the_app_has_forgotten_is_told_anew(self, app, connector, access):
        app.answer(status=404)
        app.answer(json={"id": 9})
        renew = {"request": {"method": "POST", "path": "/hooks/${state.id}/renew"}}
        register = {**REGISTER, "expires_in": "60"}

        told = await connector(**parts(register=register, renew=renew)).renew_webhook(access, NOTES, TARGET, {"id": 7})

        assert [request.path for request in app.requests] == ["/hooks/7/renew", "/hooks"]
        assert told.state["id"] == 9

    @pytest.mark.parametrize("status", [200, 204, 404, 410])
    async def test_it_is_told_to_stop_also_when_it_has_already(self, app, connector, access, status):
        app.answer(status=status)

        await connector(**parts()).remove_webhook(access, NOTES, TARGET, {"id": 7})

        assert [(request.method, request.path) for request in app.requests] == [("DELETE", "/hooks/7")]

    async def test_one_that_somebody_enters_by_hand_is_not_told(self, app, connector, access):
        by_hand = connector(**parts(register=None, remove=None, verify={"type": "shared_token", "query": "token"}))

        with pytest.raises(UnsupportedError):
            await by_hand.register_webhook(access, NOTES, TARGET)
        await by_hand.remove_webhook(access, NOTES, TARGET, {})

        assert app.requests == []


class TestSupport:
    def test_what_the_app_tells_is_known_without_asking_it(self, connector):
        known = connector(**parts())

        assert known.sync_support(NOTES).webhook == WebhookSupport(key="changes", types=frozenset(ChangeType))
        assert [(event.type.value, event.method) for event in known.spec.collections[0].events] == [
            ("CREATED", EventMethod.WEBHOOK),
            ("UPDATED", EventMethod.WEBHOOK),
            ("DELETED", EventMethod.WEBHOOK),
        ]

    def test_a_type_that_is_not_told_is_found_in_another_way(self, connector):
        known = connector(**parts(events=EVENTS[:1]))

        assert known.sync_support(NOTES).webhook.types == {ChangeType.CREATED}
        assert [event.method for event in known.spec.collections[0].events] == [
            EventMethod.WEBHOOK,
            EventMethod.FULL_SCAN,
            EventMethod.FULL_SCAN,
        ]

    def test_the_secret_is_part_of_an_address_that_is_entered_by_hand(self, connector):
        known = connector(**parts(register=None, remove=None, verify={"type": "shared_token", "query": "token"}))

        support = known.sync_support(NOTES).webhook
        assert (support.is_registered, support.secret_parameter) == (False, "token")

    def test_without_a_webhook_none_is_read(self, connector, access):
        with pytest.raises(UnsupportedError, match=r"^The connector file names no webhook for this collection\.$"):
            connector().read_webhook(access, NOTES, TARGET, delivery({}))


class TestReading:
    def test_the_first_event_that_fits_counts(self, connector, access):
        read = connector(**parts()).read_webhook
        bodies = [{"kind": "new", "id": 1, "note": {"id": 1, "text": "a"}}, {"kind": "gone", "id": 2}, {"kind": "anything", "id": "3"}]

        told = [hints(read(access, NOTES, TARGET, delivery(body))) for body in bodies]

        assert told == [[("CREATED", "1", {"id": 1, "text": "a"})], [("DELETED", "2", None)], [("UPDATED", "3", None)]]

    def test_what_fits_nothing_says_nothing(self, connector, access):
        reading = connector(**parts()).read_webhook(access, NOTES, TARGET, delivery({"kind": "ping"}))

        assert (reading.hints, reading.answer, reading.dedupe_key) == ((), None, None)

    def test_a_delivery_may_tell_of_several(self, connector, access):
        events = [{"when": "item.gone", "type": "deleted", "id": "${item.id}"}, {"type": "updated", "id": "${item.id}"}]
        read = connector(**parts(items="${body.all}", events=events)).read_webhook
        body = {"all": [{"id": 1}, {"id": 2, "gone": True}, {"id": 1}]}

        assert hints(read(access, NOTES, TARGET, delivery(body))) == [
            ("UPDATED", "1", None),
            ("DELETED", "2", None),
            ("UPDATED", "1", None),
        ]
        assert hints(read(access, NOTES, TARGET, delivery({"all": []}))) == []

    def test_a_record_is_read_as_in_lists(self, connector, access):
        collection = {
            "record": {"id": "${record.id}", "name": "${record.title}", "updated_at": "${record.at}"},
            "from_api": "${omit(record, ['at'])}",
        }
        body = {"kind": "new", "id": 1, "note": {"id": 1, "title": "A", "at": "2026-01-02T03:04:05Z"}}

        [hint] = connector(**parts(collection=collection)).read_webhook(access, NOTES, TARGET, delivery(body)).hints

        raw = {"id": 1, "title": "A", "at": "2026-01-02T03:04:05Z"}
        updated_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        record = Record(external_id="1", fields={"id": 1, "title": "A"}, raw_fields=raw, name="A", updated_at=updated_at)
        assert hint == ChangeHint(type=ChangeType.CREATED, external_id="1", record=record)

    def test_a_record_that_is_flagged_as_gone_is_deleted(self, connector, access):
        read = connector(**parts(collection={"sync": {"cursor": {"value": "${record.at}"}, "deleted": {"when": "item.gone"}}})).read_webhook
        bodies = [{"kind": "new", "id": 1, "note": {"id": 1, "gone": flag}} for flag in (True, False)]

        told = [hints(read(access, NOTES, TARGET, delivery(body))) for body in bodies]

        assert told == [[("DELETED", "1", None)], [("CREATED", "1", {"id": 1, "gone": False})]]

    def test_expressions_see_the_place_headers_and_query(self, connector, access):
        when = "collection == 'notes' && parameters.shelf == query.shelf && headers.\"x-kind\" == 'k'"
        events = [{"when": when, "type": "updated", "id": "${query.id}"}]
        shelves = {"parameters": {"type": "object", "properties": {"shelf": {"type": "string"}}}}
        read = connector(**parts(collection=shelves, events=events)).read_webhook
        sent = delivery(b"", headers={"x-kind": "k"}, query={"shelf": "a", "id": "9"})

        assert hints(read(access, Pointer("notes", {"shelf": "a"}), TARGET, sent)) == [("UPDATED", "9", None)]
        assert hints(read(access, Pointer("notes", {"shelf": "b"}), TARGET, sent)) == []

    def test_a_form_is_read_as_well(self, connector, access):
        sent = delivery(b"kind=any&id=4&id=5", headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"})

        assert hints(connector(**parts()).read_webhook(access, NOTES, TARGET, sent)) == [("UPDATED", "5", None)]

    def test_a_repetition_has_the_same_key(self, connector, access):
        read = connector(**parts(dedupe='${headers."x-id"}')).read_webhook
        body = {"kind": "any", "id": 1}

        keys = [read(access, NOTES, TARGET, delivery(body, headers=headers)).dedupe_key for headers in ({"x-id": "a"}, {"x-id": "a"}, {})]

        assert keys == ["a", "a", None]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{", NO_JSON),
            (b"\xff\xfe\x00", NO_JSON),
            (
                b"<html>",
                "The webhook cannot be read as its connector expects: The app's answer is not JSON; it looks like a page of HTML or XML.",
            ),
            (
                b"[" * 100_000,
                "The webhook cannot be read as its connector expects: The app's answer is JSON nested deeper than the 200 levels",
            ),
            ({"kind": "gone"}, "The webhook cannot be read as its connector expects: The record has no id: '${body.id}' gives null."),
            (
                {"kind": "gone", "id": {}},
                "The webhook cannot be read as its connector expects: The record has no id: '${body.id}' gives an object.",
            ),
            (
                {"kind": "new", "id": 1, "note": 5},
                "The webhook cannot be read as its connector expects: The record is a number, not an object.",
            ),
            (
                {"kind": "new", "id": 1, "note": {"id": 2}},
                "The webhook cannot be read as its connector expects: The record that it holds is not the one that it tells of.",
            ),
            (
                {"kind": 5, "id": 1},
                "The webhook cannot be read as its connector expects: Which change it is cannot be told from the answer",
            ),
        ],
    )
    def test_what_cannot_be_read_is_refused_without_being_quoted(self, connector, access, body, message):
        with pytest.raises(InvalidError) as caught:
            connector(**parts()).read_webhook(access, NOTES, TARGET, delivery(body))

        assert caught.value.message.startswith(message)

    def test_a_list_of_very_many_changes_is_refused(self, connector, access):
        events = [{"type": "updated", "id": "${item}"}]
        read = connector(**parts(items="${body}", events=events)).read_webhook

        assert len(read(access, NOTES, TARGET, delivery(list(range(10_000)))).hints) == 10_000
        for body in (list(range(10_001)), {"not": "a list"}, None):
            with pytest.raises(InvalidError, match="What it tells of is no list of at most 10000 items"):
                read(access, NOTES, TARGET, delivery(body))

    @pytest.mark.parametrize("body", [b"{", {"kind": "new", "id": 1, "note": 5}, {"kind": "gone", "id": 1}])
    @pytest.mark.parametrize("token", [None, "", "wrong"])
    def test_nobody_who_proves_nothing_is_told_anything(self, connector, access, body, token):
        with pytest.raises(WebhookRefusedError, match=r"^The webhook does not prove that it comes from the app\.$"):
            connector(**parts()).read_webhook(access, NOTES, TARGET, delivery(body, token=token))

    @pytest.mark.parametrize(("secret", "is_taken"), [("app-wide-secret", True), ("", False), (None, False), (5, False)])
    def test_the_secret_may_be_one_of_the_connection(self, connector, access, secret, is_taken):
        read = connector(**parts(verify={**TOKEN_IN_HEADER, "secret": "${credentials.signing}"})).read_webhook
        credentials = {**access.credentials, **({"signing": secret} if secret is not None else {})}
        known = type(access)(connection_id="c1", parameters={}, auth_method="token", credentials=credentials)
        sent = delivery({"kind": "gone", "id": 1}, token=str(secret or ""))

        if is_taken:
            assert hints(read(known, NOTES, TARGET, sent)) == [("DELETED", "1", None)]
        else:
            with pytest.raises(WebhookRefusedError, match=r"^The secret that webhooks are verified with is not set"):
                read(known, NOTES, TARGET, sent)


CHALLENGE = [{"when": "body.challenge", "answer": {"text": "${body.challenge}"}}]


class TestHandshakes:
    def test_a_challenge_is_answered(self, connector, access):
        reading = connector(**parts(handshakes=CHALLENGE)).read_webhook(access, NOTES, TARGET, delivery({"challenge": "abc"}))

        assert (reading.answer.status, reading.answer.body, reading.hints) == (200, b"abc", ())
        assert reading.answer.headers == {"content-type": "text/plain; charset=utf-8"}

    def test_one_that_must_be_proven_is_refused_without_proof(self, connector, access):
        with pytest.raises(WebhookRefusedError):
            connector(**parts(handshakes=CHALLENGE)).read_webhook(access, NOTES, TARGET, delivery({"challenge": "abc"}, token=None))

    def test_one_that_comes_without_proof_is_answered_where_the_file_says_so(self, connector, access):
        answer = {"status": 202, "headers": {"X-Echo": "${query.validationToken}"}, "json": {"seen": "${query.validationToken}"}}
        handshakes = [{"when": "query.validationToken", "is_verified": False, "answer": answer}]
        read = connector(**parts(handshakes=handshakes)).read_webhook

        told = read(access, NOTES, TARGET, delivery(b"", token=None, query={"validationToken": "t"})).answer

        assert (told.status, told.body) == (202, b'{"seen": "t"}')
        assert told.headers == {"content-type": "application/json", "x-echo": "t"}
        for body in (b"", b"{", b'{"kind": "gone", "id": 1}'):
            with pytest.raises(WebhookRefusedError, match=r"^The webhook does not prove"):
                read(access, NOTES, TARGET, delivery(body, token=None))

    @pytest.mark.parametrize("hostile", ["a\r\nset-cookie: b", "a\nb", "é", "\x00", " a"])
    def test_no_answer_holds_a_header_that_was_smuggled_in(self, connector, access, hostile):
        handshakes = [{"when": "body.challenge", "answer": {"headers": {"X-Echo": "${body.challenge}"}}}]

        with pytest.raises(InvalidError, match="would hold a line break or another character that no header carries"):
            connector(**parts(handshakes=handshakes)).read_webhook(access, NOTES, TARGET, delivery({"challenge": hostile}))
