"""A connector that a file describes."""

from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

from gateway.clock import Clock, SystemClock
from gateway.connectors.executor import finding, lists, places, writes
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.changes import page_of_changes
from gateway.connectors.executor.collection_specs import with_fields
from gateway.connectors.executor.fields import merged_schema
from gateway.connectors.executor.hosts_health import HostsHealth
from gateway.connectors.executor.identity import redactor_of
from gateway.connectors.executor.known_connections import KnownConnection
from gateway.connectors.executor.known_fields import FILTERS, SCHEMA, SYNC, KnownFields
from gateway.connectors.executor.known_files import known_file
from gateway.connectors.executor.limits import ExecutorLimits
from gateway.connectors.executor.names import Names, holds, shared_names, told
from gateway.connectors.executor.reads import Reads
from gateway.connectors.executor.sending import Sender
from gateway.connectors.executor.sync_support import is_read_as_list
from gateway.connectors.executor.tokens import Tokens
from gateway.connectors.executor.turns import ConnectionTurns
from gateway.connectors.executor.webhooks import deliveries, registration
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.webhooks import WebhookPart
from gateway.connectors.http import Http
from gateway.connectors.protocol import Access
from gateway.errors import UpstreamAuthError, UpstreamError
from gateway.models import (
    ChangePage,
    CollectionSpec,
    ConnectorSpec,
    JsonObject,
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
from gateway.udm import MODELS, Models, UnifiedMapping


class DeclarativeConnector:
    """The connector protocol over a connector file. One for the whole process; safe to use from many tasks at once."""

    def __init__(
        self,
        file: ConnectorFile,
        http: Http,
        *,
        clock: Clock | None = None,
        limits: ExecutorLimits | None = None,
        models: Models = MODELS,
        reads: Reads | None = None,
    ) -> None:
        self._file = file
        self._http = http
        self._clock = clock if clock is not None else SystemClock()
        self._limits = limits if limits is not None else ExecutorLimits()
        known = known_file(file, models)
        self._tree = known.tree
        self.spec: ConnectorSpec = known.spec
        """What the file says without any app."""
        self._collections = known.collections
        self._mappings = known.mappings
        self._turns: WeakValueDictionary[str, ConnectionTurns] = WeakValueDictionary()
        self._reads = reads if reads is not None else Reads(clock=self._clock)
        self._tokens = Tokens(clock=self._clock)
        self._hosts_health = HostsHealth(clock=self._clock, http=file.http)
        self._known_fields = KnownFields(file, clock=self._clock)

    async def check(self, access: Access) -> None:
        """Returns when the app accepts the connection: by a 2xx answer for which `connection.check.when` holds."""
        check = self._file.connection.check
        with self._caller(access) as caller:
            answer = await caller.ask(check.request, names={})
            if check.when is not None and not holds(
                check.when, {**caller.names, **answer.names}, what="Whether the app accepts the connection"
            ):
                raise UpstreamAuthError(f"{self._file.name} does not accept the credentials. Connect again with valid ones.")

    def parameters_schema(self, key: str) -> JsonObject | None:
        """The JSON Schema of a location's parameters; null when there is no such location."""
        return self._tree.parameters_schema(key)

    def is_directory(self, key: str) -> bool:
        """Whether the location of that key holds locations."""
        return self._tree.is_directory(key)

    def static_locations(self, directory: Pointer) -> tuple[Location, ...] | None:
        """What a directory holds whatever the app and the connection say, in the file's order; null when they decide all of it."""
        return self._tree.static_locations(directory)

    def mapping(self, collection: Pointer, model: str) -> UnifiedMapping | None:
        """How the collection's records and a universal data model translate into each other; null where they do not."""
        return self._mappings.get((collection.key, model))

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        """What a directory holds: a page of those that the file names, then the pages of each list of the app's."""
        with self._caller(access) as caller:
            return await places.page_of_locations(caller, self._tree, directory, page)

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        """One location with its name; null when the app says that it does not exist."""
        if pointer.key in self._collections:
            return self._known_collection(access, pointer)
        with self._caller(access) as caller:
            return await places.one_directory(caller, self._tree, pointer)

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        """The spec of a collection with the fields that only the connection's app knows."""
        found = self._collections[collection.key]
        dynamic = found.file.dynamic_fields
        if dynamic is None:
            return found.spec
        with self._caller(access) as caller:
            names = found.names(collection)
            answer = await caller.ask(dynamic.request, names=names)
            if answer.is_empty:
                self._known_fields.learn(access, collection, found.spec)
                return found.spec
            schema = told(dynamic.fields_schema, {**caller.names, **names, **answer.names}, what="The fields of the collection")
            spec = with_fields(found.spec, found.file, merged_schema(found.file.fields, schema))
            self._known_fields.learn(access, collection, spec)
            return spec

    async def records(self, access: Access, collection: Pointer, page: PageRequest, query: RecordQuery = EVERYTHING) -> Page[Record]:
        """One page of a collection's records that fit the query, in the order that it asks for or else in the app's."""
        found = self._collections[collection.key]
        operation = lists.list_operation(found.file, query)
        names = await self._names(access, collection, "list", "search", *([FILTERS] if query.conditions else []))
        with self._caller(access) as caller:
            return await lists.page_of_records(caller, found.file, operation, names=names, page=page, query=query)

    async def record(self, access: Access, collection: Pointer, external_id: str) -> Record | None:
        """The record of that id; null when the app has none. An id that the app cannot have given is not asked for."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "get", "get_many")
        with self._caller(access) as caller:
            return await finding.record_by_id(caller, found, external_id, names=names)

    async def records_by_ids(self, access: Access, collection: Pointer, external_ids: Sequence[str]) -> Mapping[str, Record]:
        """The records of those ids, by id, with one request."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "get_many")
        with self._caller(access) as caller:
            return await finding.records_by_ids(caller, found, external_ids, names=names)

    async def match(self, access: Access, collection: Pointer, fields: JsonObject) -> Record | None:
        """The first record with these fields; null when the app has none."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "match", "list", FILTERS)
        with self._caller(access) as caller:
            return await finding.matching_record(caller, found, fields, names=names)

    async def create(self, access: Access, collection: Pointer, fields: JsonObject, *, idempotency_key: str | None = None) -> Written:
        """The new record; without the record itself where the app answers only its id."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "create")
        with writes.telling_outcome("created", key=idempotency_key), self._caller(access) as caller:
            return await writes.create(caller, found, fields, names=names, idempotency_key=idempotency_key)

    async def update(
        self, access: Access, collection: Pointer, external_id: str, fields: JsonObject, *, if_version: str | None = None
    ) -> Written:
        """The record with these fields changed; without the record itself where the app does not answer with it."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "update")
        with writes.telling_outcome("changed"), self._caller(access) as caller:
            return await writes.update(caller, found, external_id, fields, names=names, if_version=if_version)

    async def delete(self, access: Access, collection: Pointer, external_id: str, *, if_version: str | None = None) -> None:
        """Returns when the record is no longer there."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, "delete")
        with writes.telling_outcome("deleted"), self._caller(access) as caller:
            await writes.delete(caller, found, external_id, names=names, if_version=if_version)

    def sync_support(self, collection: Pointer) -> SyncSupport:
        """How changes of the collection can be learned of."""
        return self._collections[collection.key].sync_support

    async def changes(self, access: Access, collection: Pointer, since: Since, page: PageRequest) -> ChangePage:
        """One page of what changed, with a token or the cursor values from which later readings start."""
        found = self._collections[collection.key]
        names = await self._names(access, collection, SYNC, *(["list", FILTERS] if is_read_as_list(found.file) else []))
        with self._caller(access) as caller:
            return await page_of_changes(caller, found.file, names=names, since=since, page=page)

    async def register_webhook(self, access: Access, collection: Pointer, target: WebhookTarget) -> WebhookRegistration:
        """Returns when the app sends the collection's changes to the target."""
        webhook, names = self._webhook(collection), self._webhook_names(collection, target)
        with registration.hiding(target), self._caller(access) as caller:
            return await registration.register(caller, webhook, names=names, now=self._clock.now())

    async def renew_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> WebhookRegistration:
        """The registration, whose life starts anew."""
        webhook, names = self._webhook(collection), self._webhook_names(collection, target)
        with registration.hiding(target), self._caller(access) as caller:
            return await registration.renew(caller, webhook, names=names, state=state, now=self._clock.now())

    async def remove_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> None:
        """Returns when the app no longer sends."""
        webhook, names = self._webhook(collection), self._webhook_names(collection, target)
        with registration.hiding(target), self._caller(access) as caller:
            await registration.remove(caller, webhook, names=names, state=state)

    def read_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, delivery: WebhookDelivery) -> WebhookReading:
        """What a delivery says."""
        return deliveries.reader(self._file, collection, access, target).read(delivery)

    def _webhook(self, collection: Pointer) -> WebhookPart:
        return deliveries.webhook_of(self._file, collection)

    def _webhook_names(self, collection: Pointer, target: WebhookTarget) -> Names:
        found = self._collections[collection.key]
        return {**found.names(collection), "collection": collection.key, "webhook": {"url": target.url, "secret": target.secret}}

    async def _names(self, access: Access, collection: Pointer, *operations: str) -> Names:
        """What the expressions of operations see of a collection; its fields schema only where one of them reads it."""
        found = self._collections[collection.key]
        names = found.names(collection)
        if found.readers_of_schema.isdisjoint(operations):
            return names
        return {**names, SCHEMA: await self._known_fields.schema(access, collection, describe=self.describe)}

    def _known_collection(self, access: Access, pointer: Pointer) -> Location:
        """A collection as a location, which needs no app; no error leaves with a secret in it."""

        def names() -> Names:
            return {**shared_names(self._file, access), **self._collections[pointer.key].names(pointer)}

        try:
            return self._tree.known_collection(pointer, names)
        except UpstreamError as error:
            redactor_of(self._file, access).clean(error)
            raise

    def _caller(self, access: Access) -> Caller:
        """What calls the app for one read."""
        known = access.made.get(self)
        if known is None:
            known = access.made[self] = self._known(access)
        return Caller(known, access)

    def _known(self, access: Access) -> KnownConnection:
        turns = self._turns.get(access.connection_id) or self._turns.setdefault(access.connection_id, ConnectionTurns(self._file.http))
        sender = Sender(
            self._file,
            self._http,
            connection_id=access.connection_id,
            clock=self._clock,
            limits=self._limits,
            turns=turns,
            hosts_health=self._hosts_health,
        )
        return KnownConnection(self._file, access, clock=self._clock, sender=sender, tokens=self._tokens, reads=self._reads)
