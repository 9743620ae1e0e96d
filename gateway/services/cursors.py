"""Opaque places in a list that an app keeps: signed, and bound to the list that they came from."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

import orjson

from gateway.errors import InvalidError
from gateway.models import JsonValue

_VERSION = 1
_MAC_BYTES = 16
_MAXIMUM_LENGTH = 16_384


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two items: the app's token of a page, and how many of that page's items lie before it."""

    token: JsonValue = None
    offset: int = 0


def encode(position: Position, *, scope: str, secret: str) -> str:
    """The position as text that a client gives back as `after`; it survives a restart."""
    payload = orjson.dumps([_VERSION, position.token, position.offset])
    return base64.urlsafe_b64encode(_mac(payload, scope, secret) + payload).decode().rstrip("=")


def decode(cursor: str, *, scope: str, secret: str) -> Position:
    """The position that `encode` made text of. Raises InvalidError when the cursor is damaged, or of another list."""
    refusal = InvalidError("The cursor is damaged or belongs to another list. Start again without `after`.", field=["after"])
    if len(cursor) > _MAXIMUM_LENGTH or not cursor.isascii():
        raise refusal
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refusal from None
    payload = raw[_MAC_BYTES:]
    if not hmac.compare_digest(raw[:_MAC_BYTES], _mac(payload, scope, secret)):
        raise refusal
    version, token, offset = orjson.loads(payload)
    if version != _VERSION:
        raise refusal
    return Position(token, offset)


def _mac(payload: bytes, scope: str, secret: str) -> bytes:
    # The key is hashed first: blake2b takes at most 64 bytes of key, and a token's secret may be longer.
    key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"gateway-cursor").digest()
    return hashlib.blake2b(scope.encode() + b"\0" + payload, key=key, digest_size=_MAC_BYTES).digest()
