"""What asks, in a process of its own: so many connections, each asking again as soon as it is answered, for so many seconds.

A line of JSON on standard input is one measurement, a `Job`; a line on standard output is what came of it, a `Figures`. Each
request has a number of its own where the job's body has `PAGE`. Only loopback is asked, for at most a minute and a million
times; an answer that is not the expected one ends the measurement.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httptools
import uvloop

PAGE = "1234567890"
"""Stands in a request where its own number goes; of the same length, so that the `Content-Length` fits."""
MOST_SECONDS = 60
"""How long a measurement may take."""
_FIRST_PAGE = 1_000_000_000
_REQUESTS = 1_000_000
_PATIENCE_SECONDS = 60
"""How long the slowest answer may take after a measurement's end."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One measurement."""

    port: int
    request: str
    """Whole, head and body."""
    mark: str
    marks: int
    """How often the mark stands in an answer that is right."""
    pid: int
    """Whose CPU is measured, its child processes included."""
    concurrency: int
    seconds: float
    is_same: bool = False
    """Whether all ask for the same page."""
    requests: int = _REQUESTS
    """After so many it ends, if the time is not over before."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What came of a measurement."""

    requests: int
    cpu_ms: float
    """Of one request."""
    rate: float
    """Requests a second."""
    p50_ms: float
    p99_ms: float
    reached: int = 0
    """How often the app was asked meanwhile."""


class WrongAnswerError(Exception):
    """A server gave something else than what was asked for."""


@dataclass
class Run:
    """What the connections of one measurement share."""

    job: Job
    deadline: float
    latencies: list[float] = field(default_factory=list)
    failure: str | None = None

    def __post_init__(self) -> None:
        self._before, page, self._after = self.job.request.encode().partition(PAGE.encode())
        self._has_page = bool(page)
        self._mark = self.job.mark.encode()
        self._left = self.job.concurrency
        self._sent = 0
        self.all_done = asyncio.Event()

    def next_request(self, *, numbers: Iterator[int]) -> bytes | None:
        """What is asked next; null once the time is over."""
        is_over = self.failure or time.perf_counter() >= self.deadline or self._sent >= min(self.job.requests, _REQUESTS)
        if is_over:
            return None
        self._sent += 1
        if not self._has_page:
            return self._before
        number = _FIRST_PAGE if self.job.is_same else next(numbers)
        return b"%b%d%b" % (self._before, number, self._after)

    def answered(self, status: int, body: bytes, *, seconds: float) -> None:
        """Takes one answer."""
        if status != 200 or body.count(self._mark) != self.job.marks:
            self.failed(f"HTTP {status}: {body[:1000].decode(errors='replace')}")
        self.latencies.append(seconds)

    def failed(self, reason: str) -> None:
        """Ends the measurement early."""
        self.failure = self.failure or reason

    def leave(self) -> None:
        """One connection asks no more."""
        self._left -= 1
        if self._left == 0:
            self.all_done.set()


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, run: Run, numbers: Iterator[int]) -> None:
        self._run = run
        self._numbers = numbers
        self._is_asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the first time."""
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Reads on."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser: asks again."""
        self._run.answered(self._parser.get_status_code(), b"".join(self._body), seconds=time.perf_counter() - self._asked_at)
        self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        """Only right where nothing is under way."""
        if self._is_asking:
            self._run.failed(f"The server closed the connection ({error}).")
            self._stop()

    def _ask(self) -> None:
        request = self._run.next_request(numbers=self._numbers)
        if request is None:
            self._stop()
            self._transport.close()
            return
        self._is_asking = True
        self._body: list[bytes] = []
        self._asked_at = time.perf_counter()
        self._transport.write(request)  # type: ignore[attr-defined]

    def _stop(self) -> None:
        self._is_asking = False
        self._run.leave()


async def measured(job: Job, *, numbers: Iterator[int]) -> Figures:
    """What comes of a measurement. Raises WrongAnswerError where a server does not answer as it should."""
    cpu, begun = cpu_seconds(job.pid), time.perf_counter()
    run = Run(job, begun + min(job.seconds, MOST_SECONDS))
    loop = asyncio.get_running_loop()
    for _ in range(job.concurrency):
        await loop.create_connection(lambda: Client(run, numbers), "127.0.0.1", job.port)
    await asyncio.wait_for(run.all_done.wait(), min(job.seconds, MOST_SECONDS) + _PATIENCE_SECONDS)
    elapsed, cpu = time.perf_counter() - begun, cpu_seconds(job.pid) - cpu
    if run.failure:
        raise WrongAnswerError(run.failure)
    ordered = sorted(run.latencies)
    count = len(ordered)
    return Figures(
        requests=count,
        cpu_ms=cpu / count * 1000,
        rate=count / elapsed,
        p50_ms=ordered[count // 2] * 1000,
        p99_ms=ordered[min(int(count * 0.99), count - 1)] * 1000,
    )


def cpu_seconds(pid: int) -> float:
    """The processor time so far of all threads of a process, those included that have ended, and of its children."""
    own = time.clock_gettime(~pid << 3 | 2)  # Linux's clock of what a process was scheduled, as clock_getcpuclockid(3) makes its number.
    return own + sum(map(cpu_seconds, _children(pid)))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # Threads end at any time.
            found += map(int, (thread / "children").read_text().split())
    return found


async def main() -> None:
    """Measures one job after the other, until there are no more."""
    numbers = iter(range(_FIRST_PAGE + 1, 10 * _FIRST_PAGE))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            answer = asdict(await measured(Job(**json.loads(line)), numbers=numbers))
        except (WrongAnswerError, OSError, TimeoutError) as error:
            answer = {"failure": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
