"""Changes in the schema: who is interested, what was recorded, and the runs that found it. None of it asks the app."""

import re
from datetime import timedelta
from typing import Any

import pytest

from gateway.events.observations import ObservedPlace
from gateway.graphql.ids import global_id, record_id
from gateway.models import CursorSync, DataSourceInstance, EventMethod, Pointer, SyncSupport, TaskKind
from gateway.services.selectors import PointerInput
from gateway.testing import FakeClock
from gateway.udm import UnifiedMapping
from tests.graphql.world import World
from tests.support import following
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection, customer, definition, instance

HISTORY = """query ($id: ID!, $first: Int! = 50, $after: String, $types: [ChangeType!]) { dataSourceInstance(by: { id: $id }) {
  events(first: $first, after: $after, types: $types) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node { cursor type externalId } } } } }"""
SUBSCRIBE = """mutation ($input: DataSourceInstanceSubscribeInput!) { dataSourceInstanceSubscribe(input: $input) {
  dataSourceInstance { subscriptions { type method status isRealTime requiresPull requiresFullSync expiresAt error { code } webhookUrl } }
  userErrors { code message field } } }"""
UNSUBSCRIBE = """mutation ($input: DataSourceInstanceUnsubscribeInput!) { dataSourceInstanceUnsubscribe(input: $input) {
  dataSourceInstance { subscriptions { type status } } userErrors { code } } }"""
SYNC = """mutation ($input: DataSourceInstanceSyncInput!) { dataSourceInstanceSync(input: $input) {
  syncRun { id kind status conclusion recordCount startedAt dataSourceInstance { id } } userErrors { code message field } } }"""
CANCEL = "mutation ($id: ID!) { syncRunCancel(input: { id: $id }) { syncRun { status conclusion } userErrors { code message field } } }"
RELEASE = "mutation ($id: ID!) { syncRunRelease(input: { id: $id }) { syncRun { status } userErrors { code message field } } }"


@pytest.fixture
async def cards(world: World, notes_app: NotesApp) -> DataSourceInstance:
    """An instance that points at the cards of the app, which tells what changed; the app has forgotten what it was asked for that."""
    notes_app.sync_support = SyncSupport(cursor=CursorSync(), volatile_fields=("number",))
    await definition(world.runtime, udm="tasks", pointer=PointerInput(path="/data/cards"))
    row = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    notes_app.requests.clear()
    return row


@pytest.fixture
async def place(world: World, cards: DataSourceInstance) -> ObservedPlace:
    """The same, in sync."""
    return await following.in_sync(world.runtime, cards, Pointer("cards"))


async def live(world: World, place: ObservedPlace) -> None:
    """A card comes, changes, and goes; another one comes."""
    await following.observe(world.runtime, place, {"1": {"title": "First", "points": 1, "number": 1}})
    await following.observe(world.runtime, place, {"1": {"title": "Changed", "points": 1, "number": 2}}, method=EventMethod.FULL_SCAN)
    await following.observe(world.runtime, place, {"1": None, "2": {"title": "Second"}})


async def history(world: World, row: DataSourceInstance, **variables: Any) -> Any:
    return (await world.ask(HISTORY, id=global_id(row), **variables))["dataSourceInstance"]["events"]


async def test_an_event_shows_the_record_as_it_was_and_what_changed_without_asking_the_app(
    world: World, cards: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    await live(world, place)
    document = """query ($id: ID!) { dataSourceInstance(by: { id: $id }) { events { nodes { type method externalId recordedAt
      previousFields changedFields dataSourceInstance { id } record { id externalId fields
      unified { externalId ... on UnifiedTask { subject } } collection { key path } } } } } }"""

    created, updated, deleted, another = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]["events"]["nodes"]

    own = {"dataSourceInstance": {"id": global_id(cards)}, "recordedAt": "2026-01-01T00:00:00Z"}
    collection = {"key": "cards", "path": "/data/cards"}
    record = updated.pop("record")
    assert updated == own | {
        "type": "UPDATED",
        "method": "FULL_SCAN",
        "externalId": "1",
        "previousFields": {"title": "First", "points": 1, "number": 1},
        "changedFields": ["title"],
    }
    assert {name: value for name, value in record.items() if name != "id"} == {
        "externalId": "1",
        "fields": {"title": "Changed", "points": 1, "number": 2},
        "unified": {"externalId": "1", "subject": "Changed"},
        "collection": collection,
    }
    assert (created["type"], created["previousFields"], created["changedFields"]) == ("CREATED", None, None)
    assert (deleted["type"], deleted["record"], deleted["changedFields"]) == ("DELETED", None, None)
    assert deleted["previousFields"] == {"title": "Changed", "points": 1, "number": 2}
    assert (another["externalId"], another["record"]["fields"]) == ("2", {"title": "Second"})
    assert notes_app.requests == []


async def test_the_record_of_an_event_is_the_node_that_the_app_has(
    world: World, cards: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    await following.observe(world.runtime, place, {"1": {"title": "Then"}})
    document = (
        "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { events { nodes { record { id } } } record(externalId: 1) { id } } }"
    )
    document = document.replace("externalId: 1", 'externalId: "1"')

    found = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]

    assert found["events"]["nodes"] == [{"record": found["record"]}]


async def test_an_event_keeps_the_collection_that_it_was_of(world: World, cards: DataSourceInstance, place: ObservedPlace):
    await following.observe(world.runtime, place, {"1": {"title": "Then"}})
    elsewhere = await following.in_sync(world.runtime, cards, Pointer("cards", {"box": 7}), generation=2)
    await following.observe(world.runtime, elsewhere, {"1": {"title": "Now"}})
    document = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { events { nodes { record { collection { path } } } } } }"

    nodes = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]["events"]["nodes"]

    assert [node["record"]["collection"]["path"] for node in nodes] == ["/data/cards", "/data/cards?box=7"]


async def test_without_bodies_an_event_names_the_record_alone(world: World, cards: DataSourceInstance, place: ObservedPlace):
    for fields in ({"title": "First"}, {"title": "Second"}):
        await following.observe(world.runtime, place, {"1": fields}, keeps_bodies=False)
    document = (
        "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { events { nodes { type record { id } previousFields changedFields } } } }"
    )

    nodes = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]["events"]["nodes"]

    nothing = {"record": None, "previousFields": None, "changedFields": None}
    assert nodes == [{"type": "CREATED", **nothing}, {"type": "UPDATED", **nothing}]


async def test_what_reads_a_page_of_events_as_a_model_is_compiled_once(
    world: World, cards: DataSourceInstance, place: ObservedPlace, monkeypatch: pytest.MonkeyPatch
):
    await live(world, place)
    compiled = []
    reading = UnifiedMapping.reading
    monkeypatch.setattr(UnifiedMapping, "reading", lambda *arguments: compiled.append(arguments) or reading(*arguments))
    document = "{ events { nodes { record { unified { ... on UnifiedTask { subject } } } } } }"
    found = await world.ask(f"query ($id: ID!) {{ dataSourceInstance(by: {{ id: $id }}) {document} }}", id=global_id(cards))

    records = [event["record"] for event in found["dataSourceInstance"]["events"]["nodes"]]
    assert [record and record["unified"]["subject"] for record in records] == ["First", "Changed", None, "Second"]
    assert len(compiled) == 1


async def test_history_is_read_page_by_page_by_type_and_counted(world: World, cards: DataSourceInstance, place: ObservedPlace):
    await live(world, place)
    first = await history(world, cards, first=3)
    rest = await history(world, cards, first=3, after=first["pageInfo"]["endCursor"])

    assert [edge["node"]["type"] for edge in [*first["edges"], *rest["edges"]]] == ["CREATED", "UPDATED", "DELETED", "CREATED"]
    assert all(edge["cursor"] == edge["node"]["cursor"] for edge in first["edges"])
    assert (first["totalCount"], rest["totalCount"]) == (4, 4)
    assert [page["pageInfo"]["hasNextPage"] for page in (first, rest)] == [True, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (first, rest)] == [False, True]
    only = await history(world, cards, first=1, types=["DELETED", "UPDATED"])
    assert ([edge["node"]["type"] for edge in only["edges"]], only["totalCount"]) == (["UPDATED"], 2)


async def test_history_has_nothing_of_other_instances(world: World, cards: DataSourceInstance, place: ObservedPlace):
    second = await instance(world.runtime, world.acme, await connection(world.runtime, world.acme))
    await live(world, place)

    assert await history(world, second) == {
        "totalCount": 0,
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "endCursor": None},
        "edges": [],
    }


async def test_the_logs_end_is_where_history_goes_on(world: World, cards: DataSourceInstance, place: ObservedPlace):
    await live(world, place)
    document = "query ($id: ID!) { dataSourceInstance(by: { id: $id }) { eventsCursor connection { eventsCursor } } }"
    found = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]
    assert found["eventsCursor"] == found["connection"]["eventsCursor"]

    await following.observe(world.runtime, place, {"3": {"title": "Third"}})

    assert [edge["node"]["externalId"] for edge in (await history(world, cards, after=found["eventsCursor"]))["edges"]] == ["3"]


@pytest.mark.parametrize(
    "asking",
    [
        "dataSourceInstance(by: $by) { records { nodes { id } } }",
        'dataSourceInstance(by: $by) { record(externalId: "1") { id } }',
        'dataSourceInstance(by: $by) { match(by: { fields: { title: "x" } }) { id } }',
        "node(id: $record) { id }",
        'dataSourceInstance(by: $by) { events { nodes { record { reference(field: "personId") { id } } } } }',
        "dataSourceInstance(by: $by) { events { nodes { record { unified { ... on UnifiedTask { assignee { externalId } } } } } } }",
    ],
)
async def test_the_app_is_asked_after_the_logs_end_wherever_the_operation_shows_it(
    asking: str, world: World, cards: DataSourceInstance, place: ObservedPlace, notes_app: NotesApp
):
    async def meanwhile() -> None:
        await following.observe(world.runtime, place, {"late": {"title": "While the app is asked"}})

    await following.observe(world.runtime, place, {"1": {"title": "First", "personId": 100}})
    notes_app.meanwhile = meanwhile
    # So far down that it is come to long after the app was asked; pages of other sizes are read anew.
    deep = "eventsCursor"
    for first in range(1, 9):
        deep = f"connection {{ dataSourceInstances(first: {first}) {{ nodes {{ {deep} }} }} }}"
    deep = f"dataSourceInstances {{ nodes {{ {deep} }} }}"
    record = record_id(cards.connection_id, Pointer("cards"), "1")
    document = f"{{ {asking} {deep} }}".replace("$by", f'{{ id: "{global_id(cards)}" }}').replace("$record", f'"{record}"')
    found = await world.ask(document)

    (after,) = re.findall(r"'eventsCursor': '([^']+)'", repr(found))
    assert notes_app.meanwhile is None
    assert [edge["node"]["externalId"] for edge in (await history(world, cards, after=after))["edges"]] == ["late"]


@pytest.mark.parametrize(
    ("after", "code"),
    [("nonsense", "INVALID"), ("", "INVALID"), (f"{'0' * 32}.0", "CURSOR_EXPIRED"), (f"{'0' * 32}.{2**63}", "INVALID")],
)
async def test_a_cursor_that_means_nothing_here_is_refused(after: str, code: str, world: World, cards: DataSourceInstance):
    assert (await world.error(HISTORY, id=global_id(cards), after=after))[0] == code


async def test_a_page_of_history_has_its_bounds(world: World, cards: DataSourceInstance):
    assert await world.error(HISTORY, id=global_id(cards), first=101) == (
        "PAGE_TOO_LARGE",
        "`first` is 101; it must lie between 1 and 100. Ask for several pages, by `after`.",
    )
    assert await world.error(HISTORY, id=global_id(cards), types=[]) == (
        "INVALID",
        "The list of types is empty. Name one, or leave it out for all.",
    )


async def test_interest_is_asked_for_shown_and_ended(world: World, cards: DataSourceInstance):
    by = {"id": global_id(cards)}
    shown = {"status": "SUBSCRIBED", "isRealTime": False, "expiresAt": None, "error": None, "webhookUrl": None}

    answer = (await world.ask(SUBSCRIBE, input={"by": by}))["dataSourceInstanceSubscribe"]
    assert answer == {
        "dataSourceInstance": {
            "subscriptions": [
                {"type": "CREATED", "method": "PULL", "requiresPull": True, "requiresFullSync": False, **shown},
                {"type": "UPDATED", "method": "PULL", "requiresPull": True, "requiresFullSync": False, **shown},
                {"type": "DELETED", "method": "FULL_SCAN", "requiresPull": False, "requiresFullSync": True, **shown},
            ]
        },
        "userErrors": [],
    }
    ended = (await world.ask(UNSUBSCRIBE, input={"by": by, "types": ["CREATED"]}))["dataSourceInstanceUnsubscribe"]
    assert ended["dataSourceInstance"]["subscriptions"] == [
        {"type": "CREATED", "status": "UNSUBSCRIBED"},
        {"type": "UPDATED", "status": "SUBSCRIBED"},
        {"type": "DELETED", "status": "SUBSCRIBED"},
    ]
    refused = (await world.ask(SUBSCRIBE, input={"by": by, "types": []}))["dataSourceInstanceSubscribe"]
    assert refused["userErrors"] == [
        {"code": "INVALID", "message": "The list of types is empty. Name one, or leave it out for all.", "field": ["input", "types"]}
    ]


async def test_a_subscription_says_when_its_next_runs_are_and_what_went_wrong(world: World, cards: DataSourceInstance, clock: FakeClock):
    await world.ask(SUBSCRIBE, input={"by": {"id": global_id(cards)}, "types": ["UPDATED"]})
    await following.change_task(world.runtime, cards, TaskKind.PULL, due_at=clock.now() + timedelta(seconds=300))
    row = (await following.subscriptions_of(world.runtime, cards))["UPDATED"]
    document = """query ($id: ID!) { node(id: $id) { id ... on EventSubscription {
      nextPullAt nextFullSyncAt error { code message element { id } } dataSourceInstance { path } } } }"""

    assert (await world.ask(document, id=global_id(row)))["node"] == {
        "id": global_id(row),
        "nextPullAt": "2026-01-01T00:05:00Z",
        "nextFullSyncAt": None,
        "error": None,
        "dataSourceInstance": {"path": "/data/cards"},
    }


async def test_a_run_is_asked_for_shown_and_cancelled(world: World, cards: DataSourceInstance):
    by = {"id": global_id(cards)}
    refused = (await world.ask(SYNC, input={"by": by}))["dataSourceInstanceSync"]
    assert (refused["syncRun"], refused["userErrors"][0]["code"]) == (None, "INVALID")

    await world.ask(SUBSCRIBE, input={"by": by})
    run = (await world.ask(SYNC, input={"by": by}))["dataSourceInstanceSync"]["syncRun"]
    assert run == {
        "id": run["id"],
        "kind": "PULL_UPDATES",
        "status": "QUEUED",
        "conclusion": None,
        "recordCount": 0,
        "startedAt": None,
        "dataSourceInstance": by,
    }
    held = (await world.ask(RELEASE, id=run["id"]))["syncRunRelease"]
    assert held == {
        "syncRun": None,
        "userErrors": [
            {"code": "CONFLICT", "message": "The run is not held, it is QUEUED: there is nothing to release.", "field": ["input", "id"]}
        ],
    }
    ended = (await world.ask(CANCEL, id=run["id"]))["syncRunCancel"]
    assert ended == {"syncRun": {"status": "COMPLETED", "conclusion": "CANCELLED"}, "userErrors": []}
    wrong = (await world.ask(CANCEL, id=global_id(cards)))["syncRunCancel"]["userErrors"]
    assert [(error["code"], error["field"]) for error in wrong] == [("INVALID", ["input", "id"])]


async def test_runs_are_listed_newest_first_and_the_newest_is_the_latest(world: World, cards: DataSourceInstance):
    document = """query ($id: ID!, $after: String) { dataSourceInstance(by: { id: $id }) { latestSyncRun { id }
      syncRuns(first: 2, after: $after) { totalCount nodes { id error { code message } } pageInfo { hasNextPage endCursor } } } }"""
    nothing = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]
    assert (nothing["latestSyncRun"], nothing["syncRuns"]["totalCount"]) == (None, 0)

    await world.ask(SUBSCRIBE, input={"by": {"id": global_id(cards)}})
    made = []
    for _ in range(3):
        run = (await world.ask(SYNC, input={"by": {"id": global_id(cards)}}))["dataSourceInstanceSync"]["syncRun"]["id"]
        await world.ask(CANCEL, id=run)
        made.append(run)

    first = (await world.ask(document, id=global_id(cards)))["dataSourceInstance"]
    rest = (await world.ask(document, id=global_id(cards), after=first["syncRuns"]["pageInfo"]["endCursor"]))["dataSourceInstance"]
    assert [node["id"] for page in (first, rest) for node in page["syncRuns"]["nodes"]] == made[::-1]
    assert first["latestSyncRun"] == {"id": made[-1]}
    assert (first["syncRuns"]["totalCount"], first["syncRuns"]["pageInfo"]["hasNextPage"]) == (3, True)
    assert rest["syncRuns"]["pageInfo"]["hasNextPage"] is False


async def test_another_customer_sees_nothing_of_it(world: World, cards: DataSourceInstance):
    globex = await customer(world.runtime, "globex")
    await world.ask(SUBSCRIBE, input={"by": {"id": global_id(cards)}})
    run = (await world.ask(SYNC, input={"by": {"id": global_id(cards)}}))["dataSourceInstanceSync"]["syncRun"]["id"]
    hidden = [run, *(global_id(row) for row in (await following.subscriptions_of(world.runtime, cards)).values())]

    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await world.ask(document, globex, ids=hidden) == {"nodes": [None] * 4}
    assert await world.ask(document, ids=hidden) == {"nodes": [{"id": each} for each in hidden]}
    for mutation in (CANCEL, RELEASE):
        ((_, payload),) = (await world.ask(mutation, globex, id=run)).items()
        assert payload["userErrors"] == [{"code": "NOT_FOUND", "message": "There is no sync run of that id.", "field": ["input", "id"]}]
