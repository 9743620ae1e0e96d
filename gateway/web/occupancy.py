"""What callers hold open in this process, each up to a limit."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import SocketsExceededError, SubscriptionsExceededError
from gateway.models import Principal

__all__ = ["Occupancy"]


class Occupancy:
    """Counts what each caller holds of one kind, such as `sockets`.

    All who are nobody count as one caller, and so do all admins who are no customer.
    """

    def __init__(self, kind: str, *, maximum: int, refusal: type[SocketsExceededError | SubscriptionsExceededError]) -> None:
        self._kind = kind
        self._refusal = refusal
        self._maximum = maximum
        self._held: Counter[Principal] = Counter()

    def __len__(self) -> int:
        return self._held.total()

    @contextmanager
    def place(self, principal: Principal) -> Iterator[None]:
        """One more of the caller's, until the block ends. Raises the kind's refusal where there is no place left."""
        if self._held[principal] >= self._maximum:
            raise self._refusal(f"You have {self._maximum} {self._kind} open, as many as you may. Close some, then try again.")
        self._held[principal] += 1
        try:
            yield
        finally:
            self._held[principal] -= 1
            if not self._held[principal]:
                del self._held[principal]  # Whoever once came is not remembered.
