"""What one operation asks of apps."""

from gateway.connectors.bounded import Bounded
from gateway.errors import UpstreamCallsExceededError

MAX_REMEMBERED_BYTES = 32 * 1024 * 1024
"""How much of its answers an operation remembers, in memory: what an answer is read into holds most of it anyway."""


class Era:
    """Tells what apps were asked before and after somebody was shown how far changes are known; one for a whole process.

    Whoever was shown that is told only of changes that are recorded later. A request from before may give a record as it was earlier
    still: who joined it would never hear of the change in between.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many have ended."""

    def end(self) -> None:
        """Nobody who asks from now on is given the answer to what is under way."""
        self.count += 1


class Operation:
    """The requests that one operation may still make, and what it was answered already.

    A request that is sent again after a fault counts once; one that joins another's, or was answered before, counts nothing.
    """

    def __init__(self, *, maximum_calls: int | None = None, remembers: bool = False, era: Era | None = None) -> None:
        """One that remembers reads an identical request once; it must not outlive the answer that somebody waits for."""
        self._maximum_calls = maximum_calls
        self._answers: Bounded[object] = Bounded(maximum_weight=MAX_REMEMBERED_BYTES if remembers else 0)
        self.era = era or Era()
        """In which era the process is."""
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

    def remembered(self, key: bytes) -> object | None:
        """What was remembered of a request; null when nothing was, or not any more."""
        return self._answers.get(key)

    def remember(self, key: bytes, answer: object, *, weight: int) -> None:
        """Remembers the answer to a request for the rest of the operation, as far as there is room; `weight` is its size in memory."""
        self._answers.put(key, answer, weight=weight)

    def forget(self) -> None:
        """Forgets every answer: something was changed, and is read again."""
        self._answers.clear()
