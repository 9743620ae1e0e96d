"""The command line, called in this process with an environment of its own."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

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
def gateway(environment, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs one command."""

    def run(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        written = capfd.readouterr()
        return Outcome(int(ending.value.code or 0), written.out, written.err)

    return run
