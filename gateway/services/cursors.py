"""Opaque places in a list that an app keeps: signed, and bound to the list that they came from."""

import base64
import binascii
import hashlib
import hmac
import json

from msgspec import Struct

from gateway.errors import InvalidError, UpstreamResponseError
from gateway.models import JsonValue

MAXIMUM_LENGTH = 32_768
_VERSION = 1
_MAC_BYTES = 16


class Position(Struct, frozen=True, kw_only=True):
    """A place between two items: the app's token of a page, and how many of that page's items lie before it."""

    size: int
    """The page size that the app is asked for, from the first page to the last: another one would move the borders of its pages."""
    token: JsonValue = None
    offset: int = 0


def encode(position: Position, *, scope: str, secret: str) -> str:
    """The position as text that a client gives back as `after`; it survives a restart.

    Raises UpstreamResponseError when the app's token is too long to hand to a client.
    """
    payload = _dumped([_VERSION, position.size, position.token, position.offset])
    cursor = _text(_mac(payload, scope, secret) + payload)
    if len(cursor) > MAXIMUM_LENGTH:
        raise UpstreamResponseError(f"The app names its next page with {len(payload)} bytes, which is more than a cursor holds.")
    return cursor


def decode(cursor: str, *, scope: str, secret: str) -> Position:
    """The position that `encode` made text of. Raises InvalidError when the cursor is damaged, or of another list."""
    refusal = InvalidError("The cursor is damaged or belongs to another list. Start again without `after`.", field=["after"])
    if len(cursor) > MAXIMUM_LENGTH or not cursor.isascii():
        raise refusal
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refusal from None
    payload = raw[_MAC_BYTES:]
    # The text is compared too: base64 leaves bits unused, so that several texts stand for the same bytes.
    if not hmac.compare_digest(raw[:_MAC_BYTES], _mac(payload, scope, secret)) or _text(raw) != cursor:
        raise refusal
    version, size, token, offset = json.loads(payload.decode("utf-8", "surrogatepass"))
    if version != _VERSION:
        raise refusal
    return Position(size=size, token=token, offset=offset)


def _dumped(value: JsonValue) -> bytes:
    # The standard library keeps integers of any size, which an app's token may hold.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(payload: bytes, scope: str, secret: str) -> bytes:
    # The key is hashed first: blake2b takes at most 64 bytes of key, and a token's secret may be longer.
    key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"gateway-cursor").digest()
    return hashlib.blake2b(scope.encode() + b"\0" + payload, key=key, digest_size=_MAC_BYTES).digest()
