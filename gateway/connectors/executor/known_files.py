"""Connector files, with what is made of each once, however many gateways a process opens on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gateway.connectors.executor.collections import KnownCollection
from gateway.connectors.executor.locations import LocationTree
from gateway.connectors.executor.mappings import unified_mappings
from gateway.connectors.executor.spec import spec_of
from gateway.connectors.format.connector import ConnectorFile
from gateway.models import ConnectorSpec
from gateway.udm import Models, UnifiedMapping


@dataclass(frozen=True)
class KnownFile:
    """A connector file, ready for use. It holds nothing of apps or of their answers."""

    tree: LocationTree
    collections: Mapping[str, KnownCollection]
    spec: ConnectorSpec
    mappings: Mapping[tuple[str, str], UnifiedMapping]
    """The translations of its collections, by the keys of collection and model."""


@lru_cache(maxsize=16)
def known_file(file: ConnectorFile, models: Models) -> KnownFile:
    """The file, ready for use where there are these universal data models."""
    collections = {key: KnownCollection.of(key, file) for key in file.collections}
    return KnownFile(
        tree=LocationTree(file),
        collections=collections,
        spec=spec_of(file, [collection.spec for collection in collections.values()]),
        mappings=unified_mappings(file, models),
    )
