"""The webhooks of the demo's external app, taken as its connector file says: real ones, sent to a real server."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from gateway.clock import SystemClock
from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import Http
from gateway.connectors.loading import load_connector_file
from gateway.connectors.protocol import Access
from gateway.demo.app import create_app
from gateway.demo.hosting import hosted
from gateway.demo.webhooks import LIFE
from gateway.errors import UpstreamRejectedError, WebhookRefusedError
from gateway.models import Pointer, WebhookDelivery, WebhookTarget
from gateway.testing import Answer, ScriptedApp
from tests.demo.conftest import KEY

FILE = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "demo.yaml"
TASKS, PROJECTS, USERS = Pointer("tasks"), Pointer("projects"), Pointer("users")
NARROW = Pointer("tasks", {"projectId": 1})
SECRET = "s3cret" * 10
HEADERS = {"X-Api-Key": KEY}


@pytest.fixture
def lost_of() -> int:
    """None of the first so many is lost."""
    return 1000


@pytest.fixture
async def address(workplace, lost_of) -> AsyncIterator[str]:
    app = create_app(workplace, key=KEY, now=SystemClock().now, seconds_between_changes=None, lost_of=lost_of)
    async with hosted(app) as address:
        yield address


@pytest.fixture
def access(address) -> Access:
    return Access(connection_id="c", parameters={"server": address}, auth_method="token", credentials={"token": KEY})


@pytest.fixture
async def connector() -> AsyncIterator[DeclarativeConnector]:
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    yield DeclarativeConnector(load_connector_file(FILE), http)
    await http.aclose()


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedApp]:
    """Stands where the gateway would, and takes everything."""
    async with ScriptedApp() as server:
        server.answer_with(lambda request: Answer())
        yield server


@pytest.fixture
def target(gateway) -> WebhookTarget:
    return WebhookTarget(url=f"{gateway.url}/webhooks/token", secret=SECRET)


async def received(gateway: ScriptedApp, count: int) -> list[WebhookDelivery]:
    """What came in, once it is so much."""
    async with asyncio.timeout(20):
        while len(gateway.requests) < count:  # noqa: ASYNC110 - what is waited for comes over the network.
            await asyncio.sleep(0.01)
    now = SystemClock().now()
    return [WebhookDelivery(headers=request.headers, query={}, body=request.body, received_at=now) for request in gateway.requests]


async def test_what_happens_to_tasks_is_told_as_the_connector_expects_it(workplace, connector, access, gateway, target):
    await connector.register_webhook(access, TASKS, target)
    made = (await connector.create(access, TASKS, {"title": "A", "projectId": 1})).record
    changed = (await connector.update(access, TASKS, made.external_id, {"status": "done"})).record
    await connector.delete(access, TASKS, made.external_id)

    readings = [connector.read_webhook(access, TASKS, target, each) for each in await received(gateway, 3)]

    hints = [hint for reading in readings for hint in reading.hints]
    assert [(hint.type.value, hint.external_id, hint.record) for hint in hints] == [
        ("CREATED", made.external_id, made),
        ("UPDATED", made.external_id, changed),
        ("DELETED", made.external_id, None),
    ]
    assert len({reading.dedupe_key for reading in readings}) == 3


async def test_of_people_and_of_narrowed_places_only_ids_are_taken(workplace, connector, access, gateway, target):
    await connector.register_webhook(access, USERS, target)
    await connector.update(access, USERS, "2", {"title": "Analyst"})
    [of_user] = await received(gateway, 1)
    await connector.register_webhook(access, NARROW, target)
    await connector.update(access, TASKS, "101", {"status": "done"})
    of_task = (await received(gateway, 2))[1]

    for pointer, delivery, external_id in ((USERS, of_user, "2"), (NARROW, of_task, "101")):
        [hint] = connector.read_webhook(access, pointer, target, delivery).hints
        assert (hint.external_id, hint.record) == (external_id, None)


async def test_a_delivery_that_was_changed_or_kept_is_refused(connector, access, gateway, target):
    await connector.register_webhook(access, TASKS, target)
    await connector.update(access, TASKS, "101", {"status": "done"})
    [delivery] = await received(gateway, 1)

    later = delivery.received_at + timedelta(seconds=400)
    for forged in (replace(delivery, body=delivery.body + b" "), replace(delivery, received_at=later), replace(delivery, headers={})):
        with pytest.raises(WebhookRefusedError):
            connector.read_webhook(access, TASKS, target, forged)
    with pytest.raises(WebhookRefusedError):
        connector.read_webhook(access, TASKS, replace(target, secret="another"), delivery)


class TestLosing:
    @pytest.fixture
    def lost_of(self) -> int:
        return 3

    async def test_one_of_so_many_is_never_sent(self, workplace, connector, access, gateway, target):
        await connector.register_webhook(access, TASKS, target)
        for number in range(101, 110):
            await connector.update(access, TASKS, str(number), {"status": "done"})

        told = [connector.read_webhook(access, TASKS, target, each).hints[0].external_id for each in await received(gateway, 6)]

        assert told == ["101", "102", "104", "105", "107", "108"]


async def test_a_delivery_that_fails_is_sent_again_as_it_was(connector, access, gateway, target):
    gateway.answer(status=500)
    await connector.register_webhook(access, TASKS, target)
    await connector.update(access, TASKS, "101", {"status": "done"})

    first, second = await received(gateway, 2)

    assert (first.body, first.headers["x-demo-delivery"]) == (second.body, second.headers["x-demo-delivery"])


async def test_an_address_that_is_gone_is_sent_to_no_more(connector, access, gateway, target):
    gateway.answer(status=404)
    registration = await connector.register_webhook(access, TASKS, target)
    await connector.update(access, TASKS, "101", {"status": "done"})
    await received(gateway, 1)
    async with asyncio.timeout(20):
        while True:
            if (await _renewed(access, registration.state["id"])) == 404:
                break
            await asyncio.sleep(0.01)

    assert (await connector.renew_webhook(access, TASKS, target, registration.state)).state != registration.state


async def test_it_is_registered_once_renewed_and_removed(connector, access, gateway, target):
    first = await connector.register_webhook(access, TASKS, target)
    again = await connector.register_webhook(access, TASKS, target)
    renewed = await connector.renew_webhook(access, TASKS, target, first.state)
    assert first.state == again.state == renewed.state
    assert timedelta(0) <= first.expires_at - SystemClock().now() + timedelta(minutes=1) <= LIFE + timedelta(minutes=1)

    await connector.remove_webhook(access, TASKS, target, first.state)
    await connector.remove_webhook(access, TASKS, target, first.state)
    await connector.update(access, TASKS, "101", {"status": "done"})

    assert await _renewed(access, first.state["id"]) == 404
    assert gateway.requests == []


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "text",
        {},
        {"url": "ftp://x", "secret": SECRET, "collection": "tasks"},
        {"url": 5, "secret": SECRET, "collection": "tasks"},
        {"url": "http://x/" + "y" * 2000, "secret": SECRET, "collection": "tasks"},
        {"url": "http://x", "secret": "short", "collection": "tasks"},
        {"url": "http://x", "secret": "line\nbreak" * 3, "collection": "tasks"},
        {"url": "http://x", "secret": SECRET, "collection": "secrets"},
        {"url": "http://x", "secret": SECRET, "collection": ["tasks"]},
    ],
)
async def test_a_webhook_that_is_none_is_refused(address, given):
    async with httpx.AsyncClient(base_url=address, headers=HEADERS, trust_env=False) as http:
        answer = await http.post("/webhooks", json=given)

    assert answer.status_code in (400, 422)


async def test_nobody_without_the_key_registers_anything(address, access, connector, target):
    async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
        given = {"url": target.url, "secret": SECRET, "collection": "tasks"}
        assert (await http.post("/webhooks", json=given)).status_code == 401
        assert (await http.delete("/webhooks/1")).status_code == 401


@pytest.mark.parametrize("number", ["0", "1", "x", "9" * 5000, "%00"])
async def test_a_webhook_that_is_not_there_is_not_found(address, number):
    async with httpx.AsyncClient(base_url=address, headers=HEADERS, trust_env=False) as http:
        answers = [await http.delete(f"/webhooks/{number}"), await http.post(f"/webhooks/{number}/renew")]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_the_app_refuses_a_secret_that_it_could_not_send(connector, access, target):
    with pytest.raises(UpstreamRejectedError, match="The webhook is not valid"):
        await connector.register_webhook(access, TASKS, replace(target, secret="short"))


async def _renewed(access: Access, number: int) -> int:
    async with httpx.AsyncClient(base_url=access.parameters["server"], headers=HEADERS, trust_env=False) as http:
        return (await http.post(f"/webhooks/{number}/renew")).status_code
