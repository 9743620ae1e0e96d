"""How the process ends, and the one readable line that says why."""

from enum import IntEnum

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
