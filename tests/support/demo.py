"""The demo as a stranger runs it: a process of its own, asked over the network."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from tests.support.plain_http import PLAIN

ROOT = Path(__file__).parents[2]
_LAST_LINE = "Stop everything"
_START_SECONDS = 60
_STOP_SECONDS = 30


@dataclass(frozen=True)
class RunningDemo:
    """A demo, and what it said when it was ready."""

    process: subprocess.Popen[str]
    welcome: str

    @property
    def address(self) -> str:
        """Where GraphQL is."""
        return re.search(r"http://\S+/graphql", self.welcome)[0]

    @property
    def headers(self) -> Sequence[Mapping[str, str]]:
        """The headers to paste: the customer's, then the admin's."""
        return [json.loads(line) for line in self.welcome.splitlines() if line.startswith("{")]

    @property
    def customer(self) -> Mapping[str, str]:
        """The header of the customer who owns the connection."""
        return self.headers[0]

    @property
    def admin(self) -> Mapping[str, str]:
        """The header of an admin."""
        return self.headers[1]

    def execute(self, query: str, *, headers: Mapping[str, str] | None = None, **variables: Any) -> dict[str, Any]:
        """The answer to an operation; by default it is the customer who asks."""
        response = httpx.post(
            self.address,
            json={"query": query, "variables": variables},
            headers=headers or self.customer,
            timeout=30,
            trust_env=False,
            verify=PLAIN,
        )
        return response.json()

    def listen(self, query: str, *, frames: int = 1, **variables: Any) -> list[dict[str, Any]]:
        """The first frames of a subscription of the customer's."""
        return list(islice(self.frames(query, **variables), frames))

    def frames(self, query: str, **variables: Any) -> Generator[dict[str, Any], None, None]:
        """The frames of a subscription of the customer's, as they come."""
        headers = {**self.customer, "Accept": "text/event-stream"}
        body = {"query": query, "variables": variables}
        with httpx.stream("POST", self.address, json=body, headers=headers, timeout=30, trust_env=False, verify=PLAIN) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))


@contextmanager
def demo_process(*arguments: str, port: int = 0) -> Iterator[RunningDemo]:
    """`gateway demo` on a free port until the block ends; it must then stop cleanly and say nothing more."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--port", str(port), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield RunningDemo(process, _welcome(process))
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=_STOP_SECONDS)
        assert (process.returncode, rest.strip(), errors) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


def _welcome(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if _LAST_LINE in line:
            timer.cancel()
            return "".join(lines)
    timer.cancel()
    raise AssertionError(f"The demo did not start: {''.join(lines)}{process.communicate()[1]}")
