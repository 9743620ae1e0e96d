"""Records as universal data models: typed, and a graph through their references, in the fewest requests."""

from typing import Any

import pytest

from gateway.connectors.described import KEPT_SECONDS
from gateway.errors import UpstreamUnavailableError
from gateway.graphql.ids import global_id, local_id, parse_record_id
from gateway.graphql.record_loaders import RecordLoaders
from gateway.graphql.sources import collection_at, records_of
from gateway.models import Connection, Pointer, Record
from gateway.services.selectors import PointerInput
from gateway.testing import FakeClock
from gateway.udm import PageReader, Picked, Translation
from tests.graphql.world import World
from tests.support.notes_cards import PEOPLE_AT_ONCE
from tests.support.notes_connector import NotesApp
from tests.support.plain import plain
from tests.support.runtime import connection, definition, instance, place

TASKS = """query ($first: Int! = 50) { connection(by: { integrationKey: "notes" }) { dataSourceInstance(dataSource: { key: "cards" }) {
  records(first: $first) { nodes { unified { __typename externalId ... on UnifiedTask { %s } } } } } } }"""
PERSON = "__typename externalId fullName record { id externalId collection { path isDefault } }"


@pytest.fixture
async def cards(world: World) -> str:
    """The id of the instance of Acme's cards."""
    await definition(world.runtime, "cards", udm="tasks", pointer=PointerInput(path="/data/cards"))
    return global_id(await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), "cards"))


async def tasks(world: World, selection: str, first: int = 50) -> list[dict[str, Any]]:
    found = await world.ask(TASKS % selection, first=first)
    return [node["unified"] for node in found["connection"]["dataSourceInstance"]["records"]["nodes"]]


@pytest.mark.usefixtures("cards")
async def test_a_record_is_typed_as_its_model(world: World, notes_app: NotesApp):
    notes_app.tables["cards"].fields["1"]["due"] = "2026-03-01T10:00:00+02:00"

    assert (await tasks(world, "subject content status assigneeId followerIds dueTime tags", first=1)) == [
        {
            "__typename": "UnifiedTask",
            "externalId": "1",
            "subject": "card 1",
            "content": None,
            "status": "open",
            "assigneeId": "101",
            "followerIds": ["101", "102"],
            "dueTime": "2026-03-01T08:00:00Z",
            "tags": None,
        }
    ]


@pytest.mark.usefixtures("cards")
async def test_siblings_of_all_records_are_read_together(world: World, notes_app: NotesApp):
    notes_app.requests.clear()

    found = await tasks(world, f"assignee {{ {PERSON} }} owner {{ fullName }} followers {{ externalId }}")

    assert notes_app.requests.count("records") == 1
    assert sorted(notes_app.ids) == [("101", "102", "103")]
    assert [task["assignee"] and task["assignee"]["fullName"] for task in found] == ["Ada", "Grace", "Edsger", None, None]
    assert [follower["externalId"] for follower in found[4]["followers"]] == ["101", "102"]
    person = found[0]["assignee"]
    assert (person["__typename"], person["externalId"], person["record"]["externalId"]) == ("UnifiedUser", "101", "101")
    assert person["record"]["collection"] == {"path": "/data/people", "isDefault": False}


@pytest.mark.usefixtures("cards")
async def test_more_than_the_app_finds_at_once_are_read_in_the_fewest_requests(world: World, notes_app: NotesApp):
    for number, card in enumerate(notes_app.tables["cards"].fields.values()):
        card["personId"] = 101 + number

    await tasks(world, "assignee { externalId }")

    assert PEOPLE_AT_ONCE == 3
    assert sorted(map(len, notes_app.ids)) == [2, 3]


@pytest.mark.usefixtures("cards")
async def test_who_is_not_in_the_app_is_null_and_left_out_of_lists(world: World, notes_app: NotesApp):
    notes_app.tables["cards"].fields["1"] |= {"personId": 999, "watcherIds": [101, 999, 102]}
    notes_app.tables["cards"].fields["2"] |= {"personId": None, "watcherIds": []}

    first, second = await tasks(world, "assigneeId assignee { externalId } followers { externalId }", first=2)

    assert (first["assigneeId"], first["assignee"]) == ("999", None)
    assert [follower["externalId"] for follower in first["followers"]] == ["101", "102"]
    assert (second["assignee"], second["followers"]) == (None, [])


@pytest.mark.usefixtures("cards")
async def test_what_the_app_fails_to_give_leaves_the_rest_of_the_answer(world: World, notes_app: NotesApp):
    notes_app.failures["records_by_ids"] = UpstreamUnavailableError("Notes cannot be reached.", may_have_been_received=False)

    result = await world.execute(TASKS % "subject assignee { externalId } followers { externalId }", first=1)

    (task,) = [node["unified"] for node in result.data["connection"]["dataSourceInstance"]["records"]["nodes"]]
    assert (task["subject"], task["assignee"], task["followers"]) == ("card 1", None, None)
    assert {(error.path[-1], error.extensions["code"]) for error in result.errors} == {
        ("assignee", "UPSTREAM_UNAVAILABLE"),
        ("followers", "UPSTREAM_UNAVAILABLE"),
    }


@pytest.mark.usefixtures("cards")
async def test_references_of_two_connections_stay_each_in_its_own(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme, name="second")
    document = """{ connections { nodes { id collection(key: "cards") { records(first: 1) { nodes {
      unified(udm: "tasks") { ... on UnifiedTask { assignee { record { id } } } } } } } } } }"""
    notes_app.ids.clear()

    found = (await world.ask(document))["connections"]["nodes"]

    people = [parse_record_id(node["collection"]["records"]["nodes"][0]["unified"]["assignee"]["record"]["id"]) for node in found]
    assert [local_id(node["id"], Connection) for node in found] == [connection_id for connection_id, _, _ in people]
    assert people[0][0] != people[1][0]
    assert notes_app.ids == [("101",), ("101",)]


@pytest.mark.usefixtures("cards")
async def test_references_count_among_what_an_operation_lists(world: World, notes_app: NotesApp):
    card = notes_app.tables["cards"].fields["1"]
    notes_app.tables["cards"].fields = {str(number): {**card, "watcherIds": [101] * 500} for number in range(1, 31)}

    result = await world.execute(TASKS % "followers { externalId }", first=30)

    assert {error.extensions["code"] for error in result.errors} == {"COST_EXCEEDED"}


@pytest.mark.usefixtures("cards")
async def test_a_record_that_names_more_others_than_an_operation_may_list_is_not_followed(world: World, notes_app: NotesApp):
    notes_app.tables["cards"].fields["1"]["watcherIds"] = [*range(10_001)]
    notes_app.ids.clear()

    result = await world.execute(TASKS % "followers { externalId }", first=1)

    assert [error.extensions["code"] for error in result.errors] == ["COST_EXCEEDED"]
    assert notes_app.ids == []


async def test_the_model_may_be_named_and_must_be_one_that_the_records_can_be_read_as(world: World, cards: str):
    document = """query ($id: ID!, $udm: String) { dataSourceInstance(by: { id: $id }) { record(externalId: "1") {
      externalId unified(udm: $udm) { __typename ... on UnifiedActivity { title } } unifiedFields(udm: $udm) } } }"""

    own = (await world.ask(document, id=cards))["dataSourceInstance"]["record"]
    near = (await world.ask(document, id=cards, udm="activities"))["dataSourceInstance"]["record"]
    far = await world.execute(document, id=cards, udm="payrolls")
    unknown = await world.execute(document, id=cards, udm="unicorns")

    assert own["unified"] == {"__typename": "UnifiedTask"}
    assert (own["unifiedFields"]["id"], own["unifiedFields"]["subject"]) == ("1", "card 1")
    # Through one level of fallbacks.
    assert near["unified"] == {"__typename": "UnifiedActivity", "title": "card 1"}
    assert near["unifiedFields"]["title"] == "card 1"
    for refused, code in ((far, "UNSUPPORTED"), (unknown, "NOT_FOUND")):
        assert refused.data["dataSourceInstance"]["record"] == {"externalId": "1", "unified": None, "unifiedFields": None}
        assert {(error.path[-1], error.extensions["code"]) for error in refused.errors} == {("unified", code), ("unifiedFields", code)}


async def test_values_alone_are_read_of_a_page_in_one_go_as_of_each_of_its_records(world: World, cards: str):
    values = """name own: unified { ... on UnifiedTask { subject tags status } }
      near: unified(udm: "activities") { __typename ... on UnifiedActivity { title } } externalId"""
    document = "query ($id: ID!) { dataSourceInstance(by: {id: $id}) { records(first: 5) { nodes { %s } edges { node { %s } } } } }"

    found = (await world.ask(document % (values, values), id=cards))["dataSourceInstance"]["records"]

    assert len(found["nodes"]) == 5
    assert repr(found["nodes"]) == repr([edge["node"] for edge in found["edges"]])
    assert found["nodes"][0] == {
        "name": "card 1",
        "own": {"subject": "card 1", "tags": None, "status": "open"},
        "near": {"__typename": "UnifiedActivity", "title": "card 1"},
        "externalId": "1",
    }


async def test_records_of_several_places_are_read_each_as_its_own_says_and_nulls_stay(world: World):
    connected = await connection(world.runtime, world.acme)
    cards, people = [await place(world.runtime, connected, Pointer(key)) for key in ("cards", "people")]
    shown = [
        records_of(collection_at(home, is_connector_default=False), home)(Record(key, {"title": key, "email": key}))
        for key, home in (("a", cards), ("b", people), ("c", cards))
    ]
    picked = {"text": Picked("subject"), "type": Picked(None)}

    def picks(translated: Translation) -> PageReader:
        return translated.reading(picked)

    loaders = RecordLoaders(world.runtime, world.acme)

    assert plain(list(loaders.picked([None, *shown], None, picks))) == [
        None,
        {"text": "a", "type": "UnifiedTask"},
        {"text": None, "type": "UnifiedUser"},
        {"text": "c", "type": "UnifiedTask"},
    ]
    assert (loaders.picked([None, None], None, picks), loaders.picked([], None, picks)) == ([None, None], [])


async def test_without_a_data_source_the_only_model_of_the_collection_is_meant(world: World):
    await connection(world.runtime, world.acme)
    document = """{ connection(by: { integrationKey: "notes" }) {
      people: collection(key: "people") { record(externalId: "101") { unified { __typename ... on UnifiedUser { primaryEmail } } } }
      scraps: collection(key: "scraps", parameters: { box: 1 }) { records(first: 1) { nodes { unified { externalId } } } } } }"""

    result = await world.execute(document)

    assert result.data["connection"]["people"]["record"]["unified"] == {"__typename": "UnifiedUser", "primaryEmail": "ada@example.com"}
    assert result.data["connection"]["scraps"]["records"]["nodes"] == [{"unified": None}]
    assert [error.extensions["code"] for error in result.errors] == ["UNSUPPORTED"]


async def test_each_collection_keeps_its_model_and_its_references_in_one_operation(world: World):
    await definition(world.runtime, "happenings", udm="activities", pointer=PointerInput(path="/data/cards"))
    await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), "happenings")
    document = """{ connection(by: { integrationKey: "notes" }) {
      activities: dataSourceInstance(dataSource: { key: "happenings" }) { record(externalId: "1") { ...Seen } }
      tasks: collection(key: "cards") { record(externalId: "1") { ...Seen } }
      people: collection(key: "people") { record(externalId: "101") { ...Seen } } } }
      fragment Seen on Record { unified { __typename } reference(field: "personId") { externalId } }"""

    result = await world.execute(document)

    person = {"externalId": "101"}
    assert {name: found["record"] for name, found in result.data["connection"].items()} == {
        "activities": {"unified": {"__typename": "UnifiedActivity"}, "reference": person},
        "tasks": {"unified": {"__typename": "UnifiedTask"}, "reference": person},
        "people": {"unified": {"__typename": "UnifiedUser"}, "reference": None},
    }
    assert [(error.path[1], error.extensions["code"]) for error in result.errors] == [("people", "INVALID")]


async def test_a_field_of_the_apps_own_leads_to_the_record_that_it_names(world: World, cards: str, notes_app: NotesApp):
    document = """query ($id: ID!, $field: String!) { dataSourceInstance(by: { id: $id }) { records { nodes {
      reference(field: $field) { externalId fields collection { path } } } } } }"""
    notes_app.requests.clear()

    found = await world.ask(document, id=cards, field="personId")

    people = [node["reference"] for node in found["dataSourceInstance"]["records"]["nodes"]]
    assert [person and person["externalId"] for person in people] == ["101", "102", "103", None, None]
    assert people[0]["fields"]["name"] == "Ada"
    assert people[0]["collection"] == {"path": "/data/people"}
    assert notes_app.ids == [("101", "102", "103")]


async def test_what_a_field_refers_to_is_found_once_for_all_records(world: World, cards: str, notes_app: NotesApp, clock: FakeClock):
    document = """query ($id: ID!, $field: String!) { dataSourceInstance(by: { id: $id }) {
      records { nodes { reference(field: $field) { externalId } } } } }"""
    clock.advance(KEPT_SECONDS)
    notes_app.requests.clear()

    await world.ask(document, id=cards, field="personId")
    assert notes_app.requests.count("describe") == 1

    refused = await world.execute(document, id=cards, field="title")
    assert [error.extensions["code"] for error in refused.errors] == ["INVALID"] * 5
    assert "personId" in refused.errors[0].message
    assert notes_app.requests.count("describe") == 2
