"""The command line: what an operator, or somebody who is curious, types."""

import gc

_was_enabled = gc.isenabled()
# What is imported lives as long as the process: to look for garbage in it while it grows is a seventh of a command's start.
gc.disable()

from gateway.cli.application import main  # noqa: E402

if _was_enabled:
    gc.enable()

__all__ = ["main"]
