"""What one operation asks of apps."""

from gateway.errors import UpstreamCallsExceededError


class Operation:
    """The requests that one operation may still make.

    A request that is sent again after a fault counts once, one that joins another's counts nothing.
    """

    def __init__(self, *, maximum_calls: int | None = None) -> None:
        self._maximum_calls = maximum_calls
        self.calls = 0
        """How many requests it has made so far."""

    def spend(self) -> None:
        """Counts one request. Raises UpstreamCallsExceededError when the operation may make no more."""
        if self._maximum_calls is not None and self.calls >= self._maximum_calls:
            raise UpstreamCallsExceededError(
                f"The operation needs more than {self._maximum_calls} requests to apps, the most that one may make. "
                "Ask for fewer records, or for fewer of their references."
            )
        self.calls += 1
