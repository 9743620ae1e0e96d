"""What a product learns of changes, end to end: others change a real app, a listener is cut off and resumes, and both are compared."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.clock import SystemClock
from gateway.demo import app as demo_app
from gateway.demo.hosting import hosted
from gateway.demo.workplace import Workplace
from tests.e2e.actors import Actor, App, DemoApp, KintoApp, PocketBaseApp
from tests.e2e.gateway import SUBSCRIBE, RunningGateway, running_gateway, until
from tests.e2e.listener import Listener
from tests.e2e.truth import Ledger, State, replayed, require_order
from tests.support.kinto import ADMIN, running_kinto
from tests.support.pocketbase import SUPERUSER, running_pocketbase
from tests.upstreams.operations import CREATE_INSTANCE, DATA_SOURCE, POINT, connect, kinto_inputs, pocketbase_inputs

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("e2e")]

CHANGES = 500
START = 60
"""Records that are there before anybody listens."""
READY_SECONDS = 60
INSTANCE = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { eventsCursor latestSyncRun { conclusion }
  records(first: 1000) { nodes { externalId fields } } } }"""


@dataclass(frozen=True)
class Followed:
    """An instance whose changes are to be followed."""

    gateway: RunningGateway
    instance: str
    app: App

    def events(self, nodes: list[dict[str, Any]]) -> list[tuple[str, str, State]]:
        """What events say, as the ledger writes it."""
        return [
            (node["type"], node["externalId"], self.app.number_of(node["record"]["fields"]) if node["type"] != "DELETED" else None)
            for node in nodes
        ]


async def instance_of(gateway: RunningGateway, connection: str, *, collection: str, parameters: dict[str, Any]) -> str:
    """An instance that points at a collection, and is synced as often as may be."""
    await gateway.admin.mutate(DATA_SOURCE, key="things", pullUpdatesIntervalSeconds=1, fullSyncIntervalSeconds=2)
    acme = gateway.customer()
    made = await acme.mutate(CREATE_INSTANCE, connection={"id": connection}, dataSource={"key": "things"})
    instance = str(made["dataSourceInstance"]["id"])
    pointer = {"collection": {"key": collection, "parameters": parameters}}
    await acme.mutate(POINT, by={"id": instance}, pointer=pointer)
    return instance


async def follow_at_random(followed: Followed, *, seed: int) -> list[str]:
    """Changes the app while somebody listens and is cut off; afterwards all that was received must equal the truth. Gives the methods."""
    chance = random.Random(seed)
    start = await followed.app.content()
    ledger = Ledger.starting_with(start)
    listener = Listener(followed.gateway.socket_url, followed.gateway.token(), followed.instance, random.Random(seed + 1))
    listening = asyncio.create_task(listener.listen(seconds_connected=(0.2, 2)))
    try:
        async with asyncio.timeout(READY_SECONDS):
            await listener.is_ready.wait()
        first = listener.cursor
        await Actor(followed.app, ledger, chance).act(CHANGES, pause=0.01)
        assert await followed.app.content() == ledger.content()

        async def tells_the_truth() -> bool:
            assert not listening.done(), listening.exception()
            with contextlib.suppress(AssertionError):
                return replayed(start, followed.events(listener.events)) == ledger.content()
            return False

        await until(tells_the_truth)
        # Whatever is still under way must not say it once more.
        await asyncio.sleep(3)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening

    events = followed.events(listener.events)
    assert replayed(start, events) == ledger.content()
    require_order(ledger, events)
    assert len({node["cursor"] for node in listener.events}) == len(listener.events)
    assert listener.connections > 5
    assert listener.events == (await followed.gateway.history(followed.instance, after=first))[: len(listener.events)]
    return [node["method"] for node in listener.events]


@asynccontextmanager
async def kinto_followed(url: str, folder: Path) -> AsyncIterator[Followed]:
    with running_kinto(folder) as kinto:
        path = "/v1/buckets/crm/collections/companies/records"
        async with running_gateway(url) as gateway, httpx.AsyncClient(base_url=kinto.server, auth=ADMIN, trust_env=False) as http:
            app = KintoApp(http, path)
            for record in (await http.get(path)).json()["data"]:
                await app.delete(record["id"])
            for number in range(START):
                await app.create(number)
            connection = await connect(gateway, "kinto", **kinto_inputs(kinto.server, ADMIN))
            place = {"bucket": "crm", "collection": "companies"}
            yield Followed(gateway, await instance_of(gateway, connection, collection="records", parameters=place), app)


@asynccontextmanager
async def pocketbase_followed(url: str, folder: Path) -> AsyncIterator[Followed]:
    with running_pocketbase(folder) as pocketbase, pocketbase.client() as superuser:
        headers = {"Authorization": superuser.headers["Authorization"]}
        async with (
            running_gateway(url) as gateway,
            httpx.AsyncClient(base_url=f"{pocketbase.server}/api", headers=headers, trust_env=False) as http,
        ):
            app = PocketBaseApp(http, "/collections/ledger/records")
            fields = [
                {"name": "number", "type": "number"},
                {"name": "created", "type": "autodate", "onCreate": True},
                {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
            ]
            (await http.post("/collections", json={"name": "ledger", "type": "base", "fields": fields})).raise_for_status()
            for number in range(1, START):
                await app.create(number)
            connection = await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, SUPERUSER, users="_superusers"))
            yield Followed(gateway, await instance_of(gateway, connection, collection="records", parameters={"collection": "ledger"}), app)


@asynccontextmanager
async def demo_followed(url: str, folder: Path) -> AsyncIterator[Followed]:
    app = demo_app.create_app(Workplace(), key="demo-key", now=SystemClock().now, seconds_between_changes=None)
    async with (
        hosted(app) as address,
        running_gateway(url) as gateway,
        httpx.AsyncClient(base_url=address, headers={"Authorization": "Bearer demo-key"}, trust_env=False) as http,
    ):
        connection = await connect(gateway, "demo", parameters={"server": address}, authMethod="token", credentials={"token": "demo-key"})
        yield Followed(gateway, await instance_of(gateway, connection, collection="tasks", parameters={}), DemoApp(http))


APPS: dict[str, tuple[Callable[..., contextlib.AbstractAsyncContextManager[Followed]], set[str]]] = {
    "kinto": (kinto_followed, {"DELTA"}),
    "pocketbase": (pocketbase_followed, {"PULL", "FULL_SCAN"}),
    "demo": (demo_followed, {"WEBHOOK", "PULL"}),
}
"""How each app is followed, and by which methods its changes are learned of."""


@pytest.mark.parametrize("name", APPS)
async def test_what_a_listener_receives_who_is_cut_off_and_resumes_equals_what_happened(sqlite_url, tmp_path, name):
    followed_app, methods = APPS[name]

    async with followed_app(sqlite_url, tmp_path) as followed:
        learned_by = await follow_at_random(followed, seed=7)

    assert set(learned_by) >= methods


async def test_nothing_is_missed_between_reading_the_records_and_listening(sqlite_url, tmp_path):
    async with kinto_followed(sqlite_url, tmp_path) as followed:
        acme = followed.gateway.customer()
        await acme.mutate(SUBSCRIBE, by={"id": followed.instance})
        ledger = Ledger.starting_with(await followed.app.content())
        # What is created, read and deleted between two looks is never told: who read it keeps it.
        actor = Actor(followed.app, ledger, random.Random(3), spares_new=True)
        acting = asyncio.create_task(actor.act(100, pause=0.03))

        async def is_in_sync() -> bool:
            run = (await acme.execute(INSTANCE, id=followed.instance))["dataSourceInstance"]["latestSyncRun"]
            return run is not None and run["conclusion"] == "SUCCESS"

        await until(is_in_sync)
        # As a client does: the cursor first, then the records, then all that is told after the cursor.
        cursor = (await acme.execute(INSTANCE, id=followed.instance))["dataSourceInstance"]["eventsCursor"]
        read = (await acme.execute(INSTANCE, id=followed.instance))["dataSourceInstance"]["records"]["nodes"]
        known = {node["externalId"]: followed.app.number_of(node["fields"]) for node in read}
        await acting

        async def is_told() -> bool:
            now = dict(known)
            for kind, record, state in followed.events(await followed.gateway.history(followed.instance, after=cursor)):
                now.pop(record, None) if kind == "DELETED" else now.update({record: state})
            return now == ledger.content()

        await until(is_told)
