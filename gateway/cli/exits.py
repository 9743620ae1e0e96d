"""How the process ends, and the one readable line that says why."""

from enum import IntEnum

from typer.exceptions import TyperException

from gateway.cli import output
from gateway.errors import ConfigurationError, GatewayError


class ExitCode(IntEnum):
    """What a calling script can tell from how the process ended; see docs/cli.md."""

    SUCCESS = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 78
    """EX_CONFIG of sysexits.h: starting it again does not help before somebody changes the configuration."""


def exit_code_for(error: GatewayError) -> ExitCode:
    """The exit code that an error means."""
    return ExitCode.CONFIGURATION if isinstance(error, ConfigurationError) else ExitCode.FAILURE


def leave_with(error: GatewayError) -> SystemExit:
    """The end of the process because of an error, which has then been told."""
    output.tell_error(error.message)
    return SystemExit(exit_code_for(error))


def leave_for_usage(error: TyperException) -> SystemExit:
    """The end of the process because the command line is wrong, which has then been told; help that was asked for has no message."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if message:
        sentence = message if message.endswith("?") else f"{message.rstrip('.')}."
        output.tell_error(f"{sentence} Add --help to see how it is meant.")
    return SystemExit(ExitCode.USAGE)
