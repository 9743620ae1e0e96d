"""The tokens that connections were given: kept in memory, made once for all who need one at the same time."""

import asyncio
import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.clock import Clock
from gateway.connectors.executor.reads import error_for_one
from gateway.connectors.protocol import Access
from gateway.errors import UpstreamError

MAX_CONNECTIONS = 10_000
"""How many connections' tokens are kept; the one that was asked for the longest ago is forgotten first."""

_MARGIN = timedelta(seconds=30)
# A token is renewed this long before its end: requests take time, and clocks differ.
_MARGIN_SHARE = 5
# Of a token that lasts two minutes, a fifth: it would else be renewed after half of its time, or always.


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token, and until when it is used. Its `repr` does not show it."""

    text: str = field(repr=False)
    renewed_at: datetime | None = None
    """From when on another one is made; null for a token that lasts until the app refuses it."""

    @classmethod
    def lasting(cls, text: str, *, until: datetime | None, now: datetime) -> "Token":
        """The token that ends then: it is used until a little before."""
        margin = min(_MARGIN, max(until - now, timedelta(0)) / _MARGIN_SHARE) if until is not None else timedelta(0)
        return cls(text=text, renewed_at=None if until is None else until - margin)


@dataclass
class _Slot:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: Token | None = None
    failures: int = 0
    error: UpstreamError | None = None


class Tokens:
    """The tokens of many connections. Safe to use from many tasks at once."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._slots: OrderedDict[bytes, _Slot] = OrderedDict()
        self._salt = secrets.token_bytes(32)

    async def token(self, access: Access, *, make: Callable[[], Awaitable[Token]], instead_of: Token | None = None) -> Token:
        """The connection's token: the one that is kept, else one that `make` makes, `instead_of` one that the app refuses.

        Who asks while another's token is being made waits for that one, and gets its error where it fails: an app that counts
        failed logins counts one. Where whoever makes it is cancelled, the next one makes it.
        """
        slot = self._slot(access)
        failures = slot.failures
        if (kept := self._kept(slot, instead_of)) is not None:
            return kept
        async with slot.lock:
            if slot.failures != failures and slot.error is not None:
                raise error_for_one(slot.error)
            if (kept := self._kept(slot, instead_of)) is not None:
                return kept
            try:
                slot.token = await make()
            except UpstreamError as error:
                # A twin: the error itself holds on to all that was under way, credentials among it.
                slot.token, slot.error, slot.failures = None, error_for_one(error), slot.failures + 1
                raise
            slot.error = None
            return slot.token

    def _kept(self, slot: _Slot, instead_of: Token | None) -> Token | None:
        token = slot.token
        if token is None or token is instead_of:
            return None
        return token if token.renewed_at is None or self._clock.now() < token.renewed_at else None

    def _slot(self, access: Access) -> _Slot:
        key = self._key(access)
        slot = self._slots.setdefault(key, _Slot())
        self._slots.move_to_end(key)
        while len(self._slots) > MAX_CONNECTIONS:
            self._slots.popitem(last=False)
        return slot

    def _key(self, access: Access) -> bytes:
        """Names the connection and all that its login may depend on, and tells nothing of it."""
        parts = [
            access.connection_id,
            access.auth_method,
            dict(access.credentials),
            dict(access.parameters),
            dict(access.integration_parameters),
        ]
        return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), key=self._salt, digest_size=32).digest()

    def __repr__(self) -> str:
        return f"Tokens({len(self._slots)} connections)"
