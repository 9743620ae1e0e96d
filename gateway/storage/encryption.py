"""Credentials at rest: sealed by a key of their own, which the operator's key ring wraps."""

import base64
import binascii
import json
import os
import struct
from collections.abc import Mapping
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from gateway.errors import ConfigurationError, InternalError
from gateway.models import JsonObject

_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
_HEADER = struct.Struct(">BB")
_VERSION = 1
# Ciphertext: version (1 byte), length of the key's id (1), the id, nonce + wrapped data key (60), nonce + sealed text.
_MAXIMUM_ID_BYTES = 64
_NEW_RING = "The setting is id:base64-of-32-random-bytes, several separated by commas; `openssl rand -base64 32` makes one."


class Cipher:
    """Seals and opens values with AES-256-GCM, so that each opens only in the row and column for which it was sealed.

    The first key of the ring seals; every key of it opens. Safe to share between threads and tasks.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._sealing_id = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"Cipher(key_ids={list(self._keys)})"

    @classmethod
    def from_key_ring(cls, ring: SecretStr) -> "Cipher":
        """The cipher of a key ring `id:base64,id2:base64`, in the setting's order.

        Raises ConfigurationError that tells which entry is wrong and why, and never a key.
        """
        keys: dict[str, bytes] = {}
        entries = [entry.strip() for entry in ring.get_secret_value().split(",")]
        for position, entry in enumerate(entries, start=1):
            key_id, key = _parse_entry(entry, position=position)
            if key_id in keys:
                raise _bad_ring(position, f"repeats the id {key_id!r}. Give each key its own id")
            keys[key_id] = key
        return cls(keys)

    @staticmethod
    def generate_key_ring() -> str:
        """A new ring of one random key, in the setting's form."""
        return f"k1:{base64.b64encode(AESGCM.generate_key(bit_length=256)).decode()}"

    def encrypt(self, plaintext: bytes, *, row: UUID, column: str) -> bytes:
        """The plaintext sealed for one column of one row, such as `connection.credentials`; different each time."""
        data_key = AESGCM.generate_key(bit_length=256)
        place = _place(row, column)
        sealed = _seal(AESGCM(data_key), plaintext, _associated(b"value", place))
        return self._envelope(data_key, place) + sealed

    def decrypt(self, ciphertext: bytes, *, row: UUID, column: str) -> bytes:
        """The plaintext that was sealed for this column of this row.

        Raises ConfigurationError when its key is not in the ring, InternalError when it was damaged or belongs elsewhere.
        """
        place = _place(row, column)
        data_key, sealed = self._opened_envelope(ciphertext, place)
        return _open(AESGCM(data_key), sealed, _associated(b"value", place), place=place)

    def rewrap(self, ciphertext: bytes, *, row: UUID, column: str) -> bytes:
        """The same value under the ring's first key, without opening the value; as it was when it is already. Raises as `decrypt`."""
        key_id, _ = _split(ciphertext)
        if key_id == self._sealing_id:
            return ciphertext
        place = _place(row, column)
        data_key, sealed = self._opened_envelope(ciphertext, place)
        return self._envelope(data_key, place) + sealed

    def seal_json(self, value: JsonObject, *, row: UUID, column: str) -> bytes:
        """A JSON object, such as credentials, sealed as `encrypt` seals."""
        return self.encrypt(json.dumps(value, separators=(",", ":")).encode(), row=row, column=column)

    def open_json(self, ciphertext: bytes, *, row: UUID, column: str) -> JsonObject:
        """The JSON object that `seal_json` sealed. Raises as `decrypt`."""
        value: JsonObject = json.loads(self.decrypt(ciphertext, row=row, column=column))
        return value

    def _envelope(self, data_key: bytes, place: bytes) -> bytes:
        key_id = self._sealing_id.encode()
        header = _HEADER.pack(_VERSION, len(key_id)) + key_id
        return header + _seal(self._keys[self._sealing_id], data_key, _associated(header, place))

    def _opened_envelope(self, ciphertext: bytes, place: bytes) -> tuple[bytes, bytes]:
        key_id, end = _split(ciphertext)
        if key_id not in self._keys:
            raise ConfigurationError(
                f"Stored credentials need the encryption key {key_id!r}, which GATEWAY_ENCRYPTION_KEYS does not hold. Add the key again."
            )
        wrapped = ciphertext[end : end + _WRAPPED_BYTES]
        data_key = _open(self._keys[key_id], wrapped, _associated(ciphertext[:end], place), place=place)
        return data_key, ciphertext[end + _WRAPPED_BYTES :]


def _parse_entry(entry: str, *, position: int) -> tuple[str, bytes]:
    key_id, separator, encoded = entry.partition(":")
    # Without its separator the whole entry may be a key: none of it is repeated.
    if not separator:
        raise _bad_ring(position, "has no colon between id and key")
    if not key_id.isascii() or not key_id.replace("-", "").replace("_", "").isalnum() or len(key_id) > _MAXIMUM_ID_BYTES:
        raise _bad_ring(position, f"has an id that is not 1 to {_MAXIMUM_ID_BYTES} letters, digits, - and _")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _bad_ring(position, f"has a key that is not base64 (id {key_id!r})") from None
    if len(key) != _KEY_BYTES:
        raise _bad_ring(position, f"has a key of {len(key)} bytes instead of {_KEY_BYTES} (id {key_id!r})")
    return key_id, key


def _bad_ring(position: int, problem: str) -> ConfigurationError:
    return ConfigurationError(f"GATEWAY_ENCRYPTION_KEYS: entry {position} {problem}. {_NEW_RING}")


def _place(row: UUID, column: str) -> bytes:
    return row.bytes + column.encode()


def _associated(part: bytes, place: bytes) -> bytes:
    # The length keeps one part's end from passing for the other's start.
    return struct.pack(">I", len(part)) + part + place


def _split(ciphertext: bytes) -> tuple[str, int]:
    """The id of the key that wrapped it, and where the wrapped key begins."""
    if len(ciphertext) < _HEADER.size:
        raise InternalError("A sealed value is cut short.")
    version, id_length = _HEADER.unpack_from(ciphertext)
    end = _HEADER.size + id_length
    if version != _VERSION or len(ciphertext) < end + _WRAPPED_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise InternalError("A sealed value is damaged or was sealed by a newer gateway.")
    return ciphertext[_HEADER.size : end].decode("ascii", "backslashreplace"), end


def _seal(key: AESGCM, plaintext: bytes, associated: bytes) -> bytes:
    # A random nonce is safe for 2^32 values under one key: a data key seals one value, and a wrapping key one data key a write.
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, plaintext, associated)


def _open(key: AESGCM, sealed: bytes, associated: bytes, *, place: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated)
    except InvalidTag:
        column, row = place[16:].decode(), UUID(bytes=place[:16])
        raise InternalError(
            f"The sealed {column} of row {row} does not open: it was damaged, moved from another row, or its key changed under the same id."
        ) from None
