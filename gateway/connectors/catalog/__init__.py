"""The connectors that a gateway knows, and the connector files that come with it."""

from gateway.connectors.catalog.catalog import ENTRY_POINTS, Catalog

__all__ = ["ENTRY_POINTS", "Catalog"]
