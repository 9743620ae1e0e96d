"""The connectors that a gateway knows, and the connector files that come with it."""

from gateway.connectors.catalog.catalog import Catalog

__all__ = ["Catalog"]
