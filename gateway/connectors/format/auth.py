"""How requests prove who they come from."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, Tag

from gateway.connectors.format.base import Part, Value, one_of
from gateway.connectors.format.requests import Request
from gateway.connectors.schemas import property_defaults
from gateway.expressions import Template
from gateway.models import JsonObject, JsonSchema

_EMPTY: JsonSchema = {"type": "object", "additionalProperties": False}
_BEARER = Template.compile("Bearer ${token}")


class _Auth(Part):
    name: str | None = None
    """What a customer reads where there is a choice; by default the method's key."""
    credentials: JsonSchema = _EMPTY
    """JSON Schema of what the customer enters; secrets are `writeOnly`. Their names stand under `credentials` in this part only."""

    @cached_property
    def defaults(self) -> JsonObject:
        """What stands for credentials that are not given."""
        return property_defaults(self.credentials)


class NoAuth(_Auth):
    """The app asks for nothing."""

    type: Literal["none"]


class ApiKeyAuth(_Auth):
    """A key in a header, the query, a cookie or, as a member at its top, every request's body."""

    type: Literal["apiKey"]
    location: Literal["header", "query", "cookie", "body"] = "header"
    parameter: str
    value: Value


class HttpBearerAuth(_Auth):
    """`Authorization: Bearer <token>` (RFC 6750)."""

    type: Literal["http"]
    scheme: Literal["bearer"]
    token: Value


class HttpBasicAuth(_Auth):
    """`Authorization: Basic <user:password>` (RFC 7617), in UTF-8."""

    type: Literal["http"]
    scheme: Literal["basic"]
    username: Value
    password: Value


class _TokenAuth(_Auth):
    location: Literal["header", "query", "cookie"] = "header"
    parameter: str = "Authorization"
    value: Value = Field(default_factory=lambda: _BEARER)
    """What is sent; names: `token`, and `credentials`."""


class Login(Part):
    """The request that gives a token for the credentials, which it sees as `credentials`; the other values are read from its answer."""

    request: Request
    token: Value
    expires_at: Value | None = None
    """When the token ends, as a time or in seconds since 1970; `jwt_claims(body.token).exp` is that of a JSON Web Token."""
    expires_in: Value | None = None
    """How many seconds the token lasts. Without either it lasts until the app refuses it."""


class SessionAuth(_TokenAuth):
    """A token that the app gives for a login. It is kept in memory, for all requests of a connection, and renewed when it ends."""

    type: Literal["session"]
    login: Login


class JwtAuth(_TokenAuth):
    """A JSON Web Token (RFC 7519) that the gateway signs itself. Its `iat` and `exp` are set by the gateway."""

    type: Literal["jwt"]
    algorithm: Literal["HS256", "RS256", "ES256"]
    key: Value
    """The secret, or the private key in PEM."""
    key_encoding: Literal["text", "base64", "hex"] = "text"
    """How the secret of HS256 is written."""
    headers: dict[str, Value] = {}
    """Members of the token's header beside `alg` and `typ`, such as `kid`; null values are left out, of claims too."""
    claims: dict[str, Value] = {}
    lasts_seconds: int = Field(default=300, ge=30, le=86_400)


def _tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else None
    tag = f"!{kind} {value.get('scheme')}" if kind == "http" else f"!{kind}"
    return tag if tag in ("!none", "!apiKey", "!http bearer", "!http basic", "!session", "!jwt") else None


Auth = Annotated[
    Annotated[NoAuth, Tag("!none")]
    | Annotated[ApiKeyAuth, Tag("!apiKey")]
    | Annotated[HttpBearerAuth, Tag("!http bearer")]
    | Annotated[HttpBasicAuth, Tag("!http basic")]
    | Annotated[SessionAuth, Tag("!session")]
    | Annotated[JwtAuth, Tag("!jwt")],
    one_of(_tag, message="the type must be none, apiKey, session, jwt, or http with a scheme of bearer or basic"),
]
