"""Integers beyond 64 bits on their whole way: from the caller's variables to the app, and from the app back to the caller."""

import json
from collections.abc import AsyncIterator

import pytest

from gateway.config import Settings
from gateway.runtime import open_runtime
from gateway.storage.encryption import Cipher
from gateway.testing import Answer, FakeClock, ReceivedRequest, ScriptedApp
from tests.support import runtime as given
from tests.support.gateway_client import GatewayClient, serving

LONG = [2**64, -(2**63) - 1, 10**30 + 1, 10**308 - 1, 1 - 10**308]
CONNECT = "mutation ($input: ConnectionCreateInput!) { connectionCreate(input: $input) { userErrors { message } connection { id } } }"
CREATE = """mutation ($input: RecordCreateInput!) { recordCreate(input: $input) {
    record { fields } userErrors { code message field } } }"""
RECORDS = {
    "collection": {"connection": {"integrationKey": "kinto"}, "key": "records", "parameters": {"bucket": "crm", "collection": "contacts"}}
}
LIST = """query ($filter: JSON!) { connection(by: { integrationKey: "kinto" }) {
    collection(key: "records", parameters: { bucket: "crm", collection: "contacts" }) {
        records(filter: $filter) { nodes { fields } } } } }"""


def _echo(request: ReceivedRequest) -> Answer:
    """Gives back what it is sent, as Kinto answers; asked for a list, one record with all of them."""
    if request.method == "POST":
        return Answer(status=201, json={"data": {**request.json()["data"], "id": "1", "last_modified": 7}})  # type: ignore[dict-item, index]
    if request.path.endswith("/records"):
        return Answer(json={"data": [{"id": "1", "last_modified": 7, "long": LONG}]})
    return Answer(json={"user": {"id": "acme"}})


@pytest.fixture
async def app() -> AsyncIterator[ScriptedApp]:
    """An app that keeps integers of any size."""
    async with ScriptedApp() as app:
        app.answer_with(_echo)
        yield app


@pytest.fixture
async def acme(sqlite_url: str, clock: FakeClock, app: ScriptedApp) -> AsyncIterator[GatewayClient]:
    """A customer who has connected that app."""
    settings = Settings(
        database_url=sqlite_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), allowed_networks="127.0.0.0/8"
    )
    async with open_runtime(settings, clock=clock) as runtime, serving(runtime) as gateway:
        await given.integration(runtime, "kinto", connector_key="kinto")
        acme = gateway.customer("acme")
        proof = {"authMethod": "bearer", "credentials": {"token": "the-token"}}
        await acme.mutate(CONNECT, integrationKey="kinto", parameters={"server": app.url}, **proof)
        yield acme


async def test_they_are_written_and_answered_exactly(acme: GatewayClient, app: ScriptedApp):
    fields = {"long": LONG, "inner": {"one": LONG[0]}}

    payload = await acme.mutate(CREATE, **{"in": RECORDS}, values={"fields": fields})

    sent = json.loads(app.requests[-1].body)["data"]
    assert sent == fields
    assert payload["record"]["fields"] == {**fields, "id": "1", "last_modified": 7}


async def test_those_in_the_document_are_written_exactly_too(acme: GatewayClient, app: ScriptedApp):
    document = CREATE.replace("$input: RecordCreateInput!", "$in: CollectionSelector!").replace(
        "input: $input", f"input: {{ in: $in, values: {{ fields: {{ long: {LONG[3]} }} }} }}"
    )

    await acme.execute(document, **{"in": RECORDS})

    assert json.loads(app.requests[-1].body)["data"] == {"long": LONG[3]}


async def test_records_are_found_by_them_exactly(acme: GatewayClient, app: ScriptedApp):
    found = await acme.execute(LIST, filter={"long": {"GTE": LONG[2]}})

    assert app.requests[-1].query["min_long"] == str(LONG[2])
    assert found["connection"]["collection"]["records"]["nodes"][0]["fields"]["long"] == LONG


@pytest.mark.parametrize("digits", [309, 4300, 4301])
async def test_longer_ones_are_refused_and_nothing_is_written(acme: GatewayClient, app: ScriptedApp, digits: int):
    document = CREATE.replace("$input: RecordCreateInput!", "$in: CollectionSelector!").replace(
        "input: $input", f"input: {{ in: $in, values: {{ fields: {{ long: {'9' * digits} }} }} }}"
    )

    answer = await acme.ask(document, **{"in": RECORDS})

    # It is no document, as a body with such a number is no JSON.
    (error,) = answer.errors
    assert (answer.data, error["extensions"]["code"]) == (None, "INVALID")
    assert "POST" not in [request.method for request in app.requests]
