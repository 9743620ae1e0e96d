"""The GraphQL schema: types, entry points, loaders and errors over the services."""

from gateway.graphql.context import Context, make_context
from gateway.graphql.schema import build_schema, print_schema

__all__ = ["Context", "build_schema", "make_context", "print_schema"]
