"""The demo's own secrets: nobody has to make any to try the gateway."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import SecretStr

from gateway.errors import ConfigurationError
from gateway.storage.encryption import Cipher


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What signs the demo's tokens and encrypts its credentials."""

    token_secret: SecretStr
    encryption_keys: SecretStr


def keys_beside(database: Path) -> Keys:
    """The keys of a demo database, kept in a file beside it that only its owner can read; made on the first call.

    Raises ConfigurationError when that file can be neither read nor made.
    """
    path = database.with_name(f"{database.name}.keys")
    try:
        return _read(path) if path.exists() else _make(path)
    except OSError as error:
        raise ConfigurationError(f"The demo's keys in {path} cannot be used: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError(f"{path} does not hold the demo's keys. Delete it and {database} to begin anew.") from None


def _read(path: Path) -> Keys:
    stored = orjson.loads(path.read_bytes())
    return Keys(token_secret=SecretStr(stored["token_secret"]), encryption_keys=SecretStr(stored["encryption_keys"]))


def _make(path: Path) -> Keys:
    keys = Keys(token_secret=SecretStr(secrets.token_hex(32)), encryption_keys=SecretStr(Cipher.generate_key_ring()))
    stored = {"token_secret": keys.token_secret.get_secret_value(), "encryption_keys": keys.encryption_keys.get_secret_value()}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(stored))
    return keys
