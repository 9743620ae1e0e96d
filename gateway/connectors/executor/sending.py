"""Sends requests of a connection: each in its turn, in its time, and not to a host that asks or needs to be left alone."""

from collections.abc import Callable
from functools import partial

from gateway.clock import Clock
from gateway.connectors.executor.flights import Progress
from gateway.connectors.executor.hosts_health import HostHealth, HostsHealth
from gateway.connectors.executor.limits import ExecutorLimits
from gateway.connectors.executor.turns import ConnectionTurns
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import AppRequest, AppResponse, Http, WebAddress
from gateway.errors import UpstreamRateLimitError, UpstreamUnavailableError

FIRST_FAILURE = 500
"""The status from which on it takes the connector's rules to tell whether an answer is a failure of the host."""


class Sender:
    """Sends the requests of one connection, each in its turn."""

    def __init__(
        self,
        file: ConnectorFile,
        http: Http,
        *,
        connection_id: str,
        clock: Clock,
        limits: ExecutorLimits,
        turns: ConnectionTurns,
        hosts_health: HostsHealth,
    ) -> None:
        self.deadline_seconds = limits.deadline_seconds
        """The longest that one read may take in all."""
        self._file = file
        self._http = http
        self.health: Callable[[WebAddress], HostHealth] = partial(hosts_health.of, connection_id)
        """How the host of an address does."""
        self._clock = clock
        self._turns = turns
        self._max_bytes = min(file.http.max_response_bytes or limits.max_response_bytes, limits.max_response_bytes)
        self._timeout_seconds = min(file.http.timeout_seconds or limits.timeout_seconds, limits.timeout_seconds)

    async def send(self, make: Callable[[], AppRequest], health: HostHealth, *, progress: Progress) -> AppResponse:
        """The answer to the request that is made once its turn has come, by a host that does so well.

        Raises UpstreamRateLimitError for a pause that is not worth waiting for, and UpstreamUnavailableError.
        """
        if not self._turns.all.take():
            await self._turns.all.wait()
        try:
            if health.pause:
                await self._keep_pause(lambda: health.pause, progress)
            if progress.deadline <= self._clock.monotonic():
                raise self.late(progress)
            if health.breaker.is_open:
                self._require_working(health)
            health.spend()
            request = make()
            health.breaker.enter(request)
            progress.is_waiting_for_answer = True
            try:
                response = await self._http.send(request, max_bytes=self._max_bytes, timeout_seconds=self._timeout_seconds)
            except UpstreamUnavailableError as error:
                if error.is_apps_fault:
                    health.breaker.failed(self._clock.monotonic())
                raise
            finally:
                health.breaker.leave(request)
        finally:
            self._turns.all.give_back()
        progress.is_waiting_for_answer = False
        if response.status < FIRST_FAILURE:
            health.breaker.succeeded()
        if response.status < 400 and self._file.http.pauses == "auto":
            health.heed(response.headers)
        return response

    async def send_behind(self, make: Callable[[], AppRequest], health: HostHealth, *, progress: Progress) -> AppResponse:
        """The same where nobody waits for the answer: a part of the app is left to those who do."""
        async with self._turns.background:
            # Before its turn: while it waits here, others are asked for.
            await self._keep_pause(lambda: health.background_pause, progress)
            return await self.send(make, health, progress=progress)

    def remaining(self, progress: Progress) -> float:
        """How many seconds are left for the request."""
        return progress.deadline - self._clock.monotonic()

    def late(self, progress: Progress) -> UpstreamUnavailableError:
        """The error of a request that did not end within its time."""
        return UpstreamUnavailableError(
            f"{self._file.name} did not answer within {self.deadline_seconds:g} seconds. Try again later.",
            may_have_been_received=progress.may_have_arrived,
        )

    async def _keep_pause(self, left: Callable[[], float], progress: Progress) -> None:
        # Again after each sleep: another answer may have asked for more.
        while pause := left():
            if pause > self._file.http.retry.max_seconds or pause >= self.remaining(progress):
                raise UpstreamRateLimitError(
                    f"{self._file.name} asks to slow down. Try again in {pause:.0f} seconds.", retry_after_seconds=pause
                )
            await self._clock.sleep(pause)

    def _require_working(self, health: HostHealth) -> None:
        seconds = health.breaker.refusal(self._clock.monotonic())
        if seconds is not None:
            raise UpstreamUnavailableError(
                f"{self._file.name} failed again and again and is left alone for a while. Try again in {seconds:.0f} seconds.",
                may_have_been_received=False,
            )
