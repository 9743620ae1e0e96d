"""JSON Web Tokens that the gateway signs with a connection's key."""

import base64
import binascii
import warnings
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.connectors.executor.auth import credential_text
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.tokens import Token
from gateway.connectors.format.auth import JwtAuth
from gateway.errors import UpstreamAuthError
from gateway.expressions import ExpressionError, Template
from gateway.models import JsonObject

_MAX_KEY_CHARACTERS = 16_384
_MAX_RSA_BITS = 8_192
# Signing with a key of 16,384 bits takes a second, during which nobody else is served.
_CLOCK_SKEW = timedelta(seconds=10)
# Apps whose clock is behind ours refuse a token of the future.

Key = OctKey | RSAKey | ECKey


def signed_token(method: JwtAuth, names: Names, *, now: datetime) -> Token:
    """The token. Raises UpstreamAuthError, whose message holds nothing of the key, when the credentials cannot sign it."""
    issued = now - _CLOCK_SKEW
    until = issued + timedelta(seconds=method.lasts_seconds)
    claims = {**_rendered(method.claims, names), "iat": int(issued.timestamp()), "exp": int(until.timestamp())}
    header = {**_rendered(method.headers, names), "alg": method.algorithm, "typ": "JWT"}
    registry = JWSRegistry(algorithms=[method.algorithm], strict_check_header=False)
    try:
        text = jwt.encode(header, claims, _key(method, names), algorithms=[method.algorithm], registry=registry)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError):
        raise _unusable(method) from None
    return Token.lasting(text, until=until, now=now)


def _key(method: JwtAuth, names: Names) -> Key:
    text = credential_text(method.key, names, what="key")
    if len(text) > _MAX_KEY_CHARACTERS:
        raise _unusable(method)
    if method.algorithm == "HS256":
        return _secret(method, text)
    # Keys are pasted out of JSON files too, where their line breaks are written as \n.
    pem = text if "\n" in text else text.replace("\\n", "\n")
    if method.algorithm == "ES256":
        return _private(method, ECKey.import_key(pem))
    key = RSAKey.import_key(pem)
    if key.raw_value.key_size > _MAX_RSA_BITS:
        raise _unusable(method)
    return _private(method, key)


def _secret(method: JwtAuth, text: str) -> OctKey:
    try:
        secret = _DECODERS[method.key_encoding](text)
    except (ValueError, binascii.Error):
        raise UpstreamAuthError(f"The key of the credentials is not written in {method.key_encoding}. Enter it again.") from None
    if not secret:
        raise _unusable(method)
    with warnings.catch_warnings():
        # How long the secret is was the app's choice.
        warnings.simplefilter("ignore", SecurityWarning)
        return OctKey.import_key(secret)


def _private(method: JwtAuth, key: Key) -> Key:
    if not key.is_private:
        raise _unusable(method)
    return key


def _rendered(values: Mapping[str, Template], names: Names) -> JsonObject:
    try:
        rendered = {name: value.render(names) for name, value in values.items()}
    except ExpressionError:
        raise UpstreamAuthError(
            "The credentials cannot make a token: a part of them is missing or of another kind. Enter them again."
        ) from None
    return {name: value for name, value in rendered.items() if value is not None}


def _unusable(method: JwtAuth) -> UpstreamAuthError:
    kind = "a secret" if method.algorithm == "HS256" else "a private key in PEM"
    return UpstreamAuthError(f"The key of the credentials cannot sign with {method.algorithm}: it must be {kind}. Enter it again.")


_DECODERS: dict[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "base64": lambda text: base64.b64decode(text.strip(), validate=True),
    "hex": lambda text: bytes.fromhex(text.strip()),
}
