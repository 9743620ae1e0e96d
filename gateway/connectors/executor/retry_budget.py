"""Bounds how many requests are sent again, so that a failing app is not met with several times the requests."""

SHARE = 0.1
"""How many retries each request earns."""
RESERVE = 10.0
"""How many retries there are where few requests were made; they come back one by one."""
MOST = 50.0
"""How many retries can be earned: requests of long ago are no reason to repeat those of now."""
_SECONDS_FOR_ONE = 6.0


class RetryBudget:
    """The retries that are left to the requests for one host; times are of a clock that never goes back."""

    def __init__(self, *, now: float) -> None:
        self._left = RESERVE
        self._counted_at = now

    def earn(self) -> None:
        """A request was made."""
        self._left = min(self._left + SHARE, MOST)

    def spend(self, now: float) -> bool:
        """Takes one retry; false when none is left."""
        if self._left < RESERVE:
            self._left = min(self._left + (now - self._counted_at) / _SECONDS_FOR_ONE, RESERVE)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
