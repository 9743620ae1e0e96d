"""The command line, called in this process with an environment of its own."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import structlog

from gateway.cli import main

SECRET = "a-secret-for-tests-that-is-long-enough"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> Callable[..., None]:
    """Sets GATEWAY_<NAME> for each given name; nothing else of the gateway is set, and the working directory is empty."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "TOKEN_SECRET", "ENCRYPTION_KEYS", "CONNECTOR_FILES", "UDM_FILES"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)

    def set_(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"GATEWAY_{name.upper()}", value)

    return set_


@pytest.fixture
def gateway(environment, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """Runs one command that ends by itself; the log of this process is afterwards what it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def run(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        written = capfd.readouterr()
        return Outcome(int(ending.value.code or 0), written.out, written.err)

    yield run
    structlog.reset_defaults()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
