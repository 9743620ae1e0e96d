"""The whole file."""

from functools import cached_property
from typing import Literal

from pydantic import Field

from gateway.connectors.format.auth import Auth
from gateway.connectors.format.base import Key, Part
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.locations import Entry
from gateway.connectors.format.requests import Check, Http, Pagination
from gateway.connectors.format.webhooks import WebhookPart
from gateway.connectors.schemas import property_defaults, writable_secrets
from gateway.models import JsonObject, JsonSchema, JsonValue

_NOTHING: JsonSchema = {"type": "object", "additionalProperties": False}


class _Parameters(Part):
    parameters_schema: JsonSchema = Field(default=_NOTHING, alias="schema")

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names of the parameters that are secret, or hold a secret."""
        return writable_secrets(self.parameters_schema)

    @cached_property
    def defaults(self) -> JsonObject:
        """What stands for parameters that are not given."""
        return property_defaults(self.parameters_schema)


class IntegrationPart(_Parameters):
    """What an operator sets when adding the integration; its values are `integration` in expressions."""


class ConnectionPart(_Parameters):
    """What a customer sets when connecting, without secrets; its values are `connection` in expressions."""

    check: Check


class DefaultCollection(Part):
    """Where an instance of a universal data model points by default."""

    collection: Key
    parameters: dict[str, JsonValue] = {}


class ConnectorFile(Part):
    """A connector file, format version 1. It is equal to itself only, so that what is made of it can be kept by it."""

    format: Literal["connector/v1"]
    key: Key
    name: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str | None = None
    categories: tuple[str, ...] = ()
    logo_url: str | None = None
    integration: IntegrationPart = IntegrationPart()
    connection: ConnectionPart
    auth: dict[Key, Auth] = Field(min_length=1)
    http: Http
    pagination: dict[Key, Pagination] = {}
    schemas: dict[str, JsonSchema] = {}
    """Schemas that collections name with `$ref: '#/schemas/<name>'`."""
    locations: tuple[Entry, ...]
    collections: dict[Key, Collection] = Field(min_length=1)
    webhooks: dict[Key, WebhookPart] = {}
    """What the app sends by itself; collections name them."""
    default_collections: dict[Key, DefaultCollection] = {}
    """By universal data model; a model without one takes the first collection of `locations` that can be read as it."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)
