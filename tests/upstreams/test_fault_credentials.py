"""Apps that refuse credentials, ask to slow down or repeat what they were sent: what follows, and what nobody gets to read."""

import base64
from datetime import timedelta
from email.utils import format_datetime

import pytest

from gateway.testing import Answer
from tests.upstreams.ledger import PASSWORD, RECORDS_AT, TOKEN, USER, forms, items, surviving
from tests.upstreams.operations import CONNECT, CREATE_INSTANCE, DATA_SOURCE, INTEGRATION, RECONNECT

REFUSED = "Ledger does not accept the credentials (401){}. Connect again with valid ones."
READY = {"state": "READY", "errors": []}
TEST = """mutation ($input: ConnectionTestInput!) { connectionTest(input: $input) {
  isAccepted connection { state } userErrors { code message field } } }"""


async def test_refused_credentials_disconnect_and_nothing_more_is_sent(ledger):
    connection, another = await ledger.connect(), await ledger.connect("account")
    ledger.app.answer_with(lambda request: Answer(status=401) if "Bearer" in request.headers["authorization"] else items("1"))

    first = await ledger.read(connection)
    asked = len(ledger.app.requests)
    second = await ledger.read(connection)

    assert first.data == surviving()
    assert first.error == ("UPSTREAM_AUTH", REFUSED.format(""), RECORDS_AT)
    assert second.data["connection"] == {"name": "Ledger", "collection": None}
    assert second.error == ("UPSTREAM_AUTH", REFUSED.format(""), ["connection", "collection"])
    assert (asked, len(ledger.app.requests)) == (1, 1)
    assert await ledger.state(connection) == {
        "state": "DISCONNECTED",
        "errors": [{"code": "UPSTREAM_AUTH", "message": REFUSED.format("")}],
    }
    assert await ledger.entries(another) == ["1"]


async def test_several_reads_of_one_answer_that_are_refused_disconnect_once(ledger):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: Answer(status=401))
    document = """query ($id: ID!) { connection(by: { id: $id }) { revision
      a: collection(key: "entries") { records { nodes { id } } spec { key } }
      b: collection(key: "accounts") { records { nodes { id } } } } }"""

    answer = await ledger.acme.ask(document, id=connection)
    revision = (await ledger.acme.execute("query ($id: ID!) { connection(by: { id: $id }) { revision } }", id=connection))["connection"]

    assert answer.data["connection"] == {"revision": "1", "a": {"records": None, "spec": None}, "b": {"records": None}}
    assert {error["extensions"]["code"] for error in answer.errors} == {"UPSTREAM_AUTH"}
    assert len(answer.errors) == 3
    assert (await ledger.state(connection))["state"] == "DISCONNECTED"
    assert revision == {"revision": "2"}


async def test_a_customer_reconnects_with_new_credentials_or_by_a_test_that_passes(ledger):
    connection = await ledger.connect()
    ledger.app.answer(Answer(status=401), Answer(status=401), Answer(status=401))

    await ledger.read(connection)
    refused = await ledger.acme.refusal(RECONNECT, by={"id": connection}, credentials={"token": "another-token"})
    tested = await ledger.acme.mutate(TEST, by={"id": connection})
    ledger.app.answer(json={"user": "me"})
    accepted = await ledger.acme.mutate(TEST, by={"id": connection})
    ledger.app.answer(Answer(status=401), Answer(json={"user": "me"}))
    await ledger.read(connection)
    renewed = await ledger.acme.mutate(RECONNECT, by={"id": connection}, credentials={"token": "another-token"})
    ledger.app.answer(items("1"))

    assert refused == ("UPSTREAM_AUTH", REFUSED.format(""), None)
    assert (tested["isAccepted"], tested["connection"]) == (False, {"state": "DISCONNECTED"})
    assert (accepted["isAccepted"], accepted["connection"]) == (True, {"state": "READY"})
    assert renewed["connection"] == {"id": connection, **READY}
    assert await ledger.entries(connection) == ["1"]
    assert ledger.app.requests[-1].headers["authorization"] == "Bearer another-token"


async def test_new_parameters_do_not_take_the_stored_credentials_along(ledger):
    connection = await ledger.connect()

    refusal = await ledger.acme.refusal(RECONNECT, by={"id": connection}, parameters={"server": "http://127.0.0.2:1"})

    message = "New parameters need the credentials again: the stored ones were given for another app."
    assert refusal == ("INVALID", message, ["input", "credentials"])
    assert await ledger.state(connection) == READY


class TestRateLimits:
    async def test_a_short_wait_is_waited_for(self, ledger, clock):
        connection = await ledger.connect()
        date = format_datetime(clock.now() + timedelta(seconds=10), usegmt=True)
        ledger.app.answer(Answer(status=429, headers={"Retry-After": "7"}), Answer(status=429, headers={"Retry-After": date}), items("1"))

        assert await ledger.entries(connection) == ["1"]
        first, second = clock.sleeps
        assert 7 <= first <= 7.5
        assert 10 - first <= second <= 10.51 - first

    @pytest.mark.parametrize(
        ("headers", "seconds", "requests"),
        [
            ({"Retry-After": "120"}, 120, 1),
            ({"Retry-After": "Thu, 01 Jan 2026 00:05:00 GMT"}, 300, 1),
            ({"X-RateLimit-Reset": "1767225690"}, 90, 1),
            ({"Retry-After": "99999"}, 3600, 1),
            ({}, 60, 3),
        ],
    )
    async def test_a_long_wait_is_told(self, ledger, clock, headers, seconds, requests):
        connection = await ledger.connect()
        ledger.app.answer_with(lambda request: Answer(status=429, headers=headers, json={"error": "Slow down"}))

        answer = await ledger.read(connection)

        assert answer.data == surviving()
        message = f"Ledger asks to slow down (429): Slow down. Try again in {seconds} seconds."
        assert answer.error == ("UPSTREAM_RATE_LIMIT", message, RECORDS_AT)
        assert answer.errors[0]["extensions"] == {"code": "UPSTREAM_RATE_LIMIT", "retryAfterSeconds": seconds}
        assert len(ledger.app.requests) == requests
        assert await ledger.state(connection) == READY


class TestSecretsThatAnAppRepeats:
    """The ledger's fixture asserts after each test that no answer and no line of the log held a secret in any form."""

    @pytest.mark.parametrize(("method", "secrets"), [("token", [TOKEN]), ("key", [TOKEN]), ("account", [PASSWORD, f"{USER}:{PASSWORD}"])])
    async def test_are_taken_out_of_its_error_texts_in_every_form(self, ledger, method, secrets):
        connection = await ledger.connect(method)

        for secret in secrets:
            for form in forms(secret):
                ledger.app.answer(status=422, json={"error": f"You sent {form}, I think"})
                answer = await ledger.read(connection)
                code, message, path = answer.error
                assert (code, path) == ("UPSTREAM_REJECTED", RECORDS_AT)
                assert message.startswith("Ledger refused the request (422): You sent ")
                assert "[redacted]" in message
        assert await ledger.state(connection) == READY

    async def test_are_taken_out_of_what_is_stored(self, ledger):
        connection = await ledger.connect()
        await ledger.gateway.admin.mutate(DATA_SOURCE, key="all", integrationKey="ledger", pointer={"path": "/data/entries"})
        ledger.app.answer_with(lambda request: Answer(status=422, json={"error": f"No {TOKEN}"}))
        payload = await ledger.acme.mutate(CREATE_INSTANCE, connection={"id": connection}, dataSource={"key": "all"})
        ledger.app.answer_with(lambda request: Answer(status=401, json={"error": f"No {TOKEN}"}))
        await ledger.read(connection)

        message = "Ledger refused the request (422): No [redacted]."
        assert payload["dataSourceInstance"]["state"] == "SETUP_FAILED"
        assert payload["dataSourceInstance"]["errors"] == [{"code": "UPSTREAM_REJECTED", "message": message}]
        message = REFUSED.format(": No [redacted]")
        assert await ledger.state(connection) == {"state": "DISCONNECTED", "errors": [{"code": "UPSTREAM_AUTH", "message": message}]}

    @pytest.mark.parametrize("status", [400, 401, 403, 422, 500])
    async def test_are_taken_out_when_somebody_connects(self, ledger, status):
        await ledger.gateway.admin.mutate(INTEGRATION, key="ledger", connectorKey="ledger")
        encoded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        ledger.app.answer_with(lambda request: Answer(status=status, json={"error": f"No {PASSWORD} {encoded}"}))
        credentials = {"user": USER, "password": PASSWORD}

        answer = await ledger.acme.ask(
            CONNECT,
            input={
                "integrationKey": "ledger",
                "parameters": {"server": ledger.app.url},
                "authMethod": "account",
                "credentials": credentials,
            },
        )

        payload = answer.data["connectionCreate"]
        (told,) = [error["message"] for error in (answer.errors or payload["userErrors"])]
        assert "No [redacted] [redacted]" in told
        assert (payload is None) == (status == 500)

    async def test_are_not_in_the_address_of_an_app_that_cannot_be_used(self, ledger):
        await ledger.gateway.admin.mutate(INTEGRATION, key="ledger", connectorKey="ledger")
        for server in (f"http://me:{PASSWORD}@127.0.0.1", f"ftp://{PASSWORD}", PASSWORD):
            refusal = await ledger.acme.refusal(
                CONNECT,
                integrationKey="ledger",
                parameters={"server": server},
                authMethod="account",
                credentials={"user": USER, "password": PASSWORD},
            )
            assert refusal[0] == "UPSTREAM_REJECTED"
            assert refusal[1].startswith("The app's address cannot be used: ")

    async def test_are_not_shown_when_they_are_wrong(self, ledger):
        await ledger.gateway.admin.mutate(INTEGRATION, key="ledger", connectorKey="ledger")
        for credentials in ({"token": [TOKEN]}, {"tokem": TOKEN}, {"token": {"value": TOKEN}}):
            refusal = await ledger.acme.refusal(
                CONNECT, integrationKey="ledger", parameters={"server": ledger.app.url}, authMethod="token", credentials=credentials
            )
            assert (refusal[0], refusal[2]) == ("INVALID", ["input", "credentials"])
        assert ledger.app.requests == []


class TestValuesThatAreOddButRight:
    async def test_integers_of_any_size_are_exact(self, ledger):
        connection = await ledger.connect()
        numbers = [2**53 + 1, 2**64 + 1, 10**40, -(10**40), 2**63]
        ledger.app.answer(json={"items": [{"id": number, "value": number} for number in numbers]})

        answer = await ledger.read(connection)

        nodes = answer.data["connection"]["collection"]["records"]["nodes"]
        assert [(node["externalId"], node["fields"]["value"]) for node in nodes] == [(str(number), number) for number in numbers]

    async def test_what_json_cannot_carry_does_not_break_the_page(self, ledger):
        connection = await ledger.connect()
        body = b'{"items": [{"id": "a\\ud800", "x": NaN}, {"id": "b", "x": -Infinity}, {"id": "c", "x": "\xff"}]}'
        ledger.app.answer(Answer(headers={"Content-Type": "application/json"}, body=body))

        answer = await ledger.read(connection)

        nodes = answer.data["connection"]["collection"]["records"]["nodes"]
        assert [(node["externalId"], node["fields"]["x"]) for node in nodes] == [("a�", None), ("b", None), ("c", "�")]
        assert answer.errors == []
