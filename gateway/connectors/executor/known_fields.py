"""What is known of the fields of collections, for the expressions that read it."""

from collections.abc import Awaitable, Callable

from gateway.clock import Clock
from gateway.connectors.described import DescribedCollections
from gateway.connectors.executor.read_keys import ReadKeys
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.operations import Operations
from gateway.connectors.format.scopes import names_read
from gateway.connectors.protocol import Access
from gateway.models import CollectionSpec, JsonSchema, Pointer

SCHEMA = "schema"
"""The name of a collection's fields schema in the expressions of its operations."""
FILTERS = "filters"
"""Stands beside the names of operations for the conditions of lists, which are read only where somebody filters."""

SYNC = "sync"
"""Stands beside the names of operations for what tells of changes."""


def readers_of_schema(collection: Collection) -> frozenset[str]:
    """Which operations of a collection read the fields schema, by their keys in the file."""
    operations = collection.operations
    parts = {name: getattr(operations, name) for name in Operations.model_fields}
    lists = [operation for operation in (operations.list, operations.search) if operation is not None]
    parts |= {name: operation.model_copy(update={"filters": {}}) for name in ("list", "search") if (operation := parts[name]) is not None}
    parts[FILTERS] = [operation.filters for operation in lists]
    parts[SYNC] = collection.sync
    readers = {name for name, part in parts.items() if SCHEMA in names_read(part)}
    if collection.coerce and collection.dynamic_fields is not None:
        # Records take the types that the app describes.
        readers |= (Operations.model_fields.keys() - {"delete"}) | {SYNC}
    return frozenset(readers)


class KnownFields:
    """The fields schemas of collections as their apps described them, each for ten minutes, per connection and all it depends on."""

    def __init__(self, file: ConnectorFile, *, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._keys = ReadKeys()
        self._described = DescribedCollections()

    async def schema(
        self, access: Access, collection: Pointer, *, describe: Callable[[Access, Pointer], Awaitable[CollectionSpec]]
    ) -> JsonSchema | None:
        """The fields schema of a collection, described now unless it is kept; null where nothing is known of the fields."""
        key = self._keys.of_reader(self._file, access), collection.path
        spec = self._described.find(key, now=self._clock.monotonic())
        return spec.fields_schema if spec is not None else (await describe(access, collection)).fields_schema

    def learn(self, access: Access, collection: Pointer, spec: CollectionSpec) -> None:
        """Keeps what an app said of a collection just now."""
        self._described.keep((self._keys.of_reader(self._file, access), collection.path), spec, now=self._clock.monotonic())
