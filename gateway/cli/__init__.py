"""The command line: what an operator, or somebody who is curious, types."""

import gc

_was_enabled = gc.isenabled()
# What is imported lives as long as the process. To look for garbage in it, while it grows and when the process ends, took as long as all
# else that a short command does.
gc.disable()

from gateway.cli.application import main  # noqa: E402

if _was_enabled:
    gc.freeze()
    gc.enable()

__all__ = ["main"]
