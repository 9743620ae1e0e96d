"""A connector that a file describes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

from gateway.clock import Clock, SystemClock
from gateway.connectors.executor import places
from gateway.connectors.executor.calls import Caller
from gateway.connectors.executor.fields import merged_schema
from gateway.connectors.executor.limits import ExecutorLimits
from gateway.connectors.executor.locations import LocationTree
from gateway.connectors.executor.names import holds, told, with_defaults
from gateway.connectors.executor.pages import Listing, read_page
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.executor.spec import collection_spec, spec_of
from gateway.connectors.executor.tokens import Tokens
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import Http
from gateway.connectors.protocol import Access
from gateway.errors import UnsupportedError, UpstreamAuthError, UpstreamError
from gateway.models import CollectionSpec, ConnectorSpec, JsonObject, Location, Page, PageRequest, Pointer, Record


class DeclarativeConnector:
    """The connector protocol over a connector file. One for the whole process; safe to use from many tasks at once."""

    def __init__(self, file: ConnectorFile, http: Http, *, clock: Clock | None = None, limits: ExecutorLimits | None = None) -> None:
        self._file = file
        self._http = http
        self._clock = clock if clock is not None else SystemClock()
        self._limits = limits if limits is not None else ExecutorLimits()
        self._tree = LocationTree(file)
        self._spec = spec_of(file)
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._tokens = Tokens(clock=self._clock)

    @property
    def spec(self) -> ConnectorSpec:
        """What the file says without any app."""
        return self._spec

    async def check(self, access: Access) -> None:
        """Returns when the app accepts the connection: by a 2xx answer for which `connection.check.when` holds."""
        check = self._file.connection.check
        async with self._calling(access) as caller:
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

    async def locations(self, access: Access, directory: Pointer, page: PageRequest) -> Page[Location]:
        """What a directory holds: a page of those that the file names, then the pages of each list of the app's."""
        async with self._calling(access) as caller:
            return await places.page_of_locations(caller, self._tree, directory, page)

    async def location(self, access: Access, pointer: Pointer) -> Location | None:
        """One location with its name; null when the app says that it does not exist."""
        async with self._calling(access) as caller:
            return await places.one_location(caller, self._tree, pointer)

    async def describe(self, access: Access, collection: Pointer) -> CollectionSpec:
        """The spec of a collection with the fields that only the connection's app knows."""
        found = self._file.collections[collection.key]
        spec = collection_spec(collection.key, found)
        if found.dynamic_fields is None:
            return spec
        async with self._calling(access) as caller:
            names = {"parameters": with_defaults(found.parameters, collection.parameters)}
            answer = await caller.ask(found.dynamic_fields.request, names=names)
            if answer.is_empty:
                return spec
            schema = told(
                found.dynamic_fields.fields_schema, {**caller.names, **names, **answer.names}, what="The fields of the collection"
            )
            return replace(spec, fields_schema=merged_schema(found.fields, schema))

    async def records(self, access: Access, collection: Pointer, page: PageRequest) -> Page[Record]:
        """One page of a collection's records, in the app's order. Raises UnsupportedError when the file has no `list` for it."""
        found = self._file.collections[collection.key]
        operation = found.operations.list
        if operation is None:
            raise UnsupportedError(f"The records of {found.name} cannot be listed.")
        async with self._calling(access) as caller:
            names = {"parameters": with_defaults(found.parameters, collection.parameters)}
            listing = Listing(
                request=operation.request,
                pagination=operation.pagination,
                items=operation.records,
                names=names,
                read=RecordReader(found, names={**caller.names, **names}).read,
                identify=lambda record: record.external_id,
            )
            return await read_page(caller, listing, page)

    @asynccontextmanager
    async def _calling(self, access: Access) -> AsyncIterator[Caller]:
        """A caller for one read; no error leaves with a secret in it."""
        slots = self._slots.setdefault(access.connection_id, asyncio.Semaphore(self._file.http.concurrency))
        caller = Caller(self._file, self._http, access, clock=self._clock, limits=self._limits, slots=slots, tokens=self._tokens)
        scope = asyncio.timeout(self._limits.deadline_seconds)
        try:
            async with scope:
                yield caller
        except TimeoutError:
            if not scope.expired():
                raise
            raise caller.late() from None
        except UpstreamError as error:
            caller.redactor.clean(error)
            raise
