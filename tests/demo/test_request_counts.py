"""What records cost the app that they come from: each request that reached it is counted there."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.config import Settings
from gateway.demo.app import create_app
from gateway.demo.hosting import hosted
from gateway.demo.seed import CUSTOMER_ID, seed
from gateway.demo.workplace import PROJECT_NAMES, Workplace
from gateway.runtime import open_runtime
from gateway.testing import FakeClock
from tests.demo.conftest import KEY, NOW
from tests.support.gateway_client import GatewayClient, GatewayUnderTest, serving

GRAPH = """
{ connection(by: {integrationKey: "demo"}) { collection(key: "tasks") { records(first: 100) { nodes {
  unified { ... on UnifiedTask { subject assignee { fullName } project { name } } } } } } } }
"""
DEEPER = """
{ connection(by: {integrationKey: "demo"}) { collection(key: "tasks") { records(first: 100) { nodes {
  reference(field: "assigneeId") { name }
  unified { ... on UnifiedTask { assignee { fullName } followers { fullName } createdByUser { fullName } project { owner { fullName } } } }
} } } } }
"""
USERS = '{ connection(by: {integrationKey: "demo"}) { collection(key: "users") { records(first: 100) { nodes { externalId name } } } } }'
RENAME = """
mutation ($name: String!) { recordUpdate(input: {in: {collection: {connection: {integrationKey: "demo"}, key: "users"}},
  externalId: "1", values: {fields: {name: $name}}}) { record { name } userErrors { message } } }
"""


@dataclass
class Counted:
    """An app that notes what it is asked, and how it answers."""

    app: ASGIApp
    answers: list[tuple[str, int]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    """It keeps everybody waiting while this is not set."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self.may_answer.wait()
                self.answers.append((f"{scope['method']} {scope['path']}", message["status"]))
            await send(message)

        await self.app(scope, receive, noted if scope["type"] == "http" else send)

    def taken(self) -> dict[tuple[str, int], int]:
        """How often each request was answered since the last time, by request and status."""
        counts = Counter(self.answers)
        self.answers.clear()
        return dict(counts)


@pytest.fixture
def app() -> Counted:
    app = Counted(create_app(Workplace(), key=KEY, now=lambda: NOW, seconds_between_changes=None))
    app.may_answer.set()
    return app


@pytest.fixture
async def gateway(app: Counted, sqlite_url: str) -> AsyncIterator[GatewayUnderTest]:
    """The gateway in front of the app, as the demo seeds it."""
    settings = Settings(
        database_url=sqlite_url,
        token_secret="a-secret-of-more-than-32-bytes-for-tests",
        encryption_keys="test:" + base64.b64encode(b"k" * 32).decode(),
        allowed_networks="127.0.0.0/8",
    )
    async with hosted(app) as address, open_runtime(settings, clock=FakeClock()) as runtime:
        await seed(runtime, app_url=address, app_key=KEY)
        app.taken()
        async with serving(runtime) as gateway:
            yield gateway


@pytest.fixture
def acme(gateway: GatewayUnderTest) -> GatewayClient:
    return gateway.customer(CUSTOMER_ID)


async def test_a_hundred_tasks_with_assignee_and_project_cost_three_requests(app: Counted, acme: GatewayClient):
    nodes = _nodes(await acme.execute(GRAPH))

    assert len(nodes) == 100
    assert {node["unified"]["project"]["name"] for node in nodes} == set(PROJECT_NAMES)
    assert app.taken() == {("GET /tasks", 200): 1, ("GET /users", 200): 1, ("GET /projects", 200): 1}


async def test_however_many_fields_name_users_they_are_asked_for_together(app: Counted, acme: GatewayClient):
    nodes = _nodes(await acme.execute(DEEPER))

    # The owners of the projects are known only once the projects are there; one of them does nothing else.
    assert len(nodes) == 100
    assert app.taken() == {("GET /tasks", 200): 1, ("GET /projects", 200): 1, ("GET /users", 200): 1, ("GET /users/11", 200): 1}


async def test_fifty_identical_queries_at_once_cost_one_request(app: Counted, acme: GatewayClient):
    app.may_answer.clear()
    asking = [asyncio.create_task(acme.execute(USERS)) for _ in range(50)]
    await _nobody_has_anything_to_do()
    app.may_answer.set()
    answers = await asyncio.gather(*asking)

    assert [len(_nodes(answer)) for answer in answers] == [24] * 50
    assert app.taken() == {("GET /users", 200): 1}


async def test_an_unchanged_list_is_confirmed_and_not_sent_again(app: Counted, acme: GatewayClient):
    first = await acme.execute(USERS)
    again = [await acme.execute(USERS) for _ in range(3)]

    assert again == [first] * 3
    assert app.taken() == {("GET /users", 200): 1, ("GET /users", 304): 3}


async def test_a_list_that_changed_is_sent_again(app: Counted, acme: GatewayClient):
    before = _nodes(await acme.execute(USERS))
    await acme.execute(RENAME, name="Ada Newname")
    app.taken()
    after = _nodes(await acme.execute(USERS))

    assert (before[0]["name"], after[0]["name"]) == ("Ada Almeida", "Ada Newname")
    assert app.taken() == {("GET /users", 200): 1}


async def test_a_read_after_a_write_shows_it_whatever_is_under_way(app: Counted, acme: GatewayClient):
    async def rename_and_read(number: int) -> tuple[str, str]:
        await acme.execute(RENAME, name=f"Name {number}")
        return f"Name {number}", _nodes(await acme.execute(USERS))[0]["name"]

    readers = [asyncio.create_task(acme.execute(USERS)) for _ in range(5)]
    seen = [await rename_and_read(number) for number in range(5)]
    await asyncio.gather(*readers)

    assert [read for _, read in seen] == [written for written, _ in seen]


async def _nobody_has_anything_to_do() -> None:
    """Returns once the process has hardly worked for half a second: whoever asks for something waits for an answer."""
    quiet = 0
    while quiet < 10:
        before = time.process_time()
        await asyncio.sleep(0.05)
        quiet = quiet + 1 if time.process_time() - before < 0.005 else 0


def _nodes(data: Any) -> list[dict[str, Any]]:
    return data["connection"]["collection"]["records"]["nodes"]
