"""What the demo's external app lets its clients write."""

import json
from dataclasses import asdict

import pytest

from gateway.demo.endpoints import LARGEST_BODY, MOST_KEYS
from gateway.demo.workplace import Workplace
from tests.demo.conftest import NOW

TASK = {"title": "Water the plants", "projectId": 4}
NO_PROJECT = "must be a project that exists; there is no project 99."
NO_FIELD = "is no field of a task that can be written."


async def test_a_task_is_created_with_what_is_usual_for_the_rest(client, workplace):
    answer = await client.post("/tasks", json=TASK)

    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.json() == {
        "id": 581,
        "projectId": 4,
        "title": "Water the plants",
        "notes": None,
        "status": "open",
        "priority": "normal",
        "assigneeId": None,
        "followerIds": [],
        "labels": [],
        "dueAt": None,
        "createdById": 1,
        "revision": 1,
        "createdAt": "2026-06-01T12:00:00Z",
        "updatedAt": "2026-06-01T12:00:00Z",
    }
    assert (await client.get("/tasks/581")).json() == answer.json()
    assert len(workplace.tasks) == 481


async def test_all_that_a_task_can_have_is_kept(client):
    given = {
        **TASK,
        "notes": "Twice\ta week.\n👩‍👩‍👧 ünïcödé",
        "status": "in_progress",
        "priority": "high",
        "assigneeId": 3,
        "followerIds": [5, 4, 5],
        "labels": ["green", "green", "office"],
        "dueAt": "2026-07-01T09:00:00.250+02:00",
    }

    created = (await client.post("/tasks", json=given)).json()

    expected = {**given, "followerIds": [5, 4], "labels": ["green", "office"], "dueAt": "2026-07-01T07:00:00Z"}
    assert expected.items() <= created.items()


async def test_an_update_changes_what_it_names_and_the_revision(client, workplace):
    before = asdict(workplace.tasks[101])

    answer = await client.patch("/tasks/101", json={"title": "Plan it", "assigneeId": None})

    changed = {"title": "Plan it", "assigneeId": None, "revision": 2, "updatedAt": "2026-06-01T12:00:00Z"}
    assert answer.status_code == 200
    assert answer.json() == {**json.loads(json.dumps(before)), **changed}
    assert answer.headers["etag"] == '"2"'


async def test_a_deleted_task_is_gone(client, workplace):
    assert (await client.delete("/tasks/101")).status_code == 204
    assert (await client.delete("/tasks/101")).json() == {"error": {"message": "There is no task 101."}}
    assert 101 not in workplace.tasks


@pytest.mark.parametrize("tag", ['"1"', '"7", "1"', "*"])
async def test_a_write_for_the_version_that_holds_is_made(client, tag):
    assert (await client.patch("/tasks/101", json={"title": "Now"}, headers={"If-Match": tag})).status_code == 200


@pytest.mark.parametrize("tag", ['"2"', "1", "", "nonsense"])
async def test_a_write_for_another_version_changes_nothing(client, workplace, tag):
    before = dict(workplace.tasks)

    update = await client.patch("/tasks/101", json={"title": "Now"}, headers={"If-Match": tag})
    deletion = await client.delete("/tasks/101", headers={"If-Match": tag})

    assert (update.status_code, deletion.status_code) == (412, 412)
    assert update.json() == {"error": {"message": "It has changed meanwhile: it is at revision 1."}}
    assert workplace.tasks == before


async def test_the_same_creation_with_the_same_key_is_made_once(client, workplace):
    headers = {"Idempotency-Key": "plants-1"}

    first = await client.post("/tasks", json=TASK, headers=headers)
    again = await client.post("/tasks", json=dict(reversed(TASK.items())), headers=headers)
    other = await client.post("/tasks", json={**TASK, "title": "Water them"}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == first.json()
    assert other.json() == {"error": {"message": "This Idempotency-Key came with another request before."}}
    assert len(workplace.tasks) == 481


async def test_a_refused_creation_leaves_its_key_free(client):
    headers = {"Idempotency-Key": "plants-2"}

    refused = await client.post("/tasks", json={"title": ""}, headers=headers)
    made = await client.post("/tasks", json=TASK, headers=headers)

    assert (refused.status_code, made.status_code) == (422, 201)


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_a_length(client, key):
    assert (await client.post("/tasks", json=TASK, headers={"Idempotency-Key": key})).status_code == 400


async def test_the_latest_keys_are_remembered(client, workplace):
    for number in range(MOST_KEYS + 1):
        await client.post("/users", json={"name": "N", "email": f"n{number}@example.com"}, headers={"Idempotency-Key": str(number)})

    latest = await client.post(
        "/users", json={"name": "N", "email": f"n{MOST_KEYS}@example.com"}, headers={"Idempotency-Key": str(MOST_KEYS)}
    )
    first = await client.post("/users", json={"name": "N", "email": "n0@example.com"}, headers={"Idempotency-Key": "0"})

    assert (latest.status_code, first.status_code) == (201, 422)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"projectId": "is required.", "title": "is required."}),
        ({"title": "", "projectId": 99}, {"title": "must have 1 to 200 characters.", "projectId": NO_PROJECT}),
        ({**TASK, "title": "x" * 201}, {"title": "must have 1 to 200 characters."}),
        ({**TASK, "title": " "}, {"title": "must have 1 to 200 characters."}),
        ({**TASK, "title": "a\x00b"}, {"title": "must be text."}),
        ({**TASK, "title": "\ud800"}, {"title": "must be text."}),
        ({**TASK, "title": 7}, {"title": "must be text."}),
        ({**TASK, "projectId": True}, {"projectId": "must be the number of a project."}),
        ({**TASK, "projectId": 4.0}, {"projectId": "must be the number of a project."}),
        ({**TASK, "status": ["open"]}, {"status": "must be one of open, in_progress, done."}),
        ({**TASK, "assigneeId": 99}, {"assigneeId": "must be a user that exists; there is no user 99."}),
        ({**TASK, "followerIds": 3}, {"followerIds": "must be a list of at most 20."}),
        ({**TASK, "labels": ["x"] * 21}, {"labels": "must be a list of at most 20."}),
        ({**TASK, "labels": [None]}, {"labels": "must be text."}),
        ({**TASK, "dueAt": "soon"}, {"dueAt": "must be a time with its zone, such as 2026-03-01T09:00:00Z."}),
        ({**TASK, "dueAt": "0001-01-01T00:00:00+10:00"}, {"dueAt": "must be a time of the years 1 to 9999."}),
        ({**TASK, "id": 7, "colour": 1}, {"id": NO_FIELD, "colour": NO_FIELD}),
    ],
    ids=lambda part: ",".join(f"{name}" for name in part)[:60],
)  # fmt: skip
async def test_what_is_wrong_with_each_field_is_told_and_nothing_is_made(client, workplace: Workplace, given, fields):
    answer = await client.post("/tasks", content=json.dumps(given))

    expected = [{"field": name, "message": message} for name, message in fields.items()]
    assert answer.status_code == 422
    assert answer.json() == {"error": {"message": "The task is not valid.", "fields": expected}}
    assert len(workplace.tasks) == 480


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 400, "The body is not JSON."),
        (b"{", 400, "The body is not JSON."),
        (b"\xff", 400, "The body is not JSON."),
        (b"[" * 10_000, 400, "The body is not JSON."),
        (b"[]", 422, "Send a JSON object of fields."),
        (b"null", 422, "Send a JSON object of fields."),
        (b'{"title": "' + b"x" * LARGEST_BODY + b'"}', 413, f"A request has at most {LARGEST_BODY} bytes."),
        (b'{"\\ud800": 1}', 422, "The task is not valid."),
    ],
    ids=["nothing", "half", "no text", "deep", "a list", "null", "large", "half a character"],
)
@pytest.mark.parametrize("key", [None, "k"])
async def test_a_body_that_is_no_object_is_refused(client, content, status, message, key):
    answer = await client.post("/tasks", content=content, headers={"Idempotency-Key": key} if key else {})

    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)


async def test_a_project_goes_when_its_tasks_have_gone(client, workplace):
    made = (await client.post("/projects", json={"name": "Garden"})).json()
    full = await client.delete("/projects/1")
    gone = await client.delete(f"/projects/{made['id']}", headers={"If-Match": '"1"'})

    count = sum(task.projectId == 1 for task in workplace.tasks.values())
    assert made == {
        "id": 9,
        "name": "Garden",
        "description": "",
        "ownerId": 1,
        "revision": 1,
        "createdAt": "2026-06-01T12:00:00Z",
    }
    assert (full.status_code, full.json()["error"]["message"]) == (409, f"The project holds {count} tasks. Move or delete them first.")
    assert (gone.status_code, 9 in workplace.projects) == (204, False)


async def test_the_last_project_stays(client, workplace):
    workplace.tasks.clear()

    answers = [(await client.delete(f"/projects/{number}")).status_code for number in range(1, 9)]

    assert answers == [204] * 7 + [409]


async def test_a_users_address_is_one_of_a_kind(client, workplace):
    taken = await client.post("/users", json={"name": "Ada", "email": "ADA.Almeida@workplace.example"})
    moved = await client.patch("/users/2", json={"email": "ada.almeida@workplace.example"})
    kept = await client.patch("/users/1", json={"email": "ada.almeida@workplace.example", "isActive": False})

    fields = [{"field": "email", "message": "is the address of another user."}]
    assert (taken.status_code, taken.json()["error"]["fields"]) == (422, fields)
    assert (moved.status_code, kept.status_code) == (422, 200)
    assert (workplace.users[1].isActive, len(workplace.users)) == (False, 24)


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/users/1"), ("PUT", "/tasks/101"), ("PATCH", "/tasks"), ("POST", "/me")])
async def test_what_cannot_be_done_is_refused(client, method, path):
    answer = await client.request(method, path, json={})

    assert (answer.status_code, answer.json()) == (405, {"error": {"message": "Method Not Allowed"}})


@pytest.mark.parametrize("path", ["/tasks/99", "/projects/99", "/users/99"])
async def test_what_is_not_there_cannot_be_changed(client, path):
    answer = await client.patch(path, json={})

    assert answer.status_code == 404


def test_changes_go_on_when_the_clients_have_deleted_everything():
    workplace = Workplace()
    workplace.tasks.clear()

    made = [workplace.change(at=NOW) for _ in range(50)]

    assert len(made) == 50
    assert workplace.tasks
