"""One gateway for all clients: the demo as a stranger runs it, asked over the network."""

from collections.abc import Iterator

import pytest

from tests.support.demo import RunningDemo, demo_process


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningDemo]:
    """A running `gateway demo`. Tests that use it belong to the xdist group `clients`, so that one is enough."""
    with demo_process() as running:
        yield running
