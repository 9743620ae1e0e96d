"""One request on its way: how far it came, and what its faults mean."""

from gateway.connectors.http import faults
from gateway.errors import UpstreamUnavailableError


class Exchange:
    """How far a request came."""

    def __init__(self, *, host: str) -> None:
        self.host = host
        self.is_queued = False
        """Whether it waits for a free connection."""
        self.is_first = False
        """Whether its connection was made for it."""
        self.is_sent = False
        """Whether its first byte may have been written."""

    def translate(self, error: BaseException) -> Exception:
        """The error to raise for a fault."""
        # Callers raise it `from None`: the library's errors hold addresses, which may hold secrets.
        return faults.translate(error, host=self.host, is_sent=self.is_sent)

    def timed_out(self, *, after_seconds: float) -> UpstreamUnavailableError:
        """The error to raise where its time is over."""
        if self.is_queued:
            return UpstreamUnavailableError(
                f"The gateway had no free connection within {after_seconds:g} seconds: it waits for the answers of too many apps.",
                may_have_been_received=False,
                is_apps_fault=False,
            )
        did_not = "did not answer" if self.is_sent else "could not be reached"
        return UpstreamUnavailableError(f"The app {did_not} within {after_seconds:g} seconds.", may_have_been_received=self.is_sent)
