"""The commands, put together."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gateway import __version__
from gateway.cli import connectors, exits, output, schemas, servers, tokens, workers
from gateway.errors import GatewayError

application = typer.Typer(
    name="gateway",
    help="A self-hosted GraphQL gateway over the data in other people's apps. New here? Run: gateway demo",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of variables would print secrets.
    pretty_exceptions_enable=False,
)
application.command()(servers.demo)
application.command()(servers.serve)
application.command()(workers.worker)
application.command()(servers.migrate)
application.command()(schemas.schema)
application.command()(tokens.token)
application.add_typer(connectors.commands)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command that the arguments name, and ends the process with its exit code (see docs/cli.md)."""
    try:
        exit_code = application(args=None if arguments is None else list(arguments), standalone_mode=False)
    except GatewayError as error:
        raise exits.leave_with(error) from None
    except TyperException as error:
        raise exits.leave_for_usage(error) from None
    except typer.Abort:
        exit_code = exits.ExitCode.FAILURE
    raise SystemExit(exit_code)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        output.print_plain(__version__)
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and leave.")
    ] = False,
) -> None:
    pass
