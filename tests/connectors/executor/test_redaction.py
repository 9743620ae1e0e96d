import base64
import html
import json
import logging
import traceback
from urllib.parse import quote, quote_plus

import pytest

from gateway.connectors.redaction import REDACTED, Redactor
from gateway.errors import CursorExpiredError, UpstreamError, UpstreamRejectedError
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read

SECRET = 's3cr&t/<k"y>+ü=='
METHODS = {
    "bearer": {"type": "http", "scheme": "bearer", "token": "${credentials.secret}"},
    "basic": {"type": "http", "scheme": "basic", "username": "anna", "password": "${credentials.secret}"},
    "header": {"type": "apiKey", "parameter": "X-Key", "value": "Key ${credentials.secret}"},
    "query": {"type": "apiKey", "location": "query", "parameter": "key", "value": "${credentials.secret}"},
    "cookie": {"type": "apiKey", "location": "cookie", "parameter": "key", "value": "${credentials.secret}"},
}

WRITTEN = {
    "as it is": SECRET,
    "in a URL": quote(SECRET, safe=""),
    "in a URL with slashes": quote(SECRET),
    "in a form": quote_plus(SECRET),
    "in a URL in lower case": quote(SECRET, safe="")
    .replace("%2F", "%2f")
    .replace("%3D", "%3d")
    .replace("%2B", "%2b")
    .replace("%C3%BC", "%c3%bc")
    .replace("%3C", "%3c")
    .replace("%3E", "%3e"),
    "in JSON": json.dumps(SECRET),
    "in JSON with umlauts": json.dumps(SECRET, ensure_ascii=False),
    "in HTML": html.escape(SECRET),
    "as Python writes it": repr(SECRET),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "within base64": base64.b64encode(f"anna:{SECRET}".encode()).decode(),
    "within base64, moved by one": base64.b64encode(f"ann:{SECRET}:x".encode()).decode(),
    "within base64, moved by two": base64.b64encode(f"an:{SECRET}:xy".encode()).decode(),
}


def carries_the_secret(text):
    core = base64.b64encode(SECRET.encode()).decode()[4:16]
    return any(form in text for form in (SECRET, "s3cr&t", "s3cr%26t", "s3cr\\u0026t", "s3cr&amp;t", core))


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_value_is_taken_out_however_it_is_written(written):
    redacted = Redactor({"secret": SECRET}).redact(f"before {written} after")

    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert REDACTED in redacted
    assert not carries_the_secret(redacted)


def test_values_at_any_depth_and_numbers_are_taken_out():
    redactor = Redactor({"a": {"b": ["deep-secret", 123456]}, "flag": True, "nothing": None, "empty": ""})

    assert redactor.redact("deep-secret 123456 true null") == f"{REDACTED} {REDACTED} true null"


def test_a_short_value_is_taken_out_as_a_word_only():
    assert Redactor({"pin": "ab"}).redact("ab cab abc (ab)") == f"{REDACTED} cab abc ({REDACTED})"


def test_the_longer_of_two_values_is_taken_out_whole():
    assert Redactor({"a": "secret", "b": "secret-and-more"}).redact("x secret-and-more secret") == f"x {REDACTED} {REDACTED}"


def test_a_key_of_many_lines_is_known_by_each_of_them_and_on_one_line():
    key = "-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----"
    redactor = Redactor({"key": key})

    assert redactor.redact("line mnopqrstuvwx!") == f"line {REDACTED}!"
    assert "abcdefghijkl" not in redactor.redact(" ".join(key.split()))


def test_without_credentials_a_text_stays_as_it_is():
    assert Redactor({}).redact("any text") == "any text"


def test_a_redactor_shows_nothing_of_what_it_knows():
    assert "secret-value" not in repr(Redactor({"a": "secret-value"}))


def test_a_sealed_text_comes_back_whole():
    redactor = Redactor({"user": "anna", "key": "s3cr/t value", "other": "another-secret"})
    text = "/notes?key=s3cr%2Ft%20value&small=s3cr%2ft%20value&form=s3cr%2ft+value&raw=another-secret&user=anna"

    sealed = redactor.sealed(text)

    assert sealed is not None
    assert "s3cr" not in sealed
    assert "another-secret" not in sealed
    assert "user=anna" in sealed
    assert redactor.unsealed(json.loads(json.dumps(sealed))) == text


def test_a_text_with_the_mark_in_it_cannot_be_sealed():
    assert Redactor({}).sealed("a\x1fb") is None


@pytest.mark.parametrize("forged", ["\x1f0r\x1f", "\x1f99q\x1f", "\x1f0z\x1f"])
def test_a_mark_without_a_value_is_refused(forged):
    redactor = Redactor({"key": "another-secret"} if forged == "\x1f0z\x1f" else {})

    with pytest.raises(CursorExpiredError):
        redactor.unsealed(forged)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
async def test_an_app_that_repeats_what_it_was_sent_leaks_nothing(app, connector, method, status, caplog):
    secret = "s3cret/key+4711=="

    def echo(request):
        told = f"{request.target} {request.headers.get('authorization')} {request.headers.get('x-key')} {request.headers.get('cookie')}"
        return Answer(status=status, json={"error": f"You sent {told} that is {secret}"})

    app.answer_with(echo)
    caplog.set_level(logging.DEBUG)
    leaky = connector(auth={"token": method}, http={"error_message": "${body.error}", "retry": {"max_attempts": 1}})

    with pytest.raises(UpstreamError) as caught:
        await read(leaky, access_with(credentials={"secret": secret}))

    shown = [caught.value.message, str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value)), caplog.text]
    sent = base64.b64encode(f"anna:{secret}".encode()).decode()
    for form in (secret, quote(secret, safe=""), quote(secret), sent, base64.b64encode(secret.encode()).decode().rstrip("=")):
        assert not any(form in text for text in shown), form
    assert REDACTED in caught.value.message


async def test_a_secret_cut_in_two_by_shortening_is_not_shown_in_half(app, connector, access):
    app.answer(status=400, json={"error": "x" * 290 + " token-4711-secret"})

    with pytest.raises(UpstreamError) as caught:
        await read(connector(http={"error_message": "${body.error}"}), access)
    assert "token" not in caught.value.message


async def test_a_secret_broken_over_lines_is_not_shown(app, connector):
    app.answer(status=400, json={"error": "key two\nwords here is wrong"})
    method = {"type": "apiKey", "location": "query", "parameter": "k", "value": "${credentials.key}"}

    with pytest.raises(UpstreamError) as caught:
        await read(
            connector(auth={"token": method}, http={"error_message": "${body.error}"}),
            access_with(credentials={"key": "two words here"}),
        )
    assert caught.value.message == f"Notes refused the request (400): key {REDACTED} is wrong."


async def test_messages_of_rules_and_addresses_are_redacted_too(app, connector, access):
    app.answer(json={**items(), "next": "https://token-4711-secret.evil.test/"})
    with pytest.raises(UpstreamError) as caught:
        await read(connector(listing={"pagination": {"type": "next_url", "next": "${body.next}"}}), access)
    assert caught.value.message.startswith(f"The next page of Notes leads to another host, '{REDACTED}.evil.test'")


async def test_what_the_file_marks_as_secret_elsewhere_is_redacted(app, connector, access):
    schema = {"type": "object", "properties": {"secret": {"type": "string", "writeOnly": True}, "team": {"type": "string"}}}
    app.answer(status=400, json={"error": "integration-secret of team red"})

    with pytest.raises(UpstreamError) as caught:
        await read(
            connector(integration={"schema": schema}, http={"error_message": "${body.error}"}),
            access_with(integration_parameters={"secret": "integration-secret", "team": "red"}),
        )
    assert caught.value.message == f"Notes refused the request (400): {REDACTED} of team red."


async def test_no_earlier_error_hangs_on_an_error_that_leaves(app, connector, access):
    app.answer(json=items())
    broken = connector(listing={"records": "${add(body.items, `1`)}"})

    with pytest.raises(UpstreamError) as caught:
        await read(broken, access)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_an_access_does_not_show_its_credentials(access):
    assert "4711" not in repr(access)


async def test_a_secret_that_the_app_breaks_over_lines_is_taken_out_before_the_text_is_shortened(app, connector):
    app.answer(status=400, json={"error": "x" * 285 + " correct\n  horse\tbattery"})
    access = access_with(credentials={"token": "t", "phrase": "correct horse battery"})

    with pytest.raises(UpstreamRejectedError) as caught:
        await read(connector(http={"error_message": "${body.error}"}), access)
    assert caught.value.message.endswith("xxx [redacted].")
