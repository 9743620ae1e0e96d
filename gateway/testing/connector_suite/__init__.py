"""What every connector promises, as tests that a connector's own test class inherits."""

from gateway.testing.connector_suite.failures import Failures
from gateway.testing.connector_suite.faults import FAULTS
from gateway.testing.connector_suite.reads import Reads
from gateway.testing.connector_suite.sync import Sync
from gateway.testing.connector_suite.writes import Writes

__all__ = ["FAULTS", "ConnectorSuite"]


class ConnectorSuite(Reads, Writes, Sync, Failures):
    """Subclass it in a test module, name it `Test...`, and say what the connector is tried with: see `Trial`.

    Its tests are coroutines, for pytest-asyncio in its auto mode. What an app or the subclass does not offer is skipped.
    """
