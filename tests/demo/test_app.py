"""The demo's external app, asked as any client would."""

import asyncio
from datetime import datetime
from itertools import pairwise

import pytest

from gateway.demo.app import create_app
from gateway.demo.things import as_json
from gateway.demo.workplace import MOST_TASKS, TASK_COUNT, Workplace
from tests.demo.conftest import KEY, NOW


@pytest.mark.parametrize(
    "headers", [{"X-Api-Key": "wrong"}, {"X-Api-Key": ""}, {"X-Api-Key": "", "Authorization": "Bearer wröng".encode()}]
)
async def test_a_request_without_the_key_is_refused(client, headers):
    response = await client.get("/tasks", headers=headers)

    assert (response.status_code, response.json()) == (401, {"error": {"message": "Send a valid key."}})


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "", "Authorization": f"Bearer {KEY}"}])
async def test_the_key_may_come_in_either_header(client, headers):
    response = await client.get("/me", headers=headers)

    assert (response.status_code, response.json()["email"]) == (200, "ada.almeida@workplace.example")


async def test_the_pages_hold_every_task_once_in_the_order_of_their_ids(client):
    pages = [(await client.get("/tasks", params={"page": page, "perPage": 100})).json() for page in range(1, 6)]

    assert [len(page["items"]) for page in pages] == [100, 100, 100, 100, 80]
    assert [page["hasMore"] for page in pages] == [True, True, True, True, False]
    assert [task["id"] for page in pages for task in page["items"]] == list(range(101, 101 + TASK_COUNT))
    assert {page["total"] for page in pages} == {TASK_COUNT}


async def test_a_page_is_fifty_by_default_and_a_hundred_at_most(client):
    assert len((await client.get("/tasks")).json()["items"]) == 50
    assert len((await client.get("/tasks?perPage=1000")).json()["items"]) == 100


async def test_a_page_after_the_last_is_empty(client):
    assert (await client.get("/users?page=2")).json() == {"items": [], "page": 2, "perPage": 50, "total": 24, "hasMore": False}


async def test_tasks_can_be_had_by_project_and_status(client, workplace):
    answer = (await client.get("/tasks", params={"projectId": 2, "status": "open", "perPage": 100})).json()

    expected = [as_json(task) for task in workplace.tasks.values() if task.projectId == 2 and task.status == "open"]
    assert len(expected) == answer["total"] == len(answer["items"]) > 0
    assert [task["id"] for task in answer["items"]] == [task["id"] for task in expected]


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/tasks?status=late", 400, "status must be one of open, in_progress, done."),
        ("/tasks?projectId=99", 404, "There is no project 99."),
        ("/tasks?projectId=x", 400, "projectId must be a positive number."),
        ("/tasks?page=0", 400, "page must be a positive number."),
        (f"/tasks?page={'9' * 5000}", 400, "page must be a positive number."),
        ("/tasks?perPage=-1", 400, "perPage must be a positive number."),
        ("/projects/99", 404, "There is no project 99."),
        ("/tasks/99", 404, "There is no task 99."),
        (f"/tasks/{'9' * 5000}", 404, f"There is no task {'9' * 100}."),
        ("/tasks/101?projectId=2", 404, "There is no task 101."),
        ("/tasks/101?projectId=8&status=done", 404, "There is no task 101."),
        ("/nothing", 404, "Not Found"),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_a_reason(client, path, status, message):
    response = await client.get(path)

    assert (response.status_code, response.json()) == (status, {"error": {"message": message}})


async def test_a_project_and_a_task_are_found_by_id(client):
    assert (await client.get("/projects/2")).json()["name"] == "Mobile app"
    assert (await client.get("/tasks/101")).json()["id"] == 101


def test_the_same_seed_gives_the_same_data_and_the_same_changes():
    one, other, different = Workplace(), Workplace(), Workplace(seed=2)

    assert one.tasks == other.tasks
    assert one.users == other.users
    assert one.tasks != different.tasks
    assert [one.change(at=NOW) for _ in range(50)] == [other.change(at=NOW) for _ in range(50)]


def test_changes_create_update_and_delete_and_the_number_of_tasks_stays_bounded():
    workplace = Workplace()
    sizes, changed = [], []

    for _ in range(2000):
        changed.append(workplace.change(at=NOW))
        sizes.append(len(workplace.tasks))

    assert all(task.updatedAt == "2026-06-01T12:00:00Z" for task in changed if task.id in workplace.tasks)
    assert (max(sizes), min(sizes)) == (MOST_TASKS, TASK_COUNT)
    assert {b - a for a, b in pairwise(sizes)} == {-1, 0, 1}


async def test_something_changes_while_the_app_runs(workplace):
    before, asked = dict(workplace.tasks), asyncio.Event()

    def now() -> datetime:
        asked.set()
        return NOW

    app = create_app(workplace, key=KEY, now=now, seconds_between_changes=0.001)
    async with app.router.lifespan_context(app):
        await asked.wait()

    assert workplace.tasks != before
