"""Leaves an app alone that fails again and again, and looks from time to time whether it is back."""

OPENS_AFTER_FAILURES = 5
"""How many failures in a row it takes; an answer of any other kind, a refusal too, ends the row."""
FIRST_PAUSE_SECONDS = 30.0
"""How long the app is left alone at first; twice as long each time that it still fails."""
LONGEST_PAUSE_SECONDS = 300.0
_LOOKING_SECONDS = 1.0


class Breaker:
    """Counts one host's failures; times are of a clock that never goes back."""

    def __init__(self) -> None:
        self._failures = 0
        self._openings = 0
        self._closed_to_all_until = 0.0
        self._looking: object | None = None

    @property
    def is_open(self) -> bool:
        """Whether the app failed too often and has not answered since."""
        return self._openings > 0

    def refusal(self, now: float) -> float | None:
        """For how many seconds nothing is sent; null when a request may go out now."""
        if not self.is_open:
            return None
        if now < self._closed_to_all_until:
            return self._closed_to_all_until - now
        return _LOOKING_SECONDS if self._looking is not None else None

    def enter(self, request: object) -> None:
        """A request goes out. While the app is left alone it is the one that looks whether it is back."""
        self._looking = request if self.is_open else None

    def leave(self, request: object) -> None:
        """That request has ended, whatever came of it: should nothing have been learnt, the next one looks."""
        if self._looking is request:
            self._looking = None

    def succeeded(self) -> None:
        """The app answered."""
        self._failures = self._openings = 0

    def failed(self, now: float) -> None:
        """The app failed, or could not be reached. Requests that went out before it was left alone count no more."""
        if self.is_open and now < self._closed_to_all_until:
            return
        self._failures += 1
        if self.is_open or self._failures >= OPENS_AFTER_FAILURES:
            self._closed_to_all_until = now + min(FIRST_PAUSE_SECONDS * 2**self._openings, LONGEST_PAUSE_SECONDS)
            self._openings = min(self._openings + 1, 10)
