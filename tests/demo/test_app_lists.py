"""What the lists of the demo's external app can be asked for."""

import pytest

from gateway.demo.things import as_json


async def titles(client, **query):
    answer = await client.get("/tasks", params={"perPage": 100, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"status.eq": "open"}, lambda task: task.status == "open"),
        ({"status.ne": "open", "priority.eq": "high"}, lambda task: task.status != "open" and task.priority == "high"),
        ({"status.in": "open,done", "projectId.eq": "3"}, lambda task: task.status in ("open", "done") and task.projectId == 3),
        ({"status": "open", "status.ne": "open"}, lambda task: False),
        ({"projectId": "2", "projectId.in": "1,2"}, lambda task: task.projectId == 2),
        ({"assigneeId.eq": "null"}, lambda task: task.assigneeId is None),
        ({"assigneeId.ne": "null", "projectId.eq": "1"}, lambda task: task.assigneeId is not None and task.projectId == 1),
        ({"assigneeId.in": "null,3"}, lambda task: task.assigneeId in (None, 3)),
        ({"title.contains": "START page"}, lambda task: "the start page" in task.title),
        ({"title.startsWith": "plan"}, lambda task: task.title.startswith("Plan")),
        ({"title.eq": "plan the search"}, lambda task: False),
        ({"labels.contains": "urgent"}, lambda task: "urgent" in task.labels),
        ({"labels.contains": "urg"}, lambda task: False),
        ({"followerIds.contains": "7"}, lambda task: 7 in task.followerIds),
        ({"dueAt.eq": "null", "projectId.eq": "1"}, lambda task: task.dueAt is None and task.projectId == 1),
        ({"dueAt.lt": "2026-01-10T12:00:00+02:00"}, lambda task: task.dueAt is not None and task.dueAt < "2026-01-10T10:00:00Z"),
        ({"createdAt.gte": "2026-01-25T09:00:00Z"}, lambda task: task.createdAt >= "2026-01-25T09:00:00Z"),
        ({"updatedAt.gt": "2026-01-25T09:00:00Z"}, lambda task: task.updatedAt > "2026-01-25T09:00:00Z"),
        ({"createdAt.lte": "2026-01-05T10:00:00Z"}, lambda task: task.id == 101),
        ({"ids": "105,101,99999"}, lambda task: task.id in (101, 105)),
        ({"search": "REPORT  publish"}, lambda task: task.title == "Publish the report"),
    ],
    ids=lambda part: "&".join(f"{name}={value}" for name, value in part.items()) if isinstance(part, dict) else "",
)
async def test_a_list_holds_what_it_is_asked_for(client, workplace, query, holds):
    answer = await titles(client, **query)

    expected = [as_json(task) for task in workplace.tasks.values() if holds(task)]
    assert answer["total"] == len(expected)
    assert [task["id"] for task in answer["items"]] == [task["id"] for task in expected][:100]


async def test_a_list_is_ordered_either_way_with_what_has_no_value_last(client, workplace):
    rising = (await titles(client, sort="dueAt", **{"projectId.eq": "1"}))["items"]
    falling = (await titles(client, sort="-dueAt", **{"projectId.eq": "1"}))["items"]

    due = [task["dueAt"] for task in rising if task["dueAt"] is not None]
    assert 0 < len(due) < len(rising)
    assert due == sorted(due)
    assert [task["dueAt"] for task in falling[: len(due)]] == due[::-1]
    assert {task["dueAt"] for task in [*rising[len(due) :], *falling[len(due) :]]} == {None}
    assert sorted(task["id"] for task in falling) == sorted(task["id"] for task in rising)


async def test_users_and_projects_are_found_too(client):
    users = (await client.get("/users", params={"email.eq": "ada.almeida@workplace.example"})).json()["items"]
    active = (await client.get("/users", params={"isActive.eq": "false", "sort": "-name"})).json()["items"]
    projects = (await client.get("/projects", params={"search": "move"})).json()["items"]

    assert [user["id"] for user in users] == [1]
    assert {user["isActive"] for user in active} == {False}
    assert [user["name"] for user in active] == sorted((user["name"] for user in active), reverse=True)
    assert [project["name"] for project in projects] == ["Office move"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("notes.eq=x", "There is no parameter 'notes.eq'."),
        ("status.like=x", "There is no parameter 'status.like'."),
        ("color=red", "There is no parameter 'color'."),
        ("status.in=open,late", "status.in must be one of open, in_progress, done."),
        ("projectId.eq=null", "projectId.eq must be a positive number."),
        ("dueAt.lt=tomorrow", "dueAt.lt must be a time with its zone, such as 2026-03-01T09:00:00Z."),
        ("dueAt.lt=2026-01-01", "dueAt.lt must be a time with its zone, such as 2026-03-01T09:00:00Z."),
        ("ids=", "ids must be a positive number."),
        ("ids=1,x", "ids must be a positive number."),
        ("ids=" + ",".join("1" * 101), "ids takes 100 numbers at most."),
        ("assigneeId.in=" + ",".join("1" * 101), "assigneeId.in takes 100 values at most."),
        ("sort=labels", "sort must be one of id, title, status, dueAt, createdAt, updatedAt, or one of them after a '-'."),
        ("sort=--id", "sort must be one of id, title, status, dueAt, createdAt, updatedAt, or one of them after a '-'."),
    ],
    ids=lambda part: part[:20],
)
async def test_what_a_list_cannot_be_asked_for_is_refused(client, query, message):
    answer = await client.get(f"/tasks?{query}")

    assert (answer.status_code, answer.json()) == (400, {"error": {"message": message}})


@pytest.mark.parametrize("path", ["/tasks?perPage=5", "/tasks/101", "/users", "/projects/2", "/me"])
async def test_what_has_not_changed_is_not_sent_again(client, path):
    first = await client.get(path)
    tag = first.headers["etag"]

    again = await client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    other = await client.get(path, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (other.status_code, other.content) == (200, first.content)


async def test_what_has_changed_has_another_tag(client):
    before = await client.get("/tasks?perPage=5")
    await client.patch("/tasks/101", json={"status": "done"})

    after = await client.get("/tasks?perPage=5", headers={"If-None-Match": before.headers["etag"]})

    assert (after.status_code, after.json()["items"][0]["status"]) == (200, "done")
    assert after.headers["etag"] != before.headers["etag"]
