"""What the gateway asks of a connector, whether a YAML file or a Python class stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.models import CollectionSpec, ConnectorSpec, JsonObject, JsonValue, Location, Page, PageRequest, Pointer, Record


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a connector may know of the connection it works for. Its `repr` shows no credential."""

    connection_id: str
    """Names the connection: requests are limited, and answers kept, per connection."""
    parameters: Mapping[str, JsonValue]
    auth_method: str
    credentials: Mapping[str, JsonValue] = field(repr=False)
    integration_parameters: Mapping[str, JsonValue] = field(default_factory=dict)


class Connector(Protocol):
    """The description of an app's API.

    Pointers that come in are valid: their key exists, their parameters satisfy the schema of the location.
    Every method that asks the app raises an UpstreamError when the app cannot or will not answer, a CursorExpiredError
    for a page token that no longer fits, and no other GatewayError; cancelling it leaves nothing behind.
    """

    @property
    def spec(self) -> ConnectorSpec:
        """What is known without asking any app."""

    async def check(self, access: Access) -> None:
        """Returns when the app accepts the connection. Raises UpstreamAuthError when it refuses the credentials."""

    def parameters_schema(self, key: str) -> JsonObject | None:
        """The JSON Schema of a location's parameters, directory or collection; null when no location has that key."""

    def is_directory(self, key: str) -> bool:
        """Whether the location of that key holds locations; the empty key is the root, a directory."""

    def static_locations(self, directory: Pointer) -> tuple[Location, ...] | None:
        """What a directory holds in every app, in the connector's order; an app may list more. Null when only the app knows."""

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        """What a directory holds: the static locations first, then those that the app lists, in its order."""

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        """One location with its name, the root too; null when the app says that it does not exist. Asks the app only where it must."""

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        """The spec of a collection for this connection, with the fields that only its app knows."""

    async def records(self, access: Access, collection: Pointer, page: PageRequest) -> Page[Record]:
        """One page of a collection's records, in the app's order.

        Raises UpstreamResponseError when the app repeats a page or its pages do not end.
        """
