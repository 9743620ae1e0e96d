"""What the tests of services ask for."""

from tests.support.runtime import clock, notes_app, runtime, runtime_url

__all__ = ["clock", "notes_app", "runtime", "runtime_url"]
