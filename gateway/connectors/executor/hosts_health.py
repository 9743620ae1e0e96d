"""How the hosts of apps do, as each connection sees them."""

from collections import OrderedDict
from collections.abc import Mapping

from gateway.clock import Clock
from gateway.connectors.executor.breaker import Breaker
from gateway.connectors.executor.budget import Budget
from gateway.connectors.executor.rate_limit import TELLING_HEADERS, asked_pause, reserved_pause
from gateway.connectors.executor.retry_budget import RetryBudget
from gateway.connectors.format.requests import Http
from gateway.connectors.http import WebAddress

MAX_HOSTS = 10_000
"""Of how many hosts, each as one connection sees it, it is known how they do; those asked the longest ago are forgotten first."""
LONGEST_PAUSE_SECONDS = 60.0
"""How long an app that answers is left alone because it asks for it. Then it is asked again: headers are sometimes wrong."""

_SHORTEST_PAUSE_SECONDS = 0.001


class HostHealth:
    """How one host does, as one connection sees it."""

    def __init__(self, *, clock: Clock, http: Http | None = None) -> None:
        self.breaker = Breaker()
        self._clock = clock
        self._reserve = http.background.reserve if http is not None else 0.0
        limit = http.rate_limit if http is not None else None
        self._budget = Budget(limit, reserve=self._reserve, now=clock.monotonic()) if limit is not None else None
        self.retries = RetryBudget(now=clock.monotonic())
        """Each request that is made of the host for the first time earns a part of one."""
        self._paused_until = 0.0
        self._reserved_until = 0.0

    @property
    def pause(self) -> float:
        """For how many seconds more the host is left alone: it asked for it, or has got as many requests as it takes."""
        return self._pause(self._paused_until, is_background=False)

    @property
    def background_pause(self) -> float:
        """For how many seconds more the host is left alone by what nobody waits for."""
        return self._pause(max(self._paused_until, self._reserved_until), is_background=True)

    def spend(self) -> None:
        """A request is sent to the host."""
        if self._budget is not None:
            self._budget.spend(self._clock.monotonic())

    def _pause(self, until: float, *, is_background: bool) -> float:
        if not until and self._budget is None:
            return 0.0
        now = self._clock.monotonic()
        of_budget = self._budget.pause(now, is_background=is_background) if self._budget is not None else 0.0
        left = max(until - now, of_budget)
        # What is left by rounding is nothing to wait for.
        return left if left > _SHORTEST_PAUSE_SECONDS else 0.0

    def may_retry(self) -> bool:
        """Whether a request may be sent to the host again, which takes one of the retries that are left."""
        return self.breaker.refusal(self._clock.monotonic()) is None and self.retries.spend(self._clock.monotonic())

    def heed(self, headers: Mapping[str, str]) -> None:
        """Leaves the host alone for as long as an answer of success asks."""
        if TELLING_HEADERS.isdisjoint(headers):
            return
        seconds = asked_pause(headers, now=self._clock.now())
        if seconds:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS))
        reserved = reserved_pause(headers, reserve=self._reserve, now=self._clock.now())
        if reserved is not None:
            # What is told now counts: a limit that has started anew leaves nothing of an earlier pause.
            self._reserved_until = self._clock.monotonic() + reserved


class HostsHealth:
    """How the hosts do, by connection: what one customer's app does is nothing to another's."""

    def __init__(self, *, clock: Clock, http: Http | None = None) -> None:
        self._clock = clock
        self._http = http
        self._hosts: OrderedDict[tuple[str, str, str, int | None], HostHealth] = OrderedDict()

    def of(self, connection_id: str, url: WebAddress) -> HostHealth:
        """How the host of an address does."""
        key = connection_id, url.scheme, url.host, url.port
        health = self._hosts.get(key)
        if health is None:
            health = self._hosts[key] = HostHealth(clock=self._clock, http=self._http)
        self._hosts.move_to_end(key)
        if len(self._hosts) > MAX_HOSTS:
            self._hosts.popitem(last=False)
        return health

    def __len__(self) -> int:
        return len(self._hosts)
