"""A SQLite database serves one process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.storage.lock import lock_file

HOLD = """
import sys, time
from gateway.storage.lock import lock_file
with lock_file(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/gateway.db"


def hold(url: str) -> None:
    with lock_file(url):
        pass


def test_a_second_process_is_refused_until_the_first_is_gone_even_by_a_kill(url: str, tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", HOLD, url], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            with pytest.raises(ConfigurationError) as refusal:
                hold(url)
        finally:
            other.send_signal(signal.SIGKILL)

    assert refusal.value.message == (
        f"The database '{tmp_path}/gateway.db' is in use by another gateway process. SQLite serves one; stop the other, or use PostgreSQL."
    )
    hold(url)


def test_the_same_process_is_refused_too_and_the_lock_ends_with_its_block(url: str):
    with lock_file(url), pytest.raises(ConfigurationError, match="is in use by another gateway process"):
        hold(url)
    hold(url)


def test_two_spellings_of_one_file_are_one_lock(url: str, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.db").symlink_to(tmp_path / "gateway.db")
    for spelling in (f"sqlite+aiosqlite:///{tmp_path}/folder/../gateway.db", f"sqlite+aiosqlite:///{tmp_path}/folder/link.db"):
        with lock_file(url), pytest.raises(ConfigurationError):
            hold(spelling)


def test_other_files_and_postgresql_are_free(url: str, tmp_path: Path):
    with lock_file(url), lock_file(f"sqlite+aiosqlite:///{tmp_path}/other.db"):
        hold("postgresql+asyncpg://gateway@127.0.0.1/gateway")
        hold("postgresql+asyncpg://gateway@127.0.0.1/gateway")


def test_a_lock_that_cannot_be_written_is_told(url: str, tmp_path: Path):
    (tmp_path / "gateway.db.lock").mkdir()
    with pytest.raises(ConfigurationError) as unopened:
        hold(url)
    (tmp_path / "other.db.lock").write_text("This is no database, and too long for an empty one.")
    with pytest.raises(ConfigurationError) as foreign:
        hold(f"sqlite+aiosqlite:///{tmp_path}/other.db")

    advice = "Name a file in a folder that this process may write to."
    assert unopened.value.message == f"The database '{tmp_path}/gateway.db' cannot be locked (unable to open database file). {advice}"
    assert foreign.value.message == f"The database '{tmp_path}/other.db' cannot be locked (file is not a database). {advice}"
