"""How many requests an app takes, where its connector says so: what was not used comes back evenly."""

from gateway.connectors.format.requests import RateLimit


class Budget:
    """The requests that may be sent now; a part of them is kept for those who wait for an answer."""

    def __init__(self, limit: RateLimit, *, reserve: float, now: float) -> None:
        self._most = float(limit.requests)
        self._per_second = limit.requests / limit.seconds
        self._kept = min(reserve * self._most, self._most - 1)
        self._left = self._most
        self._updated = now

    def pause(self, now: float, *, is_background: bool) -> float:
        """For how many seconds no request can be sent."""
        self._refill(now)
        missing = 1 + (self._kept if is_background else 0) - self._left
        return max(missing / self._per_second, 0.0)

    def spend(self, now: float) -> None:
        """Takes one request."""
        self._refill(now)
        self._left -= 1

    def _refill(self, now: float) -> None:
        self._left = min(self._most, self._left + (now - self._updated) * self._per_second)
        self._updated = now
