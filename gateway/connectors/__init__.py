"""The apps that the gateway reaches: the connector format, what runs it, and the HTTP below."""

from gateway.connectors.catalog import Catalog
from gateway.connectors.executor import DeclarativeConnector, ExecutorLimits
from gateway.connectors.http import Http
from gateway.connectors.loading import format_schema, load_connector_file
from gateway.connectors.protocol import Access, Connector

__all__ = ["Access", "Catalog", "Connector", "DeclarativeConnector", "ExecutorLimits", "Http", "format_schema", "load_connector_file"]
