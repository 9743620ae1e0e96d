"""`gateway demo`, from its first line to its last."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.demo.examples import examples
from gateway.demo.start import tabs_for
from tests.support.demo import ROOT, RunningDemo, demo_process

TABS = examples(customer=None, admin=None)
PATH = 'query { dataSourceInstance(by: { of: { connection: { integrationKey: "demo" }, dataSource: { key: "tasks" } } }) { path } }'
POINT = next(tab for tab in TABS if tab.title == "Point elsewhere").query

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with demo_process() as demo:
        yield demo


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gateway", "demo", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_it_says_where_it_is_how_to_get_in_and_what_to_try(demo):
    assert re.search(r"^The gateway is ready: http://127\.0\.0\.1:\d+/graphql$", demo.welcome, flags=re.MULTILINE)
    assert [list(header) for header in demo.headers] == [["Authorization"], ["Authorization"]]
    assert [number for number in ("1.", "2.", "3.", "4.", "5.") if f"  {number} " in demo.welcome] == ["1.", "2.", "3.", "4."]


def test_it_is_ready_when_it_says_so(demo):
    assert httpx.get(demo.address.replace("/graphql", "/readyz"), trust_env=False).status_code == 200


def test_a_browser_gets_graphiql_with_the_examples_and_a_token_in_them(demo):
    page = httpx.get(demo.address, headers={"Accept": "text/html"}, trust_env=False)

    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    for tab in TABS:
        assert f"# {tab.title}" in page.text
    assert demo.customer["Authorization"] in page.text


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.title)
def test_every_example_works_as_it_stands(demo, tab):
    if tab.query.lstrip().partition("\nsubscription ")[2]:
        (answer,) = demo.listen(tab.query)
    else:
        answer = demo.execute(tab.query, headers=demo.admin if tab.title == "As an admin" else demo.customer)

    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())
    assert all(payload.get("userErrors", []) == [] for payload in answer["data"].values() if isinstance(payload, dict))


def test_the_customer_browses_projects_and_reads_tasks(demo):
    look = demo.execute(TABS[0].query)["data"]

    places = look["connection"]["location"]["locations"]["nodes"]
    assert look["viewer"] == {"customer": {"externalId": "acme", "name": "Acme"}}
    assert look["connection"]["state"] == "READY"
    assert [place["name"] for place in places[:5]] == ["All tasks", "Projects", "Users", "Website relaunch", "Mobile app"]
    assert places[4]["locations"]["nodes"] == [
        {"name": "Tasks", "path": "/data/tasks?projectId=2"},
        {"name": "Open tasks", "path": "/data/tasks?projectId=2&status=open"},
    ]


def test_nobody_in_particular_reads_nothing(demo):
    answer = demo.execute("{ viewer { isAdmin } }", headers={"Accept": "application/json"})

    assert answer["errors"][0]["extensions"]["code"] == "NOT_AUTHENTICATED"


def test_a_port_in_use_is_told_in_one_line(demo):
    port = demo.address.split(":")[2].split("/")[0]

    run = run_demo("--port", port)

    assert (run.returncode, run.stdout) == (78, "")
    assert run.stderr.startswith(f"Error: Port {port} of 127.0.0.1 is in use")
    assert run.stderr.count("\n") == 1


def test_nothing_of_it_stays(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--port", "0"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert any(b"Stop everything" in line for line in iter(run.stdout.readline, b"")), run.stderr.read()
    assert len(list(tmp_path.iterdir())) == 1

    run.send_signal(signal.SIGTERM)
    rest, errors = run.communicate(timeout=30)

    assert (run.returncode, rest.strip(), errors) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_demo_in_a_file_goes_on_where_it_stopped_and_its_tokens_stay_good(tmp_path: Path):
    database = tmp_path / "mine.db"
    with demo_process("--database", str(database)) as first:
        first.execute(POINT)
        token = first.customer

    with demo_process("--database", str(database)) as second:
        answer = second.execute(PATH, headers=token)
        again = run_demo("--port", "0", "--database", str(database))

    assert answer["data"]["dataSourceInstance"] == {"path": "/data/tasks?projectId=2&status=open"}
    assert again.returncode == 78
    assert again.stderr.count("\n") == 1
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select count(*) from connection").fetchone() == (1,)


@pytest.mark.parametrize(
    ("host", "has_tokens"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("127.1.2.3", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_the_tabs_hold_tokens_only_where_nobody_beyond_this_machine_can_read_them(host, has_tokens):
    tabs = tabs_for(host, customer_token="customers", admin_token="admins")

    customers, admins = {"Authorization": "Bearer customers"}, {"Authorization": "Bearer admins"}
    assert [tab.headers for tab in tabs] == ([customers] * 12 + [admins] if has_tokens else [None] * 13)


INTERVALS = (
    'query { dataSourceInstance(by: { of: { connection: { integrationKey: "demo" }, dataSource: { key: "tasks" } } }) {'
    " pullUpdatesIntervalSeconds fullSyncIntervalSeconds } }"
)
LISTEN = (
    'subscription { recordsChanged(dataSourceInstance: { of: { connection: { integrationKey: "demo" }, dataSource: { key: "tasks" } } }) {'
)
EVENTS = " events { type externalId } } }"


def test_it_looks_for_changes_every_few_seconds(demo):
    answer = demo.execute(INTERVALS)

    assert answer["data"]["dataSourceInstance"] == {"pullUpdatesIntervalSeconds": 5, "fullSyncIntervalSeconds": 15}


@pytest.mark.long
def test_what_the_app_tells_of_no_more_shows_within_seconds():
    """Of fourteen webhooks two are lost on purpose; at the intervals of others the deletions would show after hours."""
    with demo_process() as demo:
        app = re.search(r"answers at (\S+) too", demo.welcome)[1]
        with httpx.Client(base_url=app, headers={"Authorization": "Bearer demo-key"}, trust_env=False, timeout=30) as client:
            frames = demo.frames(LISTEN + EVENTS)
            assert next(frames)["data"]["recordsChanged"]["events"] == []
            made = [client.post("/tasks", json={"projectId": 1, "title": f"Task {number}"}).json()["id"] for number in range(14)]
            _await_all(frames, "CREATED", made)
            for task in made:
                client.delete(f"/tasks/{task}").raise_for_status()
            _await_all(frames, "DELETED", made)
            frames.close()


def _await_all(frames: Iterator[dict[str, Any]], kind: str, ids: list[int]) -> None:
    """Returns when every one of them was told; fails after two minutes."""
    end = time.monotonic() + 120
    missing = {str(each) for each in ids}
    for frame in frames:
        missing -= {event["externalId"] for event in frame["data"]["recordsChanged"]["events"] if event["type"] == kind}
        if not missing:
            return
        assert time.monotonic() < end, missing


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.title)
def test_an_example_fits_into_the_editor(tab):
    assert max(len(line) for line in tab.query.splitlines()) <= 56
