"""`gateway connectors`: what connectors there are, and whether a connector file is right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table

from gateway.cli import exits, loops, output
from gateway.config import ConnectorSettings, UdmSettings, read_settings
from gateway.connectors.catalog import Catalog
from gateway.connectors.http import Http
from gateway.connectors.loading import format_schema, load_connector_file
from gateway.connectors.protocol import Connector
from gateway.errors import ConfigurationError
from gateway.udm import Models, load_models

commands = typer.Typer(name="connectors", help="Look at the connectors, and check a connector file.", no_args_is_help=True)


@commands.command("list")
def list_() -> None:
    """List the connectors that this gateway knows."""
    table = Table("Key", "Name", "Version", "Collections", "Universal data models", box=None, header_style="bold")
    models = load_models(read_settings(UdmSettings).udm_files)
    for connector in loops.run(_catalog(read_settings(ConnectorSettings).connector_files, models)):
        spec = connector.spec
        collections = ", ".join(collection.key for collection in spec.collections)
        table.add_row(spec.key, spec.name, spec.version, collections, ", ".join(spec.universal_data_models))
    output.answers.print(table)


@commands.command()
def check(files: Annotated[list[Path], typer.Argument(help="Connector files.", metavar="FILE...", dir_okay=False, exists=True)]) -> None:
    """Say whether connector files are right, and where not: the line, the key, and what to do."""
    models = load_models(read_settings(UdmSettings).udm_files)
    right = [_is_right(path, models) for path in files]
    if not all(right):
        raise typer.Exit(exits.ExitCode.CONFIGURATION)


@commands.command()
def schema() -> None:
    """Print the JSON Schema of connector files, for an editor to check them while you write."""
    output.print_plain(orjson.dumps(format_schema(), option=orjson.OPT_INDENT_2).decode())


def _is_right(path: Path, models: Models) -> bool:
    try:
        file = load_connector_file(path, models=models)
    except ConfigurationError as error:
        output.tell_error(error.message)
        return False
    collections, methods = ", ".join(file.collections), ", ".join(file.auth)
    output.answers.print(
        f"{path}: connector {file.key} {file.version} is right. Collections: {collections}. Authentication: {methods}.", markup=False
    )
    return True


async def _catalog(files: Sequence[Path], models: Models) -> tuple[Connector, ...]:
    http = Http()
    try:
        catalog = Catalog.load(http, files=files, models=models)
        return tuple(catalog[key] for key in catalog)
    finally:
        await http.aclose()
