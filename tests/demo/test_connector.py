"""The demo's connector over the demo's app: every operation that it declares."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import Http
from gateway.connectors.loading import load_connector_file
from gateway.connectors.protocol import Access
from gateway.demo.app import create_app
from gateway.demo.hosting import hosted
from gateway.errors import ConflictError, NotFoundError, UnsupportedError, UpstreamRejectedError
from gateway.models import CollectionOperation, Condition, FilterOperator, PageRequest, Pointer, RecordOrder, RecordQuery
from gateway.models.queries import OrderDirection
from tests.demo.conftest import KEY

FILE = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog" / "demo.yaml"
TASKS, PROJECTS, USERS = Pointer("tasks"), Pointer("projects"), Pointer("users")
EQ, NE, IN, LT, GTE = FilterOperator.EQ, FilterOperator.NE, FilterOperator.IN, FilterOperator.LT, FilterOperator.GTE
CONTAINS, STARTS_WITH = FilterOperator.CONTAINS, FilterOperator.STARTS_WITH


@pytest.fixture
async def access(workplace) -> AsyncIterator[Access]:
    app = create_app(workplace, key=KEY, now=SystemClock().now, seconds_between_changes=None)
    async with hosted(app) as address:
        yield Access(connection_id="c", parameters={"server": address}, auth_method="token", credentials={"token": KEY})


@pytest.fixture
async def connector() -> AsyncIterator[DeclarativeConnector]:
    http = Http(allowed_networks=[ip_network("127.0.0.0/8")])
    yield DeclarativeConnector(load_connector_file(FILE), http)
    await http.aclose()


def where(*conditions: tuple[str, FilterOperator, Any], **rest: Any) -> RecordQuery:
    return RecordQuery(conditions=tuple(Condition(field=field, operator=how, value=value) for field, how, value in conditions), **rest)


async def ids(connector: DeclarativeConnector, access: Access, collection: Pointer, query: RecordQuery) -> list[int]:
    found, token = [], None
    while True:
        page = await connector.records(access, collection, PageRequest(size=100, token=token), query)
        found += [int(record.external_id) for record in page.items]
        token = page.next_token
        if token is None:
            return found


def test_the_spec_tells_what_each_collection_can_do(connector):
    everything = [operation.value for operation in CollectionOperation]
    tasks, projects, users = connector.spec.collections

    assert sorted(tasks.operations) == sorted(projects.operations) == sorted(everything)
    assert sorted(users.operations) == sorted({*everything} - {"DELETE"})
    assert (tasks.takes_version, tasks.takes_idempotency_key, tasks.find_by_ids_maximum) == (True, True, 100)
    assert (users.takes_version, users.takes_idempotency_key) == (False, True)
    assert tasks.order_fields == ("id", "title", "status", "dueAt", "createdAt", "updatedAt")
    assert tasks.create_fields_schema["required"] == ["title", "projectId"]
    assert "required" not in tasks.update_fields_schema
    assert tasks.create_fields_schema["additionalProperties"] is False
    assert set(tasks.create_fields_schema["properties"]) == {
        "projectId", "title", "notes", "status", "priority", "assigneeId", "followerIds", "labels", "dueAt",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ([("status", EQ, "open")], lambda task: task.status == "open"),
        ([("status", NE, "open"), ("projectId", EQ, 3)], lambda task: task.status != "open" and task.projectId == 3),
        ([("status", IN, ["open", "done"])], lambda task: task.status in ("open", "done")),
        ([("projectId", IN, [1, 2])], lambda task: task.projectId in (1, 2)),
        ([("assigneeId", EQ, None)], lambda task: task.assigneeId is None),
        ([("assigneeId", NE, None)], lambda task: task.assigneeId is not None),
        ([("assigneeId", IN, [None, 4])], lambda task: task.assigneeId in (None, 4)),
        ([("title", CONTAINS, "Start Page")], lambda task: "the start page" in task.title),
        ([("title", STARTS_WITH, "fix the")], lambda task: task.title.startswith("Fix the")),
        ([("title", EQ, "")], lambda task: False),
        ([("title", EQ, "x&status.eq=open#?%20'\"${value}\u2028")], lambda task: False),
        ([("labels", CONTAINS, "legal")], lambda task: "legal" in task.labels),
        ([("followerIds", CONTAINS, 7)], lambda task: 7 in task.followerIds),
        ([("dueAt", EQ, None)], lambda task: task.dueAt is None),
        ([("dueAt", LT, "2026-01-20T00:00:00Z")], lambda task: task.dueAt is not None and task.dueAt < "2026-01-20T00:00:00Z"),
        ([("createdAt", GTE, "2026-01-20T00:00:00Z")], lambda task: task.createdAt >= "2026-01-20T00:00:00Z"),
        ([("id", IN, [103, 101, 9])], lambda task: task.id in (101, 103)),
        ([("id", EQ, 101), ("status", EQ, "open")], lambda task: task.id == 101 and task.status == "open"),
    ],
    ids=lambda part: " ".join(f"{field} {how.value} {value}" for field, how, value in part)[:60] if isinstance(part, list) else "",
)  # fmt: skip
async def test_a_filter_finds_what_it_says(connector, access, workplace, conditions, holds):
    found = await ids(connector, access, TASKS, where(*conditions))

    assert found == [task.id for task in workplace.tasks.values() if holds(task)]


async def test_a_narrowed_place_holds_no_other_tasks_whoever_names_them(connector, access, workplace):
    place = Pointer("tasks", {"projectId": 2, "status": "open"})
    held = next(task.id for task in workplace.tasks.values() if task.projectId == 2 and task.status == "open")
    others = [
        next(task.id for task in workplace.tasks.values() if task.projectId == 2 and task.status == "done"),
        next(task.id for task in workplace.tasks.values() if task.projectId != 2 and task.status == "open"),
    ]
    before = dict(workplace.tasks)

    for other in map(str, others):
        assert await connector.record(access, TASKS, other) is not None
        assert await connector.record(access, place, other) is None
        with pytest.raises(NotFoundError):
            await connector.update(access, place, other, {"title": "Elsewhere"})
        with pytest.raises(NotFoundError):
            await connector.delete(access, place, other)
    assert workplace.tasks == before
    assert list(await connector.records_by_ids(access, place, [str(held), *map(str, others)])) == [str(held)]
    assert (await connector.record(access, place, str(held))).external_id == str(held)
    assert (await connector.update(access, place, str(held), {"status": "done"})).record.fields["status"] == "done"
    assert await connector.record(access, place, str(held)) is None


async def test_a_filter_and_the_place_hold_both(connector, access, workplace):
    place = Pointer("tasks", {"projectId": 2, "status": "open"})

    assert await ids(connector, access, place, where(("status", EQ, "done"))) == []
    assert await ids(connector, access, place, where(("status", IN, ["open", "done"]), ("projectId", NE, 1))) == [
        task.id for task in workplace.tasks.values() if task.projectId == 2 and task.status == "open"
    ]


@pytest.mark.parametrize("direction", list(OrderDirection))
async def test_a_list_is_ordered_over_all_its_pages(connector, access, workplace, direction):
    found = await ids(connector, access, TASKS, RecordQuery(order=RecordOrder(field="title", direction=direction)))

    titles = [workplace.tasks[number].title for number in found]
    assert len(set(found)) == 480
    assert titles == sorted(titles, reverse=direction is OrderDirection.DESC)


async def test_a_search_finds_words_in_every_collection(connector, access):
    assert await ids(connector, access, USERS, RecordQuery(search="ADA almeida")) == [1]
    assert await ids(connector, access, PROJECTS, RecordQuery(search="office")) == [4]
    tasks = await ids(connector, access, TASKS, where(("projectId", EQ, 1), search="publish report"))
    assert 0 < len(tasks) < 5


@pytest.mark.parametrize(
    "query",
    [
        where(("notes", EQ, "x")),
        where(("status", LT, "open")),
        where(("labels", EQ, ["x"])),
        where(("status", IN, ["open,done"])),
        where(("priority", IN, ["low", "normal,high"])),
        where(("dueAt", EQ, "null")),
        RecordQuery(order=RecordOrder(field="priority")),
    ],
    ids=["field", "operator", "list", "two in one", "two in one of two", "null as a text", "order"],
)
async def test_what_the_app_cannot_do_is_refused(connector, access, query):
    with pytest.raises(UnsupportedError):
        await ids(connector, access, TASKS, query)


async def test_records_are_found_by_id_and_by_ids(connector, access):
    record = await connector.record(access, TASKS, "101")
    found = await connector.records_by_ids(access, TASKS, [str(number) for number in (101, 580, 99999)])

    assert (record.external_id, record.version, record.fields["id"]) == ("101", "1", 101)
    assert sorted(found) == ["101", "580"]
    assert found["101"] == record
    assert await connector.record(access, TASKS, "99999") is None


@pytest.mark.parametrize(
    "external_id", ["../admin", "..", "101/..", "0101", "-1", "1e2", "101?x=1", "", "abc", "１０１", "9" * 50, "1\r\nX: y"]
)
async def test_what_is_no_id_of_the_app_is_not_there(connector, access, external_id):
    assert await connector.record(access, TASKS, external_id) is None
    with pytest.raises(NotFoundError):
        await connector.delete(access, TASKS, external_id)


async def test_a_record_is_matched_by_its_fields(connector, access):
    found = await connector.match(access, USERS, {"email": "ada.almeida@workplace.example"})

    assert found.external_id == "1"
    assert await connector.match(access, USERS, {"email": "nobody@workplace.example"}) is None
    assert (await connector.match(access, TASKS, {"status": "done", "assigneeId": None})).fields["assigneeId"] is None


async def test_a_task_is_created_changed_and_deleted(connector, access, workplace):
    created = await connector.create(access, TASKS, {"title": "Water the plants", "projectId": 4})
    number = created.external_id
    changed = await connector.update(access, TASKS, number, {"status": "done", "dueAt": None}, if_version=created.record.version)
    await connector.delete(access, TASKS, number, if_version=changed.record.version)

    assert (created.record.fields["title"], created.record.version) == ("Water the plants", "1")
    assert (changed.external_id, changed.record.fields["status"], changed.record.version) == (number, "done", "2")
    assert int(number) not in workplace.tasks
    with pytest.raises(NotFoundError):
        await connector.update(access, TASKS, number, {"status": "done"})


async def test_a_stale_version_conflicts_and_changes_nothing(connector, access, workplace):
    before = dict(workplace.tasks)

    with pytest.raises(ConflictError):
        await connector.update(access, TASKS, "101", {"status": "done"}, if_version="7")
    with pytest.raises(ConflictError):
        await connector.delete(access, TASKS, "101", if_version="7")

    assert workplace.tasks == before


@pytest.mark.parametrize("version", ["", "*", '1"', '7", "1', "1\r\nX: y", "ü"])
async def test_a_version_that_is_none_changes_nothing(connector, access, workplace, version):
    before = dict(workplace.tasks)

    with pytest.raises((ConflictError, UpstreamRejectedError)):
        await connector.delete(access, TASKS, "101", if_version=version)

    assert workplace.tasks == before


async def test_the_same_creation_with_the_same_key_is_made_once(connector, access, workplace):
    fields = {"title": "Water the plants", "projectId": 4}

    first = await connector.create(access, TASKS, fields, idempotency_key="plants")
    again = await connector.create(access, TASKS, fields, idempotency_key="plants")

    assert first == again
    assert len(workplace.tasks) == 481


async def test_users_have_no_versions_and_are_not_deleted(connector, access):
    changed = await connector.update(access, USERS, "1", {"isActive": False})

    assert changed.record.fields["isActive"] is False
    with pytest.raises(UnsupportedError):
        await connector.update(access, USERS, "1", {"isActive": True}, if_version="1")
    with pytest.raises(UnsupportedError):
        await connector.delete(access, USERS, "1")


async def test_the_apps_refusal_says_what_is_wrong_with_each_field(connector, access, workplace):
    with pytest.raises(UpstreamRejectedError) as refused:
        await connector.create(access, TASKS, {"title": " ", "projectId": 99})
    with pytest.raises(UpstreamRejectedError) as kept:
        await connector.delete(access, PROJECTS, "1")

    assert refused.value.message == "Demo refused the request (422): The task is not valid."
    assert refused.value.fields == {
        "title": "must have 1 to 200 characters",
        "projectId": "must be a project that exists; there is no project 99",
    }
    assert kept.value.message.startswith("Demo refused the request (409): The project holds ")
    assert len(workplace.tasks) == 480


async def test_tasks_read_and_write_as_the_model(connector, access):
    translation = connector.mapping(TASKS, "tasks")
    schema = connector.spec.collections[0].create_fields_schema
    unified = {
        "subject": "Water the plants",
        "content": "Twice a week",
        "status": "in progress",
        "priority": "medium",
        "assigneeId": "3",
        "followerIds": ["4", "5"],
        "projectId": "4",
        "tags": ["green"],
        "dueTime": "2026-07-01T09:00:00+02:00",
    }

    native = translation.write(unified, fields_schema=schema)
    written = await connector.create(access, TASKS, native.fields)
    read = translation.read(written.record)

    assert native.unmapped == ()
    assert native.fields["priority"] == "normal"
    assert (native.fields["projectId"], native.fields["followerIds"]) == (4, [4, 5])
    assert {**unified, "dueTime": "2026-07-01T07:00:00Z"}.items() <= read.items()
    assert (read["id"], read["createdBy"], read["ownerId"]) == (written.external_id, "1", "3")


async def test_people_and_projects_read_as_their_models(connector, access):
    user = connector.mapping(USERS, "users").read(await connector.record(access, USERS, "1"))
    project = connector.mapping(PROJECTS, "projects").read(await connector.record(access, PROJECTS, "2"))

    assert {"id": "1", "fullName": "Ada Almeida", "firstName": "Ada", "lastName": "Almeida", "isActive": True}.items() <= user.items()
    assert (user["primaryEmail"], user["emails"][0]["value"]) == ("ada.almeida@workplace.example",) * 2
    assert (project["name"], project["ownerId"]) == ("Mobile app", str((await connector.record(access, PROJECTS, "2")).fields["ownerId"]))


async def test_a_condition_on_a_list_names_one_of_its_items(connector, access, workplace):
    """The model's ids are texts, the app's are numbers."""
    schema = connector.spec.collections[0].fields_schema
    wanted = [Condition(field="followerIds", operator=CONTAINS, value="7"), Condition(field="tags", operator=CONTAINS, value="legal")]

    native = tuple(connector.mapping(TASKS, "tasks").condition(condition, fields_schema=schema) for condition in wanted)

    assert [(condition.field, condition.value) for condition in native] == [("followerIds", 7), ("labels", "legal")]
    assert await ids(connector, access, TASKS, RecordQuery(conditions=native)) == [
        task.id for task in workplace.tasks.values() if 7 in task.followerIds and "legal" in task.labels
    ]
