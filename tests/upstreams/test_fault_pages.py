"""Lists that an app breaks, turns in circles or leads elsewhere: an error, never a short page and never a loop."""

import base64
from urllib.parse import quote

import pytest

from gateway.testing import Answer, Drop, ScriptedApp
from tests.upstreams.ledger import PASSWORD, RECORDS_AT, TOKEN, items, paged, secrets_in, surviving
from tests.upstreams.operations import PLACES

UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
RESPONSE = "UPSTREAM_RESPONSE"
READY = {"state": "READY", "errors": []}


@pytest.fixture
async def elsewhere():
    """An app on another port, which is another host to credentials. It answers well, if it is asked."""
    async with ScriptedApp() as app:
        app.answer_with(lambda request: items("stolen"))
        yield app


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (Answer(status=500), UNAVAILABLE, "Ledger failed (500). Try again later."),
        (Drop(), UNAVAILABLE, "The connection to the app was lost before it answered."),
        (Answer(status=404), "UPSTREAM_REJECTED", "Ledger says that there is no such thing (404)."),
        (Answer(body='{"items": [', content_length=100), UNAVAILABLE, "The app's answer broke off before its end."),
        (items(20, 21, None), RESPONSE, "Record 3 of the page has no id: '${record.id}' gives null."),
        (Answer(json={"next": None}), RESPONSE, "The app's answer holds null where '${body.items}' of its connector expects a list."),
    ],
)
async def test_an_error_on_a_later_page_is_an_error_and_no_short_page(ledger, fault, code, message):
    connection = await ledger.connect()
    ledger.app.answer_with(paged(60, broken={2: fault}))

    whole = await ledger.read(connection, first=60)
    start = await ledger.read(connection, first=20)
    after = start.data["connection"]["collection"]["records"]["pageInfo"]["endCursor"]
    rest = await ledger.read(connection, first=20, after=after)
    ledger.app.answer_with(paged(60))
    well = await ledger.entries(connection, first=1000, after=after)

    assert whole.data == surviving()
    assert whole.error == (code, message, RECORDS_AT)
    assert len(start.data["connection"]["collection"]["records"]["nodes"]) == 20
    assert rest.data == surviving()
    assert rest.error == (code, message, RECORDS_AT)
    assert well == [str(number) for number in range(20, 60)]


async def test_an_error_on_a_later_page_of_places_is_an_error_too(ledger):
    connection = await ledger.connect()

    def books(request):
        page = int(request.query.get("page", "1"))
        held = [{"id": f"b{page}-{number}", "name": f"Book {number}"} for number in range(20)]
        return Answer(json={"items": held, "next": f"/books?page={page + 1}"}) if page < 3 else Answer(status=500)

    ledger.app.answer_with(books)

    # The two collections that the connector's file names come before the books.
    start = await ledger.acme.execute(PLACES, id=connection, path="/", first=42)
    whole = await ledger.acme.ask(PLACES, id=connection, path="/", first=43)

    assert len(start["connection"]["location"]["page"]["nodes"]) == 42
    assert whole.data == {"connection": {"location": {"page": None}}}
    assert whole.error == (UNAVAILABLE, "Ledger failed (500). Try again later.", ["connection", "location", "page"])


async def test_a_page_that_fails_once_is_asked_again(ledger, clock):
    connection = await ledger.connect()
    failed = Answer(status=500)
    ledger.app.answer(items(*range(20), next="/entries?page=2"), failed, Drop())
    ledger.app.answer_with(paged(60))

    assert await ledger.entries(connection, first=60) == [str(number) for number in range(60)]
    assert [request.query.get("page") for request in ledger.app.requests] == [None, "2", "2", "2", "3"]
    assert len(clock.sleeps) == 2
    assert 0 <= clock.sleeps[0] <= 0.5
    assert 0 <= clock.sleeps[1] <= 1


async def test_a_page_that_comes_again_is_an_error(ledger):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: items(*range(20)))
    message = "The app gives a page again (page 2): its pages would never end. The connector may need another `stop`."

    answer = await ledger.read(connection, key="accounts", first=1000)
    start = await ledger.read(connection, key="accounts", first=20)
    after = start.data["connection"]["collection"]["records"]["pageInfo"]["endCursor"]
    following = await ledger.read(connection, key="accounts", first=20, after=after)

    assert answer.data == surviving(key="accounts")
    assert answer.error == (RESPONSE, message, RECORDS_AT)
    assert following.data == surviving(key="accounts")
    assert following.error == (RESPONSE, message, RECORDS_AT)
    assert len(ledger.app.requests) == 4


async def test_pages_in_a_circle_are_an_error(ledger):
    connection = await ledger.connect()

    def circle(request):
        page = int(request.query.get("page", "0"))
        return items(page, next=f"/entries?page={(page + 1) % 5}")

    ledger.app.answer_with(circle)

    answer = await ledger.read(connection, first=1000)

    assert answer.data == surviving()
    code, message, path = answer.error
    assert (code, path) == (RESPONSE, RECORDS_AT)
    assert message.startswith("The app gives a page again (page ")
    assert len(ledger.app.requests) <= 20


async def test_a_page_that_follows_itself_is_an_error(ledger):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: items(len(ledger.app.requests), next="/entries?page=2"))

    answer = await ledger.read(connection, first=1000)

    assert answer.data == surviving()
    assert answer.error == (RESPONSE, "The app names page 2 as the page after itself. Its pages would never end.", RECORDS_AT)
    assert len(ledger.app.requests) == 2


async def test_pages_that_are_too_small_are_told_and_can_be_read_in_steps(ledger):
    connection = await ledger.connect()
    ledger.app.answer_with(paged(150, size=1))

    answer = await ledger.read(connection, first=1000)

    assert answer.data == surviving()
    message = "The app's pages are too small: 100 of them hold fewer than 1000 items. Ask for fewer."
    assert answer.error == ("UPSTREAM_CALLS_EXCEEDED", message, RECORDS_AT)
    assert len(ledger.app.requests) == 100
    assert await ledger.entries(connection, first=50) == [str(number) for number in range(50)]


@pytest.mark.parametrize("method", ["token", "account", "key"])
async def test_a_next_page_on_another_host_is_refused_and_gets_no_request(ledger, elsewhere, method):
    connection = await ledger.connect(method)
    ledger.app.answer_with(lambda request: items(*range(20), next=f"{elsewhere.url}/entries?page=2"))

    for first in (20, 100):
        answer = await ledger.read(connection, first=first)

        assert answer.data == surviving()
        assert answer.error == (
            RESPONSE,
            f"The next page of Ledger leads to another host, '127.0.0.1:{elsewhere.port}'; it is not followed. "
            "Where the host belongs to the app, its connector must name it under http.allowed_hosts.",
            RECORDS_AT,
        )
    assert (elsewhere.requests, elsewhere.connection_count) == ([], 0)
    assert await ledger.state(connection) == READY


@pytest.mark.parametrize(("status", "method"), [(301, "token"), (302, "account"), (303, "token"), (307, "key"), (308, "token")])
async def test_a_redirect_to_another_host_is_refused_and_gets_no_request(ledger, elsewhere, status, method):
    connection = await ledger.connect(method)
    ledger.app.answer_with(lambda request: Answer(status=status, headers={"Location": f"{elsewhere.url}{request.target}"}))

    answer = await ledger.read(connection)

    assert answer.data == surviving()
    assert answer.error == (
        RESPONSE,
        f"A redirect of Ledger leads to another host, '127.0.0.1:{elsewhere.port}'; it is not followed. "
        "Where the host belongs to the app, its connector must name it under http.allowed_hosts.",
        RECORDS_AT,
    )
    assert (elsewhere.requests, elsewhere.connection_count) == ([], 0)


async def test_a_connection_is_not_made_through_a_redirect_to_another_host(ledger, elsewhere):
    connection = await ledger.connect()
    ledger.app.answer_with(lambda request: Answer(status=302, headers={"Location": f"{elsewhere.url}/me"}))
    document = "mutation ($id: ID!) { connectionTest(input: { by: { id: $id } }) { isAccepted connection { state } } }"

    answer = await ledger.acme.ask(document, id=connection)

    assert answer.data == {"connectionTest": None}
    assert answer.error[0] == RESPONSE
    assert elsewhere.requests == []
    assert await ledger.state(connection) == READY


async def test_a_redirect_within_the_app_is_followed_with_credentials(ledger):
    connection = await ledger.connect()
    ledger.app.answer(Answer(status=302, headers={"Location": "/v2/entries?limit=20"}), items("1"))

    assert await ledger.entries(connection) == ["1"]
    assert [request.target for request in ledger.app.requests] == ["/entries?limit=20", "/v2/entries?limit=20"]
    assert {request.headers["authorization"] for request in ledger.app.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(("method", "secret"), [("token", TOKEN), ("key", TOKEN), ("account", PASSWORD)])
async def test_a_cursor_holds_no_secret_that_a_next_address_repeats(ledger, method, secret):
    connection = await ledger.connect(method)
    following = f"{ledger.app.url}/entries?page=2&key={quote(secret, safe='')}"
    ledger.app.answer_with(lambda request: items(2) if "page" in request.query else items(1, next=following))

    start = await ledger.read(connection, first=1)
    after = start.data["connection"]["collection"]["records"]["pageInfo"]["endCursor"]

    assert await ledger.entries(connection, first=1, after=after) == ["2"]
    assert ledger.app.requests[-1].query["key"] == secret
    assert secrets_in(base64.urlsafe_b64decode(after + "==").decode("utf-8", "replace")) == []
