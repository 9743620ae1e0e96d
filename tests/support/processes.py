"""Real servers that nobody here wrote, started for the tests that need them and ended with them."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.plain_http import PLAIN

START_SECONDS = 60


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def installed(program: str) -> str:
    """The path of a program that a test dependency installed beside the interpreter."""
    return str(Path(sys.executable).parent / program)


@contextmanager
def running(command: Sequence[str], *, log: Path, ready: str, headers: Mapping[str, str] | None = None) -> Iterator[None]:
    """The server that the command starts, from the moment it answers `ready` with 2xx until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent)
        try:
            _wait(process, ready, headers or {}, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], ready: str, headers: Mapping[str, str], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(ready, headers=headers, timeout=2, trust_env=False, verify=PLAIN).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} is not ready: {log.read_text(errors='replace')[-2000:]}")
