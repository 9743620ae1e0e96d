"""What `gateway serve` costs: start-up, memory at rest, and CPU for each `dataSourceInstance` query.

    python benchmarks/serving.py [--queries 2000]

It runs the demo once to fill an SQLite file, serves that file as an operator would, and asks over one kept-open connection
on loopback. CPU is user plus system time of the serving process, from /proc (Linux only); figures are medians of five runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

QUERIES = {
    "dataSourceInstance, five of its own fields": '{ dataSourceInstance(by: {id: "%s"}) { id path isCustomized state revision } }',
    "the same with connection, integration, customer, data source and settings": (
        '{ dataSourceInstance(by: {id: "%s"}) { id path isCustomized state revision settings { name value origin }'
        " connection { id name state customer { externalId } integration { key name } } dataSource { key name } } }"
    ),
}
GATEWAY = [sys.executable, "-m", "gateway"]


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=2000)
    queries = parser.parse_args().queries
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "gateway.db"
        with served([*GATEWAY, "demo", "--port", "18290", "--database", str(database)], port=18290, environment={}):
            pass
        environment = settings(database)
        token = subprocess.run(
            [*GATEWAY, "token", "acme"], env={**os.environ, **environment}, capture_output=True, text=True, check=True
        ).stdout.strip()
        starts, rests = [], []
        for _ in range(5):
            begun = time.perf_counter()
            with served([*GATEWAY, "serve", "--port", "18291"], port=18291, environment=environment) as process:
                starts.append(time.perf_counter() - begun)
                rests.append(resident_mebibytes(process.pid))
        print(f"start until /readyz: {statistics.median(starts):.2f} s; resident at rest: {statistics.median(rests):.0f} MiB")
        with served([*GATEWAY, "serve", "--port", "18291"], port=18291, environment=environment) as process:
            measure(process.pid, token, queries)
            print(f"resident after the queries: {resident_mebibytes(process.pid):.0f} MiB")


def measure(pid: int, token: str, queries: int) -> None:
    """Prints the CPU of each query, in milliseconds."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with httpx.Client(base_url="http://127.0.0.1:18291", headers=headers, trust_env=False) as client:
        found = client.post("/graphql", json={"query": "{ dataSourceInstances(first: 1) { nodes { id } } }"}).json()
        instance = found["data"]["dataSourceInstances"]["nodes"][0]["id"]
        for name, query in QUERIES.items():
            body = json.dumps({"query": query % instance})
            costs = []
            for _ in range(5):
                before = cpu_seconds(pid)
                for _ in range(queries // 5):
                    answer = client.post("/graphql", content=body)
                    if "errors" in answer.json():
                        raise SystemExit(answer.text)
                costs.append((cpu_seconds(pid) - before) / (queries // 5) * 1000)
            print(f"{name}: {statistics.median(costs):.2f} ms CPU a query")


def settings(database: Path) -> dict[str, str]:
    """The environment that serves a demo's database."""
    keys = json.loads(database.with_name(f"{database.name}.keys").read_text())
    return {
        "GATEWAY_DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "GATEWAY_TOKEN_SECRET": keys["token_secret"],
        "GATEWAY_ENCRYPTION_KEYS": keys["encryption_keys"],
        # One customer asks everything: its bucket of costs would run dry.
        "GATEWAY_COST_BUCKET": "1000000000",
        "GATEWAY_COST_RESTORED_PER_SECOND": "1000000000",
    }


@contextmanager
def served(command: list[str], *, port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The command, from the moment it is ready until the block ends."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success:
                    break
            except httpx.TransportError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{command} did not get ready")
            time.sleep(0.01)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mebibytes(pid: int) -> float:
    """The memory of a process that is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
