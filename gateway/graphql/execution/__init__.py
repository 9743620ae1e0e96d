"""Execution of operations: what is known of one is planned once for its document, and plain data is answered by compiled functions."""

from gateway.graphql.execution.direct import call_directly
from gateway.graphql.execution.executor import FastExecutor
from gateway.graphql.execution.plans import Plans
from gateway.graphql.execution.preparing import Prepared

__all__ = ["FastExecutor", "Plans", "Prepared", "call_directly"]
