"""What tests of the gateway, and of connectors for it, stand on: real servers and a clock that the test moves."""

from gateway.testing.answers import Answer, Drip, Drop, EndlessBody, Garbage, Hang, Scripted, gzip_bomb
from gateway.testing.clock import FakeClock
from gateway.testing.scripted_app import ReceivedRequest, ScriptedApp

__all__ = [
    "Answer",
    "Drip",
    "Drop",
    "EndlessBody",
    "FakeClock",
    "Garbage",
    "Hang",
    "ReceivedRequest",
    "Scripted",
    "ScriptedApp",
    "gzip_bomb",
]
