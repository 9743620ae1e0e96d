"""Execution of operations: plain data is answered by functions that are compiled once for a document."""

from gateway.graphql.execution.direct import call_directly
from gateway.graphql.execution.executor import FastExecutor
from gateway.graphql.execution.plans import Plans

__all__ = ["FastExecutor", "Plans", "call_directly"]
