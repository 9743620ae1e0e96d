"""Runs connector files: requests out of templates, answers into records, and everything that can go wrong in between."""

from gateway.connectors.executor.connector import DeclarativeConnector
from gateway.connectors.executor.limits import ExecutorLimits

__all__ = ["DeclarativeConnector", "ExecutorLimits"]
