"""Every operation on records, through an instance and through a collection of a connection."""

from typing import Any

import pytest

from gateway.errors import UpstreamUnavailableError
from gateway.graphql.ids import global_id, record_id
from gateway.models import Pointer
from gateway.models.base import new_id
from gateway.services.selectors import PointerInput
from tests.graphql.world import World
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, customer, definition, instance

LIST = """query ($filter: JSON, $unifiedFilter: JSON, $search: String, $orderBy: RecordOrder, $first: Int! = 50, $after: String) {
  connection(by: { integrationKey: "notes" }) { dataSourceInstance(dataSource: { key: "cards" }) {
    records(filter: $filter, unifiedFilter: $unifiedFilter, search: $search, orderBy: $orderBy, first: $first, after: $after) {
      nodes { externalId } pageInfo { hasNextPage endCursor } } } } }"""
CREATE = """mutation ($input: RecordCreateInput!) { recordCreate(input: $input) {
  record { id externalId version fields collection { path isDefault } } userErrors { code message field } } }"""
UPDATE = """mutation ($input: RecordUpdateInput!) { recordUpdate(input: $input) {
  record { externalId version fields } userErrors { code message field } } }"""
DELETE = """mutation ($input: RecordDeleteInput!) { recordDelete(input: $input) {
  deletedExternalId userErrors { code message field } } }"""
NODE = "query ($id: ID!) { node(id: $id) { __typename id ... on Record { externalId fields collection { path } } } }"


@pytest.fixture
async def cards(world: World) -> dict[str, Any]:
    """Acme's cards, as a selector of their instance."""
    await definition(world.runtime, "cards", udm="tasks", pointer=PointerInput(path="/data/cards"))
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme), "cards")
    return {"dataSourceInstance": {"id": global_id(row)}}


def in_collection(key: str = "cards", **parameters: Any) -> dict[str, Any]:
    return {"collection": {"connection": {"integrationKey": "notes"}, "key": key, "parameters": parameters or None}}


async def listed(world: World, **asked: Any) -> list[str]:
    found = await world.ask(LIST, **asked)
    return [node["externalId"] for node in found["connection"]["dataSourceInstance"]["records"]["nodes"]]


@pytest.mark.usefixtures("cards")
async def test_a_list_is_filtered_searched_and_ordered_by_the_app(world: World):
    assert await listed(world, filter={"state": "1", "points": {"GTE": 2}}) == ["2", "3"]
    assert await listed(world, unifiedFilter={"status": "closed"}) == ["4", "5"]
    assert await listed(world, filter={"points": {"LT": 5}}, unifiedFilter={"status": "closed"}) == ["4"]
    assert await listed(world, search="card 5") == ["5"]
    assert await listed(world, orderBy={"field": "points", "direction": "DESC"}, first=2) == ["5", "4"]
    assert await listed(world, orderBy={"field": "title"}, first=2) == ["1", "2"]


@pytest.mark.usefixtures("cards")
async def test_everything_that_is_wrong_with_a_list_is_told_with_its_place(world: World):
    result = await world.execute(LIST, filter={"done": {"GT": 1}, "nonsense": 1}, orderBy={"field": "body"})

    (error,) = result.errors
    assert result.data == {"connection": {"dataSourceInstance": {"records": None}}}
    told = {tuple(each["field"]): each["code"] for each in error.extensions["userErrors"]}
    assert set(told) == {("filter", "done", "GT"), ("filter", "nonsense"), ("orderBy", "field")}
    assert error.extensions["code"] == next(iter(told.values()))


@pytest.mark.usefixtures("cards")
async def test_a_cursor_of_a_list_with_another_filter_is_refused(world: World):
    found = await world.ask(LIST, filter={"state": "1"}, first=1)
    cursor = found["connection"]["dataSourceInstance"]["records"]["pageInfo"]["endCursor"]

    assert await listed(world, filter={"state": "1"}, after=cursor) == ["2", "3"]
    assert (await world.error(LIST, filter={"state": "2"}, after=cursor))[0] == "INVALID"
    assert (await world.error(LIST, filter={"state": "1"}, orderBy={"field": "points"}, after=cursor))[0] == "INVALID"


@pytest.mark.usefixtures("cards")
async def test_of_the_parts_of_records_those_are_read_that_the_document_mentions_anywhere(world: World, notes_app: NotesApp):
    fragments = "fragment More on Record { called: name ...Times } fragment Times on Record { updatedAt }"
    for nodes in (
        'id externalId fields rawFields collection { key } reference(field: "author") { fields }',
        "externalId version",
        "...More",
        "unifiedFields",
        "unified { externalId record { url } }",
    ):
        records = (
            f'{{ connection(by: {{ integrationKey: "notes" }}) {{ collection(key: "cards") {{ records {{ nodes {{ {nodes} }} }} }} }} }}'
        )
        for document in (f"{fragments} {records}", f"{records} {fragments}") if "More" in nodes else (records,):
            await world.execute(document)
            await world.execute(document)

    of_models = {"models_fields", "created_at", "updated_at"}
    shown, named = {"shown_fields", "fields"}, {"name", "updated_at"}
    expected = [shown, {"version"}, named, named, of_models, {"url", *of_models}]
    assert notes_app.parts == [parts for parts in expected for _ in range(2)]


@pytest.mark.usefixtures("cards")
async def test_records_are_found_by_id_and_by_fields_wherever_their_collection_is_shown(world: World, notes_app: NotesApp):
    found = await world.ask("""{ connection(by: { integrationKey: "notes" }) {
      instance: dataSourceInstance(dataSource: { key: "cards" }) { ...Finds }
      collection(key: "people") { one: record(externalId: "101") { externalId } other: record(externalId: "103") { externalId }
        absent: record(externalId: "999") { externalId } match(by: { fields: { name: "Grace" } }) { externalId } } } }
    fragment Finds on DataSourceInstance { record(externalId: "2") { externalId } absent: record(externalId: "../admin") { externalId }
      match(by: { fields: { points: 3 } }) { externalId } unified: match(by: { unifiedFields: { subject: "card 4" } }) { externalId }
      nothing: match(by: { fields: { points: 300 } }) { externalId } }""")

    assert found["connection"] == {
        "instance": {
            "record": {"externalId": "2"},
            "absent": None,
            "match": {"externalId": "3"},
            "unified": {"externalId": "4"},
            "nothing": None,
        },
        "collection": {
            "one": {"externalId": "101"},
            "other": {"externalId": "103"},
            "absent": None,
            "match": {"externalId": "102"},
        },
    }
    # Those of one collection that one answer asks for are read together.
    assert ("101", "103", "999") in notes_app.ids


@pytest.mark.usefixtures("cards")
async def test_a_record_is_read_again_by_its_id(world: World, notes_app: NotesApp):
    created = await world.ask(CREATE, input={"in": in_collection(), "values": {"fields": {"title": "New"}}})
    record = created["recordCreate"]["record"]
    notes_app.requests.clear()

    assert (await world.ask(NODE, id=record["id"]))["node"] == {
        "__typename": "Record",
        "id": record["id"],
        "externalId": "6",
        "fields": record["fields"],
        "collection": {"path": "/data/cards"},
    }
    assert notes_app.requests == ["record"]


async def test_the_id_of_a_record_that_is_not_there_or_not_yours_is_null_and_asks_nobody(world: World, notes_app: NotesApp):
    globex = await customer(world.runtime, "globex")
    theirs = await connection(world.runtime, globex)
    mine = await connection(world.runtime, world.acme)
    absent = [
        record_id(theirs.id, Pointer("people"), "101"),
        record_id(new_id(), Pointer("people"), "101"),
        record_id(mine.id, Pointer("folders"), "101"),
        record_id(mine.id, Pointer("archive"), "101"),
        record_id(mine.id, Pointer("people", {"page": 7}), "101"),
        record_id(mine.id, Pointer("people"), "\r\nX-Admin: 1"),
    ]
    notes_app.requests.clear()

    assert await world.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=absent) == {"nodes": [None] * len(absent)}
    assert notes_app.requests == []
    assert await world.ask(NODE, id=record_id(mine.id, Pointer("people"), "999")) == {"node": None}


async def test_a_record_is_created_changed_and_deleted_through_an_instance(world: World, cards: dict[str, Any], notes_app: NotesApp):
    created = await world.ask(CREATE, input={"in": cards, "values": {"fields": {"title": "New", "points": 8}}})
    assert created["recordCreate"]["userErrors"] == []
    assert created["recordCreate"]["record"]["externalId"] == "6"
    assert created["recordCreate"]["record"]["fields"]["points"] == 8
    assert created["recordCreate"]["record"]["collection"] == {"path": "/data/cards", "isDefault": False}

    changed = await world.ask(UPDATE, input={"in": cards, "externalId": "6", "values": {"fields": {"points": 9}}, "ifVersion": "1"})
    assert changed["recordUpdate"]["userErrors"] == []
    assert (changed["recordUpdate"]["record"]["version"], changed["recordUpdate"]["record"]["fields"]["title"]) == ("2", "New")

    deleted = await world.ask(DELETE, input={"in": cards, "externalId": "6"})
    assert deleted == {"recordDelete": {"deletedExternalId": "6", "userErrors": []}}
    assert "6" not in notes_app.tables["cards"].fields


async def test_a_record_is_written_in_the_words_of_a_model(world: World, cards: dict[str, Any], notes_app: NotesApp):
    fields = {"subject": "New", "status": "closed", "assigneeId": "101"}

    created = await world.ask(CREATE, input={"in": in_collection(), "values": {"unifiedFields": fields}, "udm": "tasks"})
    await world.ask(UPDATE, input={"in": cards, "externalId": "1", "values": {"unifiedFields": {"status": "closed"}}})

    assert created["recordCreate"]["userErrors"] == []
    assert {key: created["recordCreate"]["record"]["fields"][key] for key in ("title", "state", "personId")} == {
        "title": "New",
        "state": "2",
        "personId": 101,
    }
    assert notes_app.tables["cards"].fields["1"]["state"] == "2"


async def test_a_version_that_has_changed_is_a_conflict_and_nothing_is_written(world: World, cards: dict[str, Any], notes_app: NotesApp):
    before = dict(notes_app.tables["cards"].fields)
    update = {"in": cards, "externalId": "1", "values": {"fields": {"points": 9}}, "ifVersion": "7"}

    changed = await world.ask(UPDATE, input=update)
    deleted = await world.ask(DELETE, input={"in": cards, "externalId": "1", "ifVersion": "7"})

    for payload in (changed["recordUpdate"], deleted["recordDelete"]):
        assert [(error["code"], error["field"]) for error in payload.pop("userErrors")] == [("CONFLICT", ["input", "ifVersion"])]
        assert set(payload.values()) == {None}
    assert notes_app.tables["cards"].fields == before


async def test_a_creation_that_is_sent_again_with_its_key_gives_the_same_record(world: World, cards: dict[str, Any]):
    asked = {"in": cards, "values": {"fields": {"title": "Once"}}, "idempotencyKey": "order-7"}

    first, second = [(await world.ask(CREATE, input=asked))["recordCreate"]["record"]["externalId"] for _ in range(2)]

    assert first == second


async def test_every_field_that_is_wrong_is_told_before_the_app_is_asked(world: World, cards: dict[str, Any], notes_app: NotesApp):
    notes_app.requests.clear()

    payload = (await world.ask(CREATE, input={"in": cards, "values": {"fields": {"points": "many", "color": "red"}}}))["recordCreate"]

    places = {tuple(error["field"]) for error in payload["userErrors"]}
    assert {error["code"] for error in payload["userErrors"]} == {"INVALID"}
    assert {("input", "values", "fields", "points"), ("input", "values", "fields", "color")} <= places
    assert payload["record"] is None
    assert "create" not in notes_app.requests


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"fields": {"title": "forbidden"}}, ["fields", "title"]),
        ({"unifiedFields": {"subject": "forbidden"}}, ["unifiedFields", "subject"]),
    ],
    ids=["own", "unified"],
)
async def test_what_the_app_refuses_is_told_in_its_words_at_the_callers_fields(
    world: World, cards: dict[str, Any], values: dict[str, Any], name: list[str]
):
    payload = (await world.ask(CREATE, input={"in": cards, "values": values}))["recordCreate"]

    assert payload["userErrors"] == [
        {"code": "UPSTREAM_REJECTED", "message": "Notes refused the card: no such titles.", "field": None},
        {"code": "UPSTREAM_REJECTED", "message": "Notes allows no such title.", "field": ["input", "values", *name]},
    ]


async def test_a_write_whose_end_is_not_known_is_no_refusal(world: World, cards: dict[str, Any], notes_app: NotesApp):
    notes_app.failures["create"] = UpstreamUnavailableError("Notes did not answer in time.", may_have_been_received=True)

    code, message = await world.error(CREATE, input={"in": cards, "values": {"fields": {"title": "New"}}})

    assert code == "UPSTREAM_UNAVAILABLE"
    assert "It is not known whether" in message
    assert notes_app.requests.count("create") == 1


async def test_what_a_collection_cannot_do_is_unsupported(world: World):
    await connection(world.runtime, world.acme)

    payload = (await world.ask(CREATE, input={"in": in_collection("people"), "values": {"fields": {"name": "Eve"}}}))["recordCreate"]

    assert [error["code"] for error in payload["userErrors"]] == ["UNSUPPORTED"]
    assert "FIND_BY_ID" in payload["userErrors"][0]["message"]


async def test_a_collection_that_is_none_is_told_with_its_place(world: World):
    await connection(world.runtime, world.acme)

    async def field_of(selector: dict[str, Any]) -> list[str]:
        payload = (await world.ask(DELETE, input={"in": selector, "externalId": "1"}))["recordDelete"]
        return [error["field"] for error in payload["userErrors"]]

    assert await field_of(in_collection("folders")) == [["input", "in", "collection", "key"]]
    assert await field_of(in_collection("cards", box="x")) == [["input", "in", "collection", "parameters"]]
    named = {"collection": {"connection": {"integrationKey": "other"}, "key": "cards"}}
    assert await field_of(named) == [["input", "in", "collection", "connection", "integrationKey"]]


async def test_fields_of_a_model_are_shown_as_the_apps_own_with_what_has_no_place_there(
    world: World, cards: dict[str, Any], notes_app: NotesApp
):
    document = """mutation ($input: UnifiedFieldsToNativeInput!) { unifiedFieldsToNative(input: $input) {
      fields unmappedFields userErrors { code field } } }"""
    unified = {"subject": "New", "status": "open", "priority": "high"}
    before = dict(notes_app.tables["cards"].fields)

    shown = await world.ask(document, input={"in": cards, "unifiedFields": unified})
    refused = await world.ask(document, input={"in": cards, "unifiedFields": [1]})

    assert shown["unifiedFieldsToNative"] == {
        "fields": {"title": "New", "state": "1"},
        "unmappedFields": ["priority"],
        "userErrors": [],
    }
    assert refused["unifiedFieldsToNative"] == {
        "fields": None,
        "unmappedFields": None,
        "userErrors": [{"code": "INVALID", "field": ["input", "unifiedFields"]}],
    }
    assert notes_app.tables["cards"].fields == before


async def test_a_mutation_after_another_reads_what_the_first_has_left(world: World, cards: dict[str, Any]):
    document = """mutation ($first: RecordUpdateInput!, $second: RecordUpdateInput!) {
      first: recordUpdate(input: $first) { record { ...Again } } second: recordUpdate(input: $second) { record { ...Again } } }
    fragment Again on Record { collection { record(externalId: "1") { fields } } }"""

    def changed(points: int) -> dict[str, Any]:
        return {"in": cards, "externalId": "1", "values": {"fields": {"points": points}}}

    found = await world.ask(document, first=changed(7), second=changed(8))

    assert [found[name]["record"]["collection"]["record"]["fields"]["points"] for name in ("first", "second")] == [7, 8]


async def test_the_lists_of_one_operation_hold_ten_thousand_records_together(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.notes = [f"note {number}" for number in range(1000)]
    lists = " ".join(f"list{number}: records(first: 1000) {{ nodes {{ externalId }} }}" for number in range(11))

    document = f"""{{ connection(by: {{ integrationKey: "notes" }}) {{ collection(key: "notes") {{ {lists} }} }} }}"""

    assert (await world.error(document))[0] == "COST_EXCEEDED"
