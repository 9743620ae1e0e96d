"""`gateway serve`, as a process of its own where it serves."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.storage.encryption import Cipher

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-for-tests-that-is-long-enough"


@pytest.fixture
def settings(tmp_path) -> dict[str, str]:
    return {
        "database_url": f"sqlite+aiosqlite:///{tmp_path}/gateway.db",
        "token_secret": SECRET,
        "encryption_keys": Cipher.generate_key_ring(),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def start(settings: dict[str, str], *, port: int) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment |= {f"GATEWAY_{name.upper()}": value for name, value in settings.items()}
    arguments = [sys.executable, "-m", "gateway", "serve", "--port", str(port)]
    return subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    process = start(settings, port=port)
    try:
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            try:
                httpx.get(f"{address}/readyz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield process, address
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_ends_cleanly(settings, gateway, environment, ending):
    environment(**settings)
    with serving(settings) as (process, address):
        alive = httpx.get(f"{address}/healthz", trust_env=False).status_code
        token = gateway("token", "--admin").stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(f"{address}/graphql", json={"query": "query Me { viewer { isAdmin } }"}, headers=headers, trust_env=False)
        process.send_signal(ending)
        output, log = process.communicate(timeout=30)

    assert alive == 200
    assert answer.json() == {"data": {"viewer": {"isAdmin": True}}}
    assert (process.returncode, output) == (0, "")
    entries = [json.loads(line) for line in log.splitlines()]
    assert [entry["address"] for entry in entries if entry["event"] == "ready"] == [f"{address}/graphql"]
    assert [entry["operation"] for entry in entries if entry["event"] == "operation"] == ["Me"]
    assert token not in log


@pytest.fixture
def refused(gateway, environment) -> Callable[[dict[str, str]], str]:
    """The one line with which it does not start."""

    def refused(settings: dict[str, str]) -> str:
        environment(**settings)
        outcome = gateway("serve", "--port", "0")
        assert (outcome.exit_code, outcome.stdout, outcome.stderr.count("\n")) == (78, "", 1)
        return outcome.stderr

    return refused


def test_on_sqlite_it_is_refused_to_leave_the_syncing_to_others(settings, refused):
    assert refused({**settings, "embedded_worker": "false"}) == (
        "Error: GATEWAY_EMBEDDED_WORKER is false, and GATEWAY_DATABASE_URL names an SQLite file, on which no other process can sync. "
        "Use PostgreSQL, or leave the setting out.\n"
    )


def test_a_second_process_on_the_same_sqlite_file_is_refused(settings, refused):
    with serving(settings):
        errors = refused(settings)

    assert errors.startswith("Error: ")
    assert "gateway.db" in errors


def test_a_database_of_postgresql_that_cannot_be_reached_is_told_in_one_line_without_its_password(settings, refused):
    url = f"postgresql+asyncpg://someone:very-secret@127.0.0.1:{free_port()}/gateway"

    errors = refused({**settings, "database_url": url})

    assert errors.startswith("Error: ")
    assert "very-secret" not in errors
