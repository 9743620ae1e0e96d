"""What reading records costs: CPU for each request, of the gateway and of a proxy that only passes on what the app says.

    python benchmarks/records.py [--requests 600]

All in one run on loopback, against one app that always gives the same 100 records of 8 fields: a proxy of Starlette and httpx,
the gateway with the records' own fields as JSON, and the gateway with typed fields of a universal data model. One process each,
one request after the other. CPU is user plus system time of the answering process, from /proc (Linux only); figures are medians
of rounds that take turns.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from multiprocessing import Process
from pathlib import Path

import httpx
import uvicorn
from serving import GATEWAY, cpu_seconds, served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

APP_PORT, PROXY_PORT, GATEWAY_PORT = 18292, 18293, 18294
ROUNDS = 5
RECORDS = [
    {
        "id": number,
        "title": f"Review the report {number}",
        "state": ("open", "done")[number % 2],
        "priority": "high",
        "assignee": number % 7,
        "labels": ["legal", "urgent"],
        "due": "2026-11-21T09:30:00Z",
        "note": "Ask the customer before anything is sent.",
    }
    for number in range(100)
]
BODY = json.dumps({"items": RECORDS}).encode()
CONNECTOR = """\
format: connector/v1
key: fixed
name: Fixed
version: 1.0.0
connection:
  schema: {type: object, required: [server], additionalProperties: false, properties: {server: {type: string}}}
  check: {request: {path: /items}}
auth: {none: {type: none}}
http: {base_url: "${connection.server}"}
locations: [{collection: items}]
collections:
  items:
    name: Items
    fields:
      type: object
      properties:
        id: {type: integer}
        title: {type: string}
        state: {type: string}
        priority: {type: string}
        assignee: {type: integer}
        labels: {type: array, items: {type: string}}
        due: {type: string, format: date-time}
        note: {type: string}
    record: {id: "${record.id}", name: "${record.title}"}
    operations: {list: {request: {path: /items}, records: "${body.items}"}}
    universal_data_models:
      tasks:
        fields: {subject: title, status: state, priority: priority, assigneeId: assignee, tags: labels, dueTime: due, content: note}
"""
COLLECTION = 'connection(by: {id: "%s"}) { collection(key: "items") { records(first: 100) { nodes { %s } } } }'
GATEWAY_QUERIES = {
    "gateway, own fields as JSON": "{ %s }" % (COLLECTION % ("%s", "externalId fields")),
    "gateway, typed fields of a model": "{ %s }"
    % (COLLECTION % ("%s", "externalId unified { ... on UnifiedTask { subject status priority assigneeId tags dueTime content } }")),
}


def main() -> None:
    """Prints the figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=600)
    count = max(parser.parse_args().requests // ROUNDS, 1)
    with ExitStack() as stack:
        stack.callback(_started(_serve_app).terminate)
        proxy = _started(_serve_proxy)
        stack.callback(proxy.terminate)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = _environment(folder)
        gateway = stack.enter_context(served([*GATEWAY, "serve", "--port", str(GATEWAY_PORT)], port=GATEWAY_PORT, environment=environment))
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
        _wait(client, f"http://127.0.0.1:{PROXY_PORT}/items")
        connection, token = _connected(client, environment)
        subjects = {"proxy of Starlette and httpx": (proxy.pid or 0, httpx.Request("GET", f"http://127.0.0.1:{PROXY_PORT}/items"))}
        for name, query in GATEWAY_QUERIES.items():
            subjects[name] = (gateway.pid, _graphql(query % connection, token=token))
        _print(_measured(client, subjects, count))


def _measured(client: httpx.Client, subjects: dict[str, tuple[int, httpx.Request]], count: int) -> dict[str, float]:
    """Milliseconds of CPU a request, by subject."""
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(ROUNDS):
        for name, (pid, request) in subjects.items():
            _ask(client, request, count=20)
            before = cpu_seconds(pid)
            _ask(client, request, count=count)
            costs[name].append((cpu_seconds(pid) - before) / count * 1000)
    return {name: statistics.median(values) for name, values in costs.items()}


def _print(costs: dict[str, float]) -> None:
    raw = next(iter(costs.values()))
    print("| what answers | CPU ms a request | ratio |\n|---|---:|---:|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.2f} | {cost / raw:.2f} |")


def _ask(client: httpx.Client, request: httpx.Request, *, count: int) -> None:
    for _ in range(count):
        answer = client.send(request)
        if not answer.is_success or b'"errors"' in answer.content or answer.content.count(b"Review the report") != len(RECORDS):
            raise SystemExit(answer.text[:2000])


def _graphql(query: str, *, token: str, **variables: object) -> httpx.Request:
    body = {"query": query, "variables": variables}
    return httpx.Request("POST", f"http://127.0.0.1:{GATEWAY_PORT}/graphql", json=body, headers={"Authorization": f"Bearer {token}"})


def _connected(client: httpx.Client, environment: dict[str, str]) -> tuple[str, str]:
    """The id of a connection to the app, and the token of its customer."""
    admin, customer = (_token(environment, *claims) for claims in (["--admin"], ["acme"]))
    create = "mutation ($i: IntegrationCreateInput!) { integrationCreate(input: $i) { integration { key } userErrors { message } } }"
    connect = "mutation ($i: ConnectionCreateInput!) { connectionCreate(input: $i) { connection { id } userErrors { message } } }"
    client.send(_graphql(create, token=admin, i={"key": "fixed", "connectorKey": "fixed"})).raise_for_status()
    given = {"integrationKey": "fixed", "parameters": {"server": f"http://127.0.0.1:{APP_PORT}"}}
    answer = client.send(_graphql(connect, token=customer, i=given)).json()
    return answer["data"]["connectionCreate"]["connection"]["id"], customer


def _token(environment: dict[str, str], *arguments: str) -> str:
    made = subprocess.run([*GATEWAY, "token", *arguments], env=os.environ | environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


def _environment(folder: Path) -> dict[str, str]:
    (folder / "fixed.yaml").write_text(CONNECTOR)
    return {
        "GATEWAY_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'gateway.db'}",
        "GATEWAY_TOKEN_SECRET": "a-secret-of-more-than-32-bytes-for-benchmarks",
        "GATEWAY_ENCRYPTION_KEYS": "benchmark:" + base64.b64encode(b"k" * 32).decode(),
        "GATEWAY_CONNECTOR_FILES": str(folder / "fixed.yaml"),
        "GATEWAY_ALLOWED_NETWORKS": "127.0.0.0/8",
        # One customer asks everything: its bucket of costs would run dry.
        "GATEWAY_COST_BUCKET": "1000000000",
        "GATEWAY_COST_RESTORED_PER_SECOND": "1000000000",
    }


def _serve_app() -> None:
    """The app: always the same answer, for next to no CPU."""

    async def answer(request: Request) -> Response:
        return Response(BODY, media_type="application/json")

    uvicorn.run(Starlette(routes=[Route("/items", answer)]), host="127.0.0.1", port=APP_PORT, log_level="error")


def _serve_proxy() -> None:
    upstream = httpx.AsyncClient(trust_env=False)

    async def answer(request: Request) -> Response:
        found = await upstream.get(f"http://127.0.0.1:{APP_PORT}/items")
        return Response(found.content, status_code=found.status_code, media_type="application/json")

    uvicorn.run(Starlette(routes=[Route("/items", answer)]), host="127.0.0.1", port=PROXY_PORT, log_level="error")


def _started(target: object) -> Process:
    process = Process(target=target, daemon=True)  # type: ignore[arg-type]
    process.start()
    return process


def _wait(client: httpx.Client, url: str) -> None:
    for _ in range(400):
        try:
            if client.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{url} did not get ready.")


if __name__ == "__main__":
    main()
