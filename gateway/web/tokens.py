"""Tokens: how a customer or an admin proves who they are.

A token is a JSON Web Token signed with HS256 and the workspace secret. Its claims: `id` (the customer in the product's own
words), `name` and `fields` (stored with the customer), `isAdmin`, and `exp` and `nbf` as RFC 7519 has them.
"""

import binascii
import math
import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry
from pydantic import SecretStr

from gateway.clock import Clock, SystemClock
from gateway.errors import ConfigurationError, InvalidError, NotAuthenticatedError
from gateway.models import JsonObject

__all__ = ["Claims", "Tokens", "mint"]

_ALGORITHMS = ["HS256"]
_REGISTRY = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)  # RFC 7515 section 4: unknown header members are ignored.
_MAX_TOKEN_CHARACTERS = 8 * 1024  # What servers and proxies take as one header line.
_MAX_HEADER_CHARACTERS = 512
_MOST_VERIFIED = 1_000
_MAX_TEXT_CHARACTERS = 255
_UNSTORABLE_CATEGORIES = {"Cc", "Cs"}  # Control characters and lone surrogates.
_CLOCK_SKEW = timedelta(seconds=60)  # `nbf` is the minting machine's time, which may be a little ahead of ours.
_REFUSED = "The token is not one that this gateway signed. Send `Authorization: Bearer <token>` with a token made by `gateway token`."


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a valid token says. `None` in name or fields means that the token is silent about it."""

    external_id: str | None
    name: str | None = None
    fields: JsonObject | None = None
    is_admin: bool = False
    expires_at: datetime | None = None


class Tokens:
    """Reads the tokens that were signed with the workspace secret."""

    def __init__(self, secret: SecretStr, *, clock: Clock) -> None:
        self._key = _key_from(secret)
        self._clock = clock
        self._signed = lru_cache(maxsize=_MOST_VERIFIED)(self._verified)

    def read(self, token: str) -> Claims:
        """The claims of a token whose signature and times hold.

        Raises NotAuthenticatedError, whose message never repeats the token.
        """
        signed = self._signed(token)
        self._refuse_untimely(signed)
        return signed.claims

    def _verified(self, token: str) -> "_Signed":
        """A token whose signature holds: that it does stays true, and clients send one token many times."""
        _refuse_foreign_header(token)
        try:
            return _Signed(jwt.decode(token, self._key, algorithms=_ALGORITHMS, registry=_REGISTRY).claims)
        except (JoseError, ValueError, RecursionError):
            raise NotAuthenticatedError(_REFUSED) from None

    def _refuse_untimely(self, signed: "_Signed") -> None:
        expires_at, not_before = signed.expires_at, signed.not_before
        now = self._clock.now()

        if expires_at is not None and expires_at <= now:
            raise NotAuthenticatedError(f"The token expired at {expires_at.isoformat()}. Get a new one.")
        if not_before is not None and not_before > now + _CLOCK_SKEW:
            raise NotAuthenticatedError(
                f"The token is not valid before {not_before.isoformat()}. Check the clock of the machine that made it."
            )


class _Signed:
    """What a token says whose signature holds: it is read once, and refused each time where it is wrong."""

    def __init__(self, claims: JsonObject) -> None:
        self._claims = claims

    @cached_property
    def expires_at(self) -> datetime | None:
        return _time(self._claims, "exp")

    @cached_property
    def not_before(self) -> datetime | None:
        return _time(self._claims, "nbf")

    @cached_property
    def claims(self) -> Claims:
        return _claims_from(self._claims, expires_at=self.expires_at)


def mint(
    secret: SecretStr,
    *,
    customer_external_id: str | None = None,
    is_admin: bool = False,
    name: str | None = None,
    fields: JsonObject | None = None,
    expires_in: timedelta | None = timedelta(hours=2),
    clock: Clock | None = None,
) -> str:
    """A signed token for a customer, an admin, or an admin who is also a customer; `expires_in=None` never expires.

    Raises InvalidError when it would be nobody's token, or one that the gateway would refuse to read.
    """
    now = (clock or SystemClock()).now()
    claims: JsonObject = {"id": customer_external_id, "name": name, "fields": fields, "isAdmin": is_admin or None}
    if expires_in is not None:
        if expires_in <= timedelta(0):
            raise InvalidError("The token would expire before anybody could use it. Let it last at least a second.")
        claims["exp"] = math.ceil((now + expires_in).timestamp())
    claims = {key: value for key, value in claims.items() if value is not None}

    try:
        _claims_from(claims, expires_at=None)
    except NotAuthenticatedError as error:
        raise InvalidError(error.message) from None
    token = jwt.encode({"alg": "HS256"}, claims, _key_from(secret), algorithms=_ALGORITHMS)
    if len(token) > _MAX_TOKEN_CHARACTERS:
        raise InvalidError(f"The token would have {len(token)} characters, at most {_MAX_TOKEN_CHARACTERS} are read. Shorten its fields.")
    return token


def _key_from(secret: SecretStr) -> OctKey:
    try:
        return OctKey.import_key(secret.get_secret_value().encode())
    except (JoseError, ValueError):
        raise ConfigurationError(
            "GATEWAY_TOKEN_SECRET is not usable as a secret: it is empty or a public key. Use the output of `openssl rand -hex 32`."
        ) from None


def _refuse_foreign_header(token: str) -> None:
    """Refuses what is no compact HS256 token before any of it reaches the library."""
    header, _, rest = token.partition(".")
    if len(token) > _MAX_TOKEN_CHARACTERS or not token.isascii() or rest.count(".") != 1 or len(header) > _MAX_HEADER_CHARACTERS:
        raise NotAuthenticatedError(_REFUSED)
    try:
        members = orjson.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError):
        raise NotAuthenticatedError(_REFUSED) from None
    # `crit` and `b64` change what the signature covers; nobody needs them here.
    if not isinstance(members, dict) or members.get("alg") != "HS256" or "crit" in members or "b64" in members:
        raise NotAuthenticatedError(_REFUSED)


def _claims_from(claims: Mapping[str, object], *, expires_at: datetime | None) -> Claims:
    is_admin = claims.get("isAdmin", False)
    if not isinstance(is_admin, bool):
        raise NotAuthenticatedError("Claim `isAdmin` of the token must be true or false.")
    external_id = _text(claims, "id")
    if external_id is None and not is_admin:
        raise NotAuthenticatedError("The token names no customer. Its claim `id` must be the customer's id in your product.")
    return Claims(external_id=external_id, name=_text(claims, "name"), fields=_fields(claims), is_admin=is_admin, expires_at=expires_at)


def _text(claims: Mapping[str, object], claim: str) -> str | None:
    value = claims.get(claim)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT_CHARACTERS or _has_controls(value):
        raise NotAuthenticatedError(
            f"Claim `{claim}` of the token must be a text of 1 to {_MAX_TEXT_CHARACTERS} characters without control characters."
        )
    return value


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character) in _UNSTORABLE_CATEGORIES for character in text)


def _fields(claims: Mapping[str, object]) -> JsonObject | None:
    value = claims.get("fields")
    if value is None:
        return None
    if not isinstance(value, dict) or not _is_storable(value):
        raise NotAuthenticatedError("Claim `fields` of the token must be an object of plain JSON values.")
    return value


def _is_storable(value: JsonObject) -> bool:
    """Whether both databases keep it: no lone surrogates or huge integers, which orjson refuses, and no character zero."""
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        return False
    return b"\\u0000" not in encoded.replace(b"\\\\", b"")


def _time(claims: Mapping[str, object], claim: str) -> datetime | None:
    value = claims.get(claim)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise NotAuthenticatedError(f"Claim `{claim}` of the token must be a time in seconds since 1970.") from None
