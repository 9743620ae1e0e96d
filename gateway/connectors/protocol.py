"""What the gateway asks of a connector, whether a YAML file or a Python class stands behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.connectors.operation import Operation
from gateway.models import (
    ChangePage,
    CollectionSpec,
    ConnectorSpec,
    JsonObject,
    JsonValue,
    Location,
    Page,
    PageRequest,
    Pointer,
    Record,
    RecordQuery,
    Since,
    SyncSupport,
    WebhookDelivery,
    WebhookReading,
    WebhookRegistration,
    WebhookTarget,
    Written,
)
from gateway.models.queries import EVERYTHING
from gateway.udm import UnifiedMapping


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a connector may know of the connection it works for, and never changes: others share it. Its `repr` shows no credential."""

    connection_id: str
    """Names the connection: requests are limited, and answers kept, per connection."""
    parameters: Mapping[str, JsonValue]
    auth_method: str
    credentials: Mapping[str, JsonValue] = field(repr=False)
    integration_parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    operation: Operation = field(default_factory=Operation, repr=False, compare=False)
    """The operation that asks: how many requests it may still make, and what it was answered already."""
    is_background: bool = False
    """Whether nobody waits for the answer: then a share of what the app allows is left to those who do."""
    made: dict[object, Any] = field(init=False, default_factory=dict, repr=False, compare=False)
    """What connectors have made of the connection, by connector: of this one and nothing of its operation."""

    def during(self, operation: Operation) -> "Access":
        """The same for another operation, with all that connectors have made of it."""
        access = object.__new__(Access)
        access.__dict__.update(self.__dict__, operation=operation)
        return access


class Connector(Protocol):
    """The description of an app's API.

    Pointers that come in are valid: their key exists, their parameters satisfy the schema of the location. Fields, conditions and
    orders that come in are those that the collection's spec allows.
    Every method that asks the app raises an UpstreamError when the app cannot or will not answer, UpstreamCallsExceededError
    when the operation may make no more requests, a CursorExpiredError for a page token that no longer fits, an UnsupportedError
    for what the collection's spec does not name, and no GatewayError but these and those that a method names; cancelling it
    leaves nothing behind.
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

    def mapping(self, collection: Pointer, model: str) -> UnifiedMapping | None:
        """How the collection's records and a universal data model translate into each other; null where they do not."""

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        """What a directory holds: the static locations first, then those that the app lists, in its order."""

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        """One location with its name, the root too; null when the app says that it does not exist. Asks the app only where it must."""

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        """The spec of a collection for this connection, with the fields that only its app knows."""

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        """One page of a collection's records that fit the query, in the order that it asks for or else in the app's.

        The parts of records that nobody looks at, as the page says, may be left out.
        Raises UpstreamResponseError when the app repeats a page or its pages do not end.
        """

    async def record(self, access: Access, collection: Pointer, external_id: str) -> Record | None:
        """The record of that id; null when the app has none."""

    async def records_by_ids(self, access: Access, collection: Pointer, external_ids: Sequence[str]) -> Mapping[str, Record]:
        """The records of those ids, by id, with one request; ids that the app does not have are left out.

        At most `find_by_ids_maximum` of the collection's spec come in, and it is not called where that is 1.
        """

    async def match(self, access: Access, collection: Pointer, fields: JsonObject) -> Record | None:
        """The first record whose fields, of those that the spec can match, are equal to all of these; null when the app has none."""

    async def create(self, access: Access, collection: Pointer, fields: JsonObject, *, idempotency_key: str | None = None) -> Written:
        """The new record. With a key, the same creation sent again gives the record that is there.

        Raises ConflictError when a record of that identity exists, and UpstreamUnavailableError that tells whether the
        app may have created it; it is sent again only where that can do no harm.
        """

    async def update(
        self, access: Access, collection: Pointer, external_id: str, fields: JsonObject, *, if_version: str | None = None
    ) -> Written:
        """The record with these fields changed, the others as they were.

        Raises NotFoundError, and ConflictError when its version is another than `if_version`: then nothing has changed.
        """

    async def delete(self, access: Access, collection: Pointer, external_id: str, *, if_version: str | None = None) -> None:
        """Returns when the record is no longer there. Raises NotFoundError and ConflictError as `update` does."""

    def sync_support(self, collection: Pointer) -> SyncSupport:
        """How changes of the collection can be learned of."""

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        """One page of what changed, which is called only where `sync_support` says so: by delta token, or by cursor value.

        Without a token of an app that has them, every record there is, and the token from which later readings start.
        Raises CursorExpiredError when the app no longer knows the delta token, or the page token.
        """

    async def register_webhook(self, access: Access, collection: Pointer, target: WebhookTarget) -> WebhookRegistration:
        """Returns when the app sends the collection's changes to the target. Called only where `sync_support` says so."""

    async def renew_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> WebhookRegistration:
        """The registration, whose life starts anew; `state` is that of the one before."""

    async def remove_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> None:
        """Returns when the app no longer sends; also where it had forgotten the webhook."""

    def read_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, delivery: WebhookDelivery) -> WebhookReading:
        """What a delivery says. Asks nobody.

        Raises WebhookRefusedError when it does not come from the app or is too old, InvalidError when it cannot be read.
        """
