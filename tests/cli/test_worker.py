"""`gateway worker`, as a process of its own where it works."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.storage.encryption import Cipher

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-for-tests-that-is-long-enough"


def start(url: str, **settings: str) -> subprocess.Popen[str]:
    given = {"GATEWAY_DATABASE_URL": url, "GATEWAY_TOKEN_SECRET": SECRET, "GATEWAY_ENCRYPTION_KEYS": Cipher.generate_key_ring()}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | given | settings
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "worker"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
async def postgresql_url(postgres_server):
    async with postgres_server.migrated_database() as url:
        yield url


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_works_until_a_signal_and_ends_cleanly(postgresql_url, ending):
    process = start(postgresql_url, GATEWAY_SYNC_CONCURRENCY="7")
    try:
        first = json.loads(process.stderr.readline())
        process.send_signal(ending)
        output, log = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()

    assert (first["event"], first["concurrency"]) == ("worker_ready", 7)
    assert (process.returncode, output, log) == (0, "", "")


def test_on_sqlite_it_is_refused_and_no_file_is_made(gateway, environment, tmp_path):
    environment(database_url=f"sqlite+aiosqlite:///{tmp_path}/gateway.db", token_secret=SECRET, encryption_keys=Cipher.generate_key_ring())

    outcome = gateway("worker")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert outcome.stderr == (
        "Error: GATEWAY_DATABASE_URL names an SQLite file, which serves one process: there `gateway serve` syncs too. "
        "Use PostgreSQL for workers of their own.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_is_wrong_is_told_by_its_name(gateway, environment):
    url = "postgresql+asyncpg://nobody@127.0.0.1/nothing"
    environment(database_url=url, token_secret=SECRET, encryption_keys=Cipher.generate_key_ring(), sync_concurrency="many")

    outcome = gateway("worker")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert "GATEWAY_SYNC_CONCURRENCY" in outcome.stderr
