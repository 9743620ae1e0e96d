"""The command line: what an operator, or somebody who is curious, types."""

from gateway.cli.application import main

__all__ = ["main"]
