"""Apps that fail in every way, behind the whole gateway: each has its exact answer, and the rest of the answer survives."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from gateway.testing import Answer, Drip, Drop, EndlessBody, FakeClock, Garbage, Hang, ScriptedApp, gzip_bomb
from tests.support.gateway_client import GatewayClient, GatewayUnderTest
from tests.upstreams import ledger
from tests.upstreams.ledger import RECORDS_AT, SECRETS, items, paged, read, surviving
from tests.upstreams.operations import PLACES, SPEC, connect, state_of

READY = {"state": "READY", "errors": []}
MAX_BYTES = 200_000
ALL_SECRETS = " ".join(SECRETS)
HTML = Answer(headers={"Content-Type": "text/html; charset=utf-8"}, body=f"<html><body>{ALL_SECRETS}</body></html>")

Connect = Callable[..., Awaitable[str]]


@pytest.fixture
async def gateway(open_gateway, tmp_path, log: io.StringIO) -> AsyncIterator[GatewayUnderTest]:
    """A gateway with the ledger's connector; whatever the test does, it tells no secret."""
    files = [ledger.connector_file(tmp_path)]
    async with open_gateway(connector_files=files, upstream_max_response_bytes=MAX_BYTES) as gateway:
        with ledger.no_secret_in(gateway.heard, log):
            yield gateway


@pytest.fixture
def acme(gateway: GatewayUnderTest) -> GatewayClient:
    return gateway.customer()


@pytest.fixture
def connected(gateway: GatewayUnderTest, app: ScriptedApp) -> Connect:
    """Connects Acme to the app, and forgets what the app was asked meanwhile."""

    async def connected(method: str = "token") -> str:
        app.answer(json={"user": "me"})
        connection = await connect(
            gateway, "ledger", parameters={"server": app.url}, authMethod=method, credentials=ledger.credentials_of(method)
        )
        app.requests.clear()
        return connection

    return connected


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
        pytest.param(
            Answer(json={"items": [TOKEN := ledger.TOKEN]}), RESPONSE, "Record 1 of the page is a text, not an object.", 1, id="text"
        ),
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
            Answer(status=422, json={"error": f"You sent {ALL_SECRETS}"}),
            REJECTED,
            f"Ledger refused the request (422): You sent {' '.join(['[redacted]'] * len(SECRETS))}.",
            1,
            id="repeats the secrets",
        ),
        pytest.param(
            Answer(status=302, headers={"Location": "/entries"}),
            RESPONSE,
            "Ledger redirects more than 5 times. Check the address in the connection.",
            6,
            id="redirects in a circle",
        ),
    ],
)
async def test_a_fault_fails_the_records_alone(connected, acme, app, fault, code, message, requests):
    connection = await connected()
    app.answer_with(lambda request: fault)

    answer = await read(acme, connection)

    assert answer.status == 200
    assert answer.data == surviving()
    assert answer.error == (code, message, RECORDS_AT)
    assert len(app.requests) == requests
    assert await state_of(acme, connection) == READY

    app.answer_with(paged(2))
    well = await read(acme, connection)
    assert well.errors == []
    assert [node["externalId"] for node in well.data["connection"]["collection"]["records"]["nodes"]] == ["0", "1"]
