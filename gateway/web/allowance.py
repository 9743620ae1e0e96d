"""What customers may still spend on the cost of operations: a bucket for each, which fills again as time passes.

Each process has buckets of its own.
"""

import math
from collections.abc import Hashable

from gateway.clock import Clock
from gateway.errors import CostExceededError, RateLimitedError
from gateway.models import Principal

__all__ = ["Allowance"]

_FEW = 1_000
"""Buckets that may be remembered although they are full again."""


class Allowance:
    """The buckets. Admins, who are the operator's own programs, have none; all who have no token share one."""

    def __init__(self, clock: Clock, *, maximum: int, bucket: int, per_second: float) -> None:
        self._clock = clock
        # What costs more than a full bucket holds would have to wait for ever.
        self._maximum = min(maximum, bucket)
        self._bucket = bucket
        self._per_second = per_second
        self._full_at: dict[Hashable, float] = {}
        """When each bucket is full, by the `identity` of its owner."""
        self._look_again_at = _FEW

    def take(self, principal: Principal, cost: int) -> None:
        """Takes the cost of one operation. Raises CostExceededError and RateLimitedError, and then takes nothing."""
        if cost > self._maximum:
            raise CostExceededError(
                f"The operation may cost {cost}, more than {self._maximum}. Ask for shorter pages, or nest fewer lists in lists.",
                requested=cost,
                maximum=self._maximum,
            )
        if principal.is_admin or not cost:
            return
        now = self._clock.monotonic()
        full_at = max(self._full_at.get(principal.identity, now), now)
        missing = cost - self._held(full_at - now)
        if missing > 0:
            seconds = max(math.ceil(missing / self._per_second), 1)
            raise RateLimitedError(
                f"The operation costs {cost}, and you have spent what you may. Try again in {seconds} s.", retry_after_seconds=seconds
            )
        self._full_at[principal.identity] = full_at + cost / self._per_second
        if len(self._full_at) > self._look_again_at:
            self._forget_full(now)

    def give_back(self, principal: Principal, cost: int) -> None:
        """Gives back what an operation has cost less than was taken."""
        full_at = self._full_at.get(principal.identity) if cost and not principal.is_admin else None
        if full_at is not None:
            self._full_at[principal.identity] = full_at - cost / self._per_second

    def left(self, principal: Principal) -> int | None:
        """What the caller may spend now; null where that has no bound."""
        now = self._clock.monotonic()
        return None if principal.is_admin else int(self._held(self._full_at.get(principal.identity, now) - now))

    def __len__(self) -> int:
        return len(self._full_at)

    def _held(self, seconds: float) -> float:
        """What is in a bucket that is full again after so many seconds."""
        # To a millionth: what was spent as seconds comes back as cost with the last bits changed.
        return round(self._bucket - max(seconds, 0.0) * self._per_second, 6)

    def _forget_full(self, now: float) -> None:
        self._full_at = {owner: at for owner, at in self._full_at.items() if at > now}
        self._look_again_at = max(_FEW, 2 * len(self._full_at))
