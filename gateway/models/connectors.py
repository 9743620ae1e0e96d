"""What a connector says of itself, before any connection exists."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.models.collections import CollectionSpec
from gateway.models.json import JsonSchema
from gateway.models.locations import Pointer


class AuthType(StrEnum):
    """How requests prove who they come from."""

    NONE = "NONE"
    API_KEY = "API_KEY"
    HTTP_BASIC = "HTTP_BASIC"
    HTTP_BEARER = "HTTP_BEARER"
    SESSION = "SESSION"
    OAUTH2 = "OAUTH2"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, kw_only=True)
class AuthMethod:
    """One way to connect; `credentials_schema` marks its secrets with `writeOnly`."""

    key: str
    name: str
    type: AuthType
    credentials_schema: JsonSchema


@dataclass(frozen=True, kw_only=True)
class ConnectorSpec:
    """What a connector can do, without asking any app."""

    key: str
    name: str
    version: str
    description: str | None = None
    categories: tuple[str, ...] = ()
    logo_url: str | None = None
    integration_schema: JsonSchema = field(default_factory=lambda: {"type": "object", "additionalProperties": False})
    """What an operator sets when adding the integration."""
    connection_schema: JsonSchema = field(default_factory=lambda: {"type": "object", "additionalProperties": False})
    """What a customer sets when connecting, such as a server address; no secrets."""
    auth_methods: tuple[AuthMethod, ...]
    collections: tuple[CollectionSpec, ...]
    default_collections: dict[str, Pointer] = field(default_factory=dict)
    """By universal data model: the collection that an instance of the model points at by default, mapped ones included."""

    def collection(self, key: str) -> CollectionSpec | None:
        """The static spec of a collection; null when the connector has none of that key."""
        for collection in self.collections:
            if collection.key == key:
                return collection
        return None

    def auth_method(self, key: str) -> AuthMethod | None:
        """The auth method of that key, if any."""
        return next((method for method in self.auth_methods if method.key == key), None)

    @property
    def universal_data_models(self) -> tuple[str, ...]:
        """The keys of all models that its collections can be read as, in the order of the collections."""
        return tuple(dict.fromkeys(key for collection in self.collections for key in collection.universal_data_models))
