"""The demo's own secrets."""

import stat

import pytest

from gateway.config import Settings
from gateway.demo.keys import keys_beside
from gateway.errors import ConfigurationError
from gateway.storage.encryption import Cipher


def test_the_keys_of_a_database_stay_the_same(tmp_path):
    database = tmp_path / "demo.db"

    assert keys_beside(database) == keys_beside(database)
    assert keys_beside(database) != keys_beside(tmp_path / "other.db")


def test_only_their_owner_can_read_them(tmp_path):
    keys_beside(tmp_path / "demo.db")

    assert stat.S_IMODE((tmp_path / "demo.db.keys").stat().st_mode) == 0o600


def test_the_keys_are_what_the_gateway_takes(tmp_path):
    keys = keys_beside(tmp_path / "demo.db")

    settings = Settings(token_secret=keys.token_secret, encryption_keys=keys.encryption_keys)
    Cipher.from_key_ring(settings.encryption_keys)
    assert keys.token_secret.get_secret_value() not in repr(keys)


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}", '{"token_secret": 1}'])
def test_a_file_that_holds_something_else_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "demo.db.keys"
    path.write_text(content)

    with pytest.raises(ConfigurationError, match="does not hold the demo's keys"):
        keys_beside(tmp_path / "demo.db")
    assert path.read_text() == content


def test_a_folder_that_is_not_there_is_told_of(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be used: No such file or directory"):
        keys_beside(tmp_path / "nowhere" / "demo.db")
