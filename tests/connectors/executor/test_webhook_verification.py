"""Whether a webhook comes from its app: each way of proving it, by examples that the apps themselves publish."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from gateway.connectors.executor.webhooks.verification import require_proof
from gateway.connectors.format.connector import ConnectorFile
from gateway.errors import WebhookRefusedError
from gateway.models import WebhookDelivery
from tests.connectors.executor.notes import notes_file

URL = "https://gateway.example.com/webhooks/token"
FORGED = "The webhook does not prove that it comes from the app."
STALE = "The webhook does not say that it was sent within 300 seconds. Compare the clocks."

GITHUB = {"type": "hmac", "header": "X-Hub-Signature-256", "prefix": "sha256="}
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

SLACK = {
    "type": "hmac",
    "header": "X-Slack-Signature",
    "prefix": "v0=",
    "signed": "v0:{timestamp}:{body}",
    "timestamp": {"header": "X-Slack-Request-Timestamp"},
}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_HEADERS = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
STANDARD_BODY = b'{"test": 2432232314}'

STRIPE = {
    "type": "hmac",
    "header": "Stripe-Signature",
    "part": "v1",
    "signed": "{timestamp}.{body}",
    "timestamp": {"part": "t"},
}


def verify(**keys):
    """The verification as a connector file says it."""
    webhook = {
        "register": {"request": {"method": "POST", "path": "/hooks", "json": {"url": "${webhook.url}", "secret": "${webhook.secret}"}}},
        "verify": keys,
        "events": [{"type": "updated", "id": "${body.id}"}],
    }
    return ConnectorFile.model_validate(notes_file("https://notes.example", webhooks={"changes": webhook})).webhooks["changes"].verify


def delivery(body=b"", *, at=0, query=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookDelivery(headers=named, query=query or {}, body=body, received_at=datetime.fromtimestamp(at, UTC))


def is_proven(verification, delivery, secret):
    """Whether the delivery is taken; what is refused is refused with one and the same message, or as too old."""
    told = ""
    try:
        require_proof(verification, delivery, secret=secret, url=URL)
    except WebhookRefusedError as error:
        told = error.message
    assert told in ("", FORGED, STALE)
    return not told


def github(signature=GITHUB_SIGNATURE, body=b"Hello, World!", secret=GITHUB_SECRET):
    return is_proven(verify(**GITHUB), delivery(body, x_hub_signature_256=signature), secret)


def test_the_example_of_github_is_proven():
    assert github()


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b"Hello, World?"},
        {"body": b""},
        {"secret": "another"},
        {"signature": ""},
        {"signature": GITHUB_SIGNATURE.removeprefix("sha256=")},
        {"signature": GITHUB_SIGNATURE[:-1]},
        {"signature": GITHUB_SIGNATURE + "00"},
        {"signature": GITHUB_SIGNATURE.replace("sha256=", "sha1=")},
        {"signature": "sha256=" + "é" * 64},
        {"signature": "sha256=\ud800"},
        {"signature": "sha256=" * 10_000},
    ],
)
def test_a_delivery_that_was_changed_proves_nothing(changed):
    assert not github(**changed)


def test_hexadecimal_signatures_may_be_written_large():
    assert github(signature="sha256=" + GITHUB_SIGNATURE.removeprefix("sha256=").upper())


def test_the_example_of_slack_is_proven_for_five_minutes():
    seconds = [0, 300, -300, 301, -301]

    taken = [is_proven(verify(**SLACK), _slack(at=1531420618 + each), SLACK_SECRET) for each in seconds]

    assert taken == [True, True, True, False, False]


@pytest.mark.parametrize("timestamp", ["", "soon", "nan", "inf", "-1531420618", "1e400", "1531420618 ", "٠", "9" * 400, "1531420619"])
def test_another_time_than_the_signed_one_proves_nothing(timestamp):
    assert not is_proven(verify(**SLACK), _slack(at=1531420618, x_slack_request_timestamp=timestamp), SLACK_SECRET)


def test_the_example_of_standard_webhooks_is_proven():
    assert is_proven(verify(type="standard_webhooks"), _standard(), STANDARD_SECRET)
    assert is_proven(verify(type="standard_webhooks"), _standard(), STANDARD_SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_id": ""},
        {"webhook_id": "msg_another"},
        {"webhook_timestamp": "1614265331"},
        {"webhook_signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook_signature": ""},
    ],
)
def test_standard_webhooks_that_were_changed_prove_nothing(changed):
    assert not is_proven(verify(type="standard_webhooks"), _standard(**changed), STANDARD_SECRET)


def test_while_a_secret_is_replaced_one_of_several_signatures_is_enough():
    signatures = f"v1,AAAA v1a,BBBB {STANDARD_HEADERS['webhook-signature']}"

    assert is_proven(verify(type="standard_webhooks"), _standard(webhook_signature=signatures), STANDARD_SECRET)


def test_of_very_many_signatures_only_some_are_looked_at():
    signatures = " ".join([*(["v1,AAAA"] * 20), STANDARD_HEADERS["webhook-signature"]])

    assert not is_proven(verify(type="standard_webhooks"), _standard(webhook_signature=signatures), STANDARD_SECRET)


def test_the_headers_of_svix_are_read_where_the_file_says_so():
    headers = {name.replace("webhook-", "svix-").replace("-", "_"): value for name, value in STANDARD_HEADERS.items()}
    sent = delivery(STANDARD_BODY, at=1614265330, **headers)

    assert is_proven(verify(type="standard_webhooks", prefix="svix"), sent, STANDARD_SECRET)
    assert not is_proven(verify(type="standard_webhooks"), sent, STANDARD_SECRET)


def test_a_signature_may_stand_among_the_parts_of_a_header_beside_its_time():
    signature = hmac.new(b"whsec", b'1700000000.{"id": 1}', hashlib.sha256).hexdigest()
    headers = [f"t=1700000000,v1={signature},v0=ab", f"t=1700000000, v1=00, v1={signature}", f"t=1700000001,v1={signature}", "v1", "t=,v1="]

    taken = [is_proven(verify(**STRIPE), delivery(b'{"id": 1}', at=1700000010, stripe_signature=header), "whsec") for header in headers]

    assert taken == [True, True, False, False, False]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_each_algorithm_and_encoding_is_known(algorithm, encoding):
    digest = hmac.new(b"key", b"body", algorithm)
    text = digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()
    keys = {"type": "hmac", "header": "X-Sign", "algorithm": algorithm, "encoding": encoding}

    assert is_proven(verify(**keys), delivery(b"body", x_sign=text), "key")
    assert not is_proven(verify(**keys), delivery(b"bodi", x_sign=text), "key")


def test_the_address_headers_and_a_time_in_milliseconds_may_be_signed_too():
    content = b"POST" + URL.encode() + b"abc" + b"1700000000000" + b"{}"
    signature = base64.b64encode(hmac.new(bytes.fromhex("00ff"), content, hashlib.sha256).digest()).decode()
    keys = {
        "type": "hmac",
        "header": "X-Sign",
        "encoding": "base64",
        "key": "hex",
        "signed": "POST{url}{headers.X-Request}{timestamp}{body}",
        "timestamp": {"header": "X-Time", "unit": "ms", "tolerance_seconds": 10},
    }
    sent = delivery(b"{}", at=1700000009, x_sign=signature, x_request="abc", x_time="1700000000000")

    assert is_proven(verify(**keys), sent, "00ff")


@pytest.mark.parametrize(("kind", "secret"), [("hex", "xyz"), ("base64", "%%%"), ("base64", ""), ("text", ""), ("hex", "")])
def test_a_secret_that_is_no_key_lets_nobody_in(kind, secret):
    signature = hmac.new(b"", b"body", hashlib.sha256).hexdigest()

    with pytest.raises(WebhookRefusedError, match=r"^The secret of the webhook is not what its connector says\."):
        require_proof(verify(type="hmac", header="X-Sign", key=kind), delivery(b"body", x_sign=signature), secret=secret, url=URL)


@pytest.mark.parametrize(
    ("keys", "sent", "expected"),
    [
        ({"header": "X-Token"}, {"x_token": "secret"}, True),
        ({"header": "X-Token"}, {"x_token": "secret2"}, False),
        ({"header": "X-Token"}, {}, False),
        ({"header": "X-Token"}, {"query": {"x-token": "secret"}}, False),
        ({"header": "Authorization", "prefix": "Bearer "}, {"authorization": "Bearer secret"}, True),
        ({"header": "Authorization", "prefix": "Bearer "}, {"authorization": "secret"}, False),
        ({"query": "token"}, {"query": {"token": "secret"}}, True),
        ({"query": "token"}, {"query": {"token": ""}}, False),
        ({"query": "token"}, {"token": "secret"}, False),
    ],
)
def test_a_shared_token_stands_in_its_place(keys, sent, expected):
    assert is_proven(verify(type="shared_token", **keys), delivery(**sent), "secret") is expected


@pytest.mark.parametrize(("given", "expected"), [("gateway:secret", True), ("other:secret", False), ("gateway:", False), ("", False)])
def test_a_password_is_compared_with_its_user(given, expected):
    header = "Basic " + base64.b64encode(given.encode()).decode()

    assert is_proven(verify(type="basic"), delivery(authorization=header), "secret") is expected


@pytest.mark.parametrize("keys", [{"type": "basic"}, {"type": "shared_token", "header": "X-Token"}])
def test_a_secret_that_is_no_text_lets_nobody_in(keys):
    assert not is_proven(verify(**keys), delivery(x_token="secret"), "half \ud800 a pair")


def _slack(*, at, **changed):
    headers = {name.replace("-", "_"): value for name, value in SLACK_HEADERS.items()}
    return delivery(SLACK_BODY, at=at, **(headers | changed))


def _standard(**changed):
    headers = {name.replace("-", "_"): value for name, value in STANDARD_HEADERS.items()}
    return delivery(STANDARD_BODY, at=1614265330 + timedelta(minutes=1).seconds, **(headers | changed))
