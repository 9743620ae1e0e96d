"""How requests prove who they come from."""

from typing import Literal

from gateway.connectors.format.base import Part, Value
from gateway.models import JsonSchema

_EMPTY: JsonSchema = {"type": "object", "additionalProperties": False}


class _Auth(Part):
    name: str | None = None
    """What a customer reads where there is a choice; by default the method's key."""
    credentials: JsonSchema = _EMPTY
    """JSON Schema of what the customer enters; secrets are `writeOnly`. Their names stand under `credentials` in this part only."""


class NoAuth(_Auth):
    """The app asks for nothing."""

    type: Literal["none"]


class ApiKeyAuth(_Auth):
    """A key in a header, the query or a cookie."""

    type: Literal["apiKey"]
    location: Literal["header", "query", "cookie"] = "header"
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


Auth = NoAuth | ApiKeyAuth | HttpBearerAuth | HttpBasicAuth
