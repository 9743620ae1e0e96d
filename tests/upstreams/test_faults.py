"""Apps that fail in every way, behind the whole gateway: each has its exact answer, and the rest of the answer survives."""

import asyncio
from dataclasses import replace

import pytest

from gateway.testing import Answer, Drip, Drop, EndlessBody, Garbage, Hang, ScriptedApp, gzip_bomb
from tests.upstreams.ledger import ALL_SECRETS, RECORDS_AT, TOKEN, items, paged, surviving
from tests.upstreams.operations import CONNECT, INTEGRATION

READY = {"state": "READY", "errors": []}
MAX_BYTES = 200_000
HTML = Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=f"<html><body>{ALL_SECRETS}</body></html>")


UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
RESPONSE = "UPSTREAM_RESPONSE"
REJECTED = "UPSTREAM_REJECTED"
THRICE = 3
"""Requests where the connector says to try that often."""


@pytest.mark.parametrize(
    ("fault", "code", "message", "requests"),
    [
        pytest.param(Drop(), UNAVAILABLE, "The connection to the app was lost before it answered.", THRICE, id="drops"),
        pytest.param(Drop(resets=True), UNAVAILABLE, "The connection to the app was lost before it answered.", THRICE, id="resets"),
        pytest.param(Hang(), UNAVAILABLE, "The app did not answer within 0.5 seconds.", THRICE, id="hangs"),
        pytest.param(
            Drip(body=b" " * 100, pause_seconds=0.1), UNAVAILABLE, "The app did not answer within 0.5 seconds.", THRICE, id="drips"
        ),
        pytest.param(
            HTML,
            RESPONSE,
            "Ledger answered text/html where JSON was expected. Check the address of the app in the connection.",
            1,
            id="html",
        ),
        pytest.param(
            Answer(body=f"<html>{ALL_SECRETS}</html>"),
            RESPONSE,
            "Ledger answered what is no JSON: The app's answer is not JSON; it looks like a page of HTML or XML.",
            1,
            id="html that is not named so",
        ),
        pytest.param(
            EndlessBody(), RESPONSE, f"The app's answer is larger than the {MAX_BYTES} bytes that the gateway reads.", 1, id="endless"
        ),
        pytest.param(
            EndlessBody(is_chunked=False),
            RESPONSE,
            f"The app's answer is larger than the {MAX_BYTES} bytes that the gateway reads.",
            1,
            id="ten gigabytes",
        ),
        pytest.param(
            gzip_bomb(size=50_000_000),
            RESPONSE,
            f"The app's answer is larger than the {MAX_BYTES} bytes that the gateway reads.",
            1,
            id="gzip bomb",
        ),
        pytest.param(
            Answer(headers={"Content-Encoding": "gzip"}, body=ALL_SECRETS),
            RESPONSE,
            "The app's answer says that it is encoded with gzip, and is not, or breaks off.",
            1,
            id="no gzip",
        ),
        pytest.param(
            Answer(headers={"Content-Encoding": "br"}, body=ALL_SECRETS),
            RESPONSE,
            "The app's answer is encoded with 'br'. The gateway reads one of gzip and deflate.",
            1,
            id="another coding",
        ),
        pytest.param(
            Answer(body='{"items": [', content_length=1000), UNAVAILABLE, "The app's answer broke off before its end.", THRICE, id="half"
        ),
        pytest.param(
            Garbage(f"{ALL_SECRETS}\r\n\r\n".encode()),
            RESPONSE,
            "The app's answer is not valid HTTP, or its headers are too large to read.",
            1,
            id="no HTTP",
        ),
        pytest.param(
            Answer(headers={"X-Long": "x" * 100_000}, json={"items": []}),
            RESPONSE,
            "The app's answer is not valid HTTP, or its headers are too large to read.",
            1,
            id="long header",
        ),
        pytest.param(
            Answer(headers={"Content-Type": "application/json"}, body=f'{{"items": [{ALL_SECRETS}'),
            RESPONSE,
            "Ledger answered what is no JSON: The app's answer is not JSON.",
            1,
            id="no JSON",
        ),
        pytest.param(
            Answer(body="[" * 100_000),
            RESPONSE,
            "Ledger answered what is no JSON: The app's answer is JSON nested deeper than the 200 levels that the gateway reads.",
            1,
            id="deep JSON",
        ),
        pytest.param(
            Answer(body=""),
            RESPONSE,
            "The app's answer holds null where '${body.items}' of its connector expects a list.",
            1,
            id="empty body",
        ),
        pytest.param(
            Answer(json={"items": {"id": 1}}),
            RESPONSE,
            "The app's answer holds an object where '${body.items}' of its connector expects a list.",
            1,
            id="no list",
        ),
        pytest.param(items("1", None), RESPONSE, "Record 2 of the page has no id: '${record.id}' gives null.", 1, id="no id"),
        pytest.param(Answer(json={"items": [TOKEN]}), RESPONSE, "Record 1 of the page is text, not an object.", 1, id="text"),
        pytest.param(Answer(status=500), UNAVAILABLE, "Ledger failed (500). Try again later.", THRICE, id="500"),
        pytest.param(
            Answer(status=503, json={"error": "in maintenance"}),
            UNAVAILABLE,
            "Ledger failed (503): in maintenance. Try again later.",
            THRICE,
            id="503",
        ),
        pytest.param(Answer(status=400, json={"error": "no"}), REJECTED, "Ledger refused the request (400): no.", 1, id="400"),
        pytest.param(Answer(status=403, body="<b>no</b>"), REJECTED, "Ledger refused the request (403).", 1, id="403"),
        pytest.param(Answer(status=404), REJECTED, "Ledger says that there is no such thing (404).", 1, id="404"),
        pytest.param(Answer(status=304), RESPONSE, "Ledger gave an answer that its connector does not expect (304).", 1, id="304"),
        pytest.param(
            Answer(status=302, headers={"Location": "/entries"}),
            RESPONSE,
            "Ledger redirects more than 5 times. Check the address in the connection.",
            6,
            id="redirects in a circle",
        ),
    ],
)
async def test_a_fault_fails_the_records_alone(ledger, fault, code, message, requests):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: fault)

    answer = await ledger.read(connection)

    assert answer.status == 200
    assert answer.data == surviving()
    assert answer.error == (code, message, RECORDS_AT)
    assert len(ledger.app.requests) == requests
    assert await ledger.state(connection) == READY
    ledger.app.answer_with(paged(2))
    assert await ledger.entries(connection) == ["0", "1"]


async def test_an_app_that_is_down(ledger):
    async with ScriptedApp() as gone:
        connection = await replace(ledger, app=gone).connect()

    answer = await ledger.read(connection)

    assert answer.data == surviving()
    assert answer.error == (UNAVAILABLE, "The app could not be reached: its server does not accept a connection.", RECORDS_AT)
    assert await ledger.state(connection) == READY


@pytest.mark.parametrize("fault", [Hang(), Drip(body=b" " * 100, pause_seconds=0.1), Answer(delay_seconds=5)])
async def test_an_app_that_is_slow_over_all_attempts_ends_at_the_deadline(ledger, open_gateway, fault):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: fault)

    async with open_gateway(connector_files=[ledger.connector], upstream_deadline_seconds=0.3) as impatient:
        answer = await replace(ledger, gateway=impatient).read(connection)

    assert answer.data == surviving()
    assert answer.error == (UNAVAILABLE, "Ledger did not answer within 0.3 seconds. Try again later.", RECORDS_AT)
    assert len(ledger.app.requests) == 1


async def test_an_operation_that_takes_too_long_leaves_nothing_behind_at_the_app(ledger, open_gateway):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: Hang())
    document = """query ($id: ID!) { connection(by: { id: $id }) { name
      entries: collection(key: "entries") { spec { key } records { nodes { externalId } } record(externalId: "1") { id } } } }"""

    async with open_gateway(connector_files=[ledger.connector], operation_timeout_seconds=0.5) as impatient:
        customer = impatient.customer()
        await customer.ask("{ viewer { isAdmin } }")
        before = asyncio.all_tasks()
        answer = await customer.ask(document, id=connection)

        assert [error["extensions"] for error in answer.errors] == [{"code": "TIMEOUT"}]
        # Not even a connection; the app, too, waits for nobody any more.
        async with asyncio.timeout(10):
            await asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True)
        assert asyncio.all_tasks() == before


async def test_everything_that_asks_the_app_fails_alone(ledger):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: items("1") if request.path == "/entries" else Answer(status=500, json={"error": TOKEN}))
    document = """query ($id: ID!) { connection(by: { id: $id }) { name state
      root: location { name ... on Directory { locations { nodes { name } } } }
      book: location(path: "/data/book?book=b1") { name }
      entries: collection(key: "entries") { spec { key } records { nodes { externalId } } }
      accounts: collection(key: "accounts") { spec { key } records { nodes { externalId } } } } }"""

    answer = await ledger.acme.ask(document, id=connection)

    assert answer.data["connection"] == {
        "name": "Ledger",
        "state": "READY",
        "root": {"name": "Ledger", "locations": None},
        "book": None,
        "entries": {"spec": None, "records": {"nodes": [{"externalId": "1"}]}},
        "accounts": {"spec": {"key": "accounts"}, "records": None},
    }
    assert sorted(error["path"][1:] for error in answer.errors) == [
        ["accounts", "records"],
        ["book"],
        ["entries", "spec"],
        ["root", "locations"],
    ]
    assert {error["extensions"]["code"] for error in answer.errors} == {UNAVAILABLE}


PRIVATE = (
    "The app at {!r} is inside a private network, which this gateway may not reach. If that is wanted, its operator"
    " adds the network to GATEWAY_ALLOWED_NETWORKS."
)


async def test_a_private_address_is_refused_where_the_operator_does_not_allow_it(ledger, open_gateway):
    connection = await ledger.connect()
    await ledger.app.drop_connections()

    async with open_gateway(connector_files=[ledger.connector], allowed_networks="10.0.0.0/8") as guarded:
        answer = await replace(ledger, gateway=guarded).read(connection)

    assert answer.data == surviving()
    assert answer.error == (REJECTED, PRIVATE.format("127.0.0.1"), RECORDS_AT)
    assert ledger.app.open_connection_count == 0


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("localhost", PRIVATE.format("localhost")),
        ("0.0.0.0", PRIVATE.format("0.0.0.0")),
        ("[::1]", PRIVATE.format("::1")),
        ("[::ffff:127.0.0.1]", PRIVATE.format("::ffff:127.0.0.1")),
        ("169.254.169.254", PRIVATE.format("169.254.169.254")),
        ("10.0.0.1", PRIVATE.format("10.0.0.1")),
        ("0x7f.1", PRIVATE.format("0x7f.1")),
        ("2130706433", PRIVATE.format("2130706433")),
    ],
)
async def test_nobody_connects_to_a_private_address(ledger, open_gateway, host, message):
    given = {"parameters": {"server": f"http://{host}:{ledger.app.port}"}, "authMethod": "token", "credentials": {"token": TOKEN}}

    async with open_gateway(connector_files=[ledger.connector], allowed_networks="") as guarded:
        await guarded.admin.mutate(INTEGRATION, key="ledger", connectorKey="ledger")
        refusal = await guarded.customer().refusal(CONNECT, integrationKey="ledger", **given)

    assert refusal == (REJECTED, message, None)
    assert ledger.app.connection_count == 0
