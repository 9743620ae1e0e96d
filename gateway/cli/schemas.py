"""`gateway schema`: the GraphQL schema in SDL."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import output
from gateway.graphql.schema import print_schema
from gateway.udm import load_models

ModelFiles = Annotated[
    list[Path] | None, typer.Option(help="A file of universal data models, as GATEWAY_UDM_FILES names them; give several one by one.")
]


def schema(models: ModelFiles = None) -> None:
    """Print the GraphQL schema, as schema.graphql holds it; with files of models, as it is with them."""
    output.print_plain(print_schema(load_models(models or ())).rstrip("\n"))
