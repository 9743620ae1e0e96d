"""A real PocketBase that tells of its changes by the hook that the docs show."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.gateway import SUBSCRIBE, RunningGateway, running_gateway, until
from tests.support.pocketbase import SUPERUSER, PocketBase, running_pocketbase
from tests.upstreams.operations import CREATE_INSTANCE, DATA_SOURCE, POINT, connect, pocketbase_inputs

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("upstreams_pocketbase_webhooks")]

HOOKS = re.findall(r"```js\n// (gateway\S+)\n(.*?)```", (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(), flags=re.DOTALL)
INTEREST = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) {
  latestSyncRun { kind conclusion } subscriptions { type method isRealTime webhookUrl } } }"""


@pytest.fixture
async def gateway(sqlite_url: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(sqlite_url) as gateway:
        yield gateway


async def followed(gateway: RunningGateway, pocketbase: PocketBase) -> str:
    """An instance of the deals, which are looked at once an hour."""
    connection = await connect(gateway, "pocketbase", **pocketbase_inputs(pocketbase.server, SUPERUSER, users="_superusers"))
    await gateway.admin.mutate(DATA_SOURCE, key="things", pullUpdatesIntervalSeconds=3600, fullSyncIntervalSeconds=3600)
    acme = gateway.customer()
    made = await acme.mutate(CREATE_INSTANCE, connection={"id": connection}, dataSource={"key": "things"})
    instance = str(made["dataSourceInstance"]["id"])
    await acme.mutate(POINT, by={"id": instance}, pointer={"collection": {"key": "deals", "parameters": {}}})
    await acme.mutate(SUBSCRIBE, by={"id": instance})
    return instance


async def interest(gateway: RunningGateway, instance: str) -> dict[str, Any]:
    found: dict[str, Any] = (await gateway.customer().execute(INTEREST, id=instance))["dataSourceInstance"]
    return found


async def change(client: httpx.Client, method: str, path: str, **fields: str) -> httpx.Response:
    """PocketBase answers once the gateway has, which runs in this process."""
    return (await asyncio.to_thread(client.request, method, path, json=fields)).raise_for_status()


async def test_the_hook_of_the_docs_tells_of_every_change_at_once(gateway, tmp_path):
    hooks = tmp_path / "hooksDir"
    hooks.mkdir()
    for name, text in HOOKS:
        (hooks / name).write_text(text)
    urls = tmp_path / "gateway-urls.txt"
    urls.write_text("")

    with running_pocketbase(tmp_path) as pocketbase, pocketbase.client() as client:
        instance = await followed(gateway, pocketbase)

        async def has_been_looked_at() -> bool:
            # The first pull follows the first full sync at once, and might tell of a change before the hook does.
            return (await interest(gateway, instance))["latestSyncRun"] == {"kind": "PULL_UPDATES", "conclusion": "SUCCESS"}

        await until(has_been_looked_at)
        told = (await interest(gateway, instance))["subscriptions"]
        [url] = {subscription["webhookUrl"] for subscription in told}
        assert [(each["type"], each["method"], each["isRealTime"]) for each in told] == [
            ("CREATED", "PULL", False),
            ("UPDATED", "PULL", False),
            ("DELETED", "FULL_SCAN", False),
        ]
        urls.write_text(f"{url}\n")

        deals = "/collections/deals/records"
        made = (await change(client, "POST", deals, title="Told at once")).json()["id"]
        await change(client, "POST", "/collections/companies/records", name="Of another collection")

        async def has_events(count: int) -> bool:
            return len(await gateway.history(instance, after=None)) >= count

        await until(lambda: has_events(1))
        await change(client, "PATCH", f"{deals}/{made}", stage="won")
        await until(lambda: has_events(2))
        await change(client, "DELETE", f"{deals}/{made}")
        await until(lambda: has_events(3))

        events = await gateway.history(instance, after=None)
        assert [(event["type"], event["method"], event["externalId"]) for event in events] == [
            ("CREATED", "WEBHOOK", made),
            ("UPDATED", "WEBHOOK", made),
            ("DELETED", "WEBHOOK", made),
        ]
        assert events[1]["changedFields"] == ["stage", "updated"]

        urls.write_text(url.replace("token=", "token=0"))
        await change(client, "POST", deals, title="Of nobody who proves anything")
        await asyncio.sleep(1)
        assert len(await gateway.history(instance, after=None)) == 3
