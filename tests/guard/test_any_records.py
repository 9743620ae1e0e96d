"""Whatever the records of an app hold, and whatever callers ask for by JSON: answered as it is, or refused for a reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InternalError
from gateway.models import JsonObject
from tests.support.examples import ANY_JSON, NUMBERS, TEXTS, part_of_examples
from tests.support.gateway_client import Answer, GatewayClient, GatewayUnderTest
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, customer, integration

NAMES = ("title", "body", "points", "state", "personId", "watcherIds", "scrap", "due", "createdAt", "\x00")
FIELDS = st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6)
TABLE = st.dictionaries(st.sampled_from(["1", "2"]) | TEXTS.filter(bool), FIELDS, min_size=1, max_size=2)
PEOPLE = st.dictionaries(NUMBERS.map(str), st.dictionaries(st.sampled_from(["name", "email"]), ANY_JSON), max_size=2)
LIST = """query { connection(by: { integrationKey: "notes" }) { collection(key: "cards") { records(first: 5) {
  pageInfo { endCursor } edges { cursor node {
    id externalId name url version fields rawFields createdAt updatedAt unifiedFields(udm: "tasks")
    reference(field: "personId") { externalId fields }
    unified(udm: "tasks") { externalId record { id } ... on UnifiedTask {
      subject content status type priority ownerId assigneeId followerIds tags dueTime startTime createdTime updatedTime
      assignee { externalId fullName primaryEmail } followers { externalId fullName } } } } } } } } }"""
FILTERED = """query ($filter: JSON, $unifiedFilter: JSON, $search: String) {
  connection(by: { integrationKey: "notes" }) { collection(key: "cards") {
    records(filter: $filter, unifiedFilter: $unifiedFilter, search: $search) { nodes { externalId } } } } }"""
WRITE = """mutation ($create: RecordCreateInput!, $update: RecordUpdateInput!) {
  recordCreate(input: $create) { record { id externalId fields } userErrors { code message field } }
  recordUpdate(input: $update) { record { id externalId fields } userErrors { code message field } } }"""
CONDITIONS = st.dictionaries(
    st.sampled_from([*NAMES, "subject", "dueTime", "assigneeId"]),
    ANY_JSON | st.dictionaries(st.sampled_from(["EQ", "IN", "GT", "CONTAINS"]), ANY_JSON, max_size=2),
    max_size=2,
)


@pytest.fixture
async def acme(gateway: GatewayUnderTest) -> GatewayClient:
    """A customer who has connected the app."""
    await integration(gateway.runtime)
    await connection(gateway.runtime, await customer(gateway.runtime, "acme"))
    return gateway.customer("acme")


@part_of_examples(percent=30)
@given(cards=TABLE, people=PEOPLE)
async def test_whatever_records_hold_is_answered_as_it_is(acme: GatewayClient, notes_app: NotesApp, cards, people):
    notes_app.tables["cards"].fields = cards
    notes_app.tables["people"].fields = people

    answer = await acme.ask(LIST)

    check(answer)
    nodes = [edge["node"] for edge in answer.data["connection"]["collection"]["records"]["edges"]]
    assert {node["externalId"]: exact(node["fields"]) for node in nodes} == {key: exact(fields) for key, fields in cards.items()}


@part_of_examples(percent=30)
@given(native=CONDITIONS, unified=CONDITIONS | ANY_JSON, search=TEXTS)
async def test_whatever_is_asked_for_is_found_or_refused(acme: GatewayClient, native, unified, search):
    check(await acme.ask(FILTERED, filter=native, unifiedFilter=unified, search=search))


@part_of_examples(percent=30)
@given(fields=FIELDS, others=FIELDS, external_id=TEXTS | st.just("1"))
async def test_whatever_is_written_is_written_or_refused(acme: GatewayClient, fields, others, external_id):
    place = {"in": {"collection": {"connection": {"integrationKey": "notes"}, "key": "cards"}}}
    create = {**place, "values": {"fields": fields}}

    check(await acme.ask(WRITE, create=create, update={**place, "externalId": external_id, "values": {"fields": others}}))


def check(answer: Answer) -> None:
    """It is an answer of the gateway's own."""
    codes = [error["extensions"]["code"] for error in answer.errors]
    # A number of more than 308 digits is no JSON to the gateway.
    assert answer.status in (200, 400), answer.text
    assert InternalError.code not in codes, answer.text


def exact(fields: JsonObject) -> Any:
    """The fields with their types, as 1, 1.0 and true are equal in Python, and so are 0.0 and -0.0."""
    return json.dumps(fields, sort_keys=True)
