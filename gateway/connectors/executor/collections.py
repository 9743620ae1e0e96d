"""The collections of a connector file, with what is made of each once."""

from dataclasses import dataclass, replace
from functools import cached_property

from gateway.connectors.executor.collection_specs import collection_spec
from gateway.connectors.executor.fields_to_api import FieldsToApi
from gateway.connectors.executor.ids import RecordIds
from gateway.connectors.executor.known_fields import readers_of_schema
from gateway.connectors.executor.names import Names
from gateway.connectors.executor.sync_support import sync_support
from gateway.connectors.executor.webhooks.support import webhook_support
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.schemas import property_defaults
from gateway.models import CollectionSpec, JsonObject, Pointer, SyncSupport, WebhookSupport


@dataclass(frozen=True)
class KnownCollection:
    """A collection, ready for use."""

    file: Collection
    spec: CollectionSpec
    """What it promises without asking any app."""
    ids: RecordIds
    fields_to_api: FieldsToApi
    webhook: WebhookSupport | None
    """What the app tells of it by itself."""

    @cached_property
    def readers_of_schema(self) -> frozenset[str]:
        """The operations whose expressions read the fields schema."""
        return readers_of_schema(self.file)

    @cached_property
    def sync_support(self) -> SyncSupport:
        """How changes of its records can be learned of."""
        return replace(sync_support(self.file), webhook=self.webhook)

    @classmethod
    def of(cls, key: str, file: ConnectorFile) -> "KnownCollection":
        """The collection of that key, as the file says it."""
        collection = file.collections[key]
        webhook = webhook_support(file, collection)
        return cls(collection, collection_spec(key, collection, webhook=webhook), RecordIds(collection), FieldsToApi(collection), webhook)

    def names(self, pointer: Pointer) -> Names:
        """What every expression of the collection sees of the pointer: its parameters, with their defaults."""
        return {"parameters": {**self._defaults, **pointer.parameters}}

    @cached_property
    def _defaults(self) -> JsonObject:
        return property_defaults(self.file.parameters)
