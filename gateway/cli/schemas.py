"""`gateway schema`: the GraphQL schema in SDL."""

from gateway.cli import output
from gateway.graphql.schema import print_schema


def schema() -> None:
    """Print the GraphQL schema, as schema.graphql holds it."""
    output.print_plain(print_schema().rstrip("\n"))
