"""Sends requests of a connection: each in its turn, in its time, and not to a host that asks or needs to be left alone."""

from collections.abc import Callable

from gateway.clock import Clock
from gateway.connectors.executor.flights import Progress
from gateway.connectors.executor.hosts_health import HostHealth, HostsHealth
from gateway.connectors.executor.limits import ExecutorLimits
from gateway.connectors.executor.turns import Turns
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.http import AppRequest, AppResponse, Http, WebAddress
from gateway.errors import UpstreamRateLimitError, UpstreamUnavailableError

_FIRST_FAILURE = 500


class Sender:
    """Sends the requests of one connection, each in its turn; what nobody waits for leaves a part of the app to the others."""

    def __init__(
        self,
        file: ConnectorFile,
        http: Http,
        *,
        connection_id: str,
        clock: Clock,
        limits: ExecutorLimits,
        turns: Turns,
        hosts_health: HostsHealth,
        is_background: bool = False,
    ) -> None:
        self._file = file
        self._http = http
        self._connection_id = connection_id
        self._clock = clock
        self._limits = limits
        self._turns = turns
        self._is_background = is_background
        self._hosts_health = hosts_health

    async def send(self, make: Callable[[], AppRequest], url: WebAddress, *, progress: Progress) -> AppResponse:
        """The answer to the request that is made once its turn has come; `url` is its address.

        Raises UpstreamRateLimitError for a pause that is not worth waiting for, and UpstreamUnavailableError.
        """
        health = self.health(url)
        if not self._is_background:
            return await self._in_turn(make, health, progress)
        async with self._turns.background:
            # Before its turn: while it waits here, others are asked for.
            await self._keep_pause(lambda: health.background_pause, progress)
            return await self._in_turn(make, health, progress)

    async def _in_turn(self, make: Callable[[], AppRequest], health: HostHealth, progress: Progress) -> AppResponse:
        async with self._turns.all:
            await self._keep_pause(lambda: health.pause, progress)
            if self.remaining(progress) <= 0:
                raise self.late(progress)
            self._require_working(health)
            health.spend()
            return await self._sent(make(), health, progress)

    def note_failure(self, url: WebAddress) -> None:
        """The host of that address answered with a failure of its own."""
        self.health(url).breaker.failed(self._clock.monotonic())

    def note_success(self, url: WebAddress) -> None:
        """What the host of that address answered is none."""
        self.health(url).breaker.succeeded()

    def health(self, url: WebAddress) -> HostHealth:
        """How the host of an address does."""
        return self._hosts_health.of(self._connection_id, url)

    def remaining(self, progress: Progress) -> float:
        """How many seconds are left for the request."""
        return progress.deadline - self._clock.monotonic()

    def late(self, progress: Progress) -> UpstreamUnavailableError:
        """The error of a request that did not end within its time."""
        return UpstreamUnavailableError(
            f"{self._file.name} did not answer within {self._limits.deadline_seconds:g} seconds. Try again later.",
            may_have_been_received=progress.may_have_arrived,
        )

    async def _sent(self, request: AppRequest, health: HostHealth, progress: Progress) -> AppResponse:
        health.breaker.enter(request)
        progress.is_waiting_for_answer = True
        try:
            response = await self._http.send(
                request,
                max_bytes=min(self._file.http.max_response_bytes or self._limits.max_response_bytes, self._limits.max_response_bytes),
                timeout_seconds=min(self._file.http.timeout_seconds or self._limits.timeout_seconds, self._limits.timeout_seconds),
            )
        except UpstreamUnavailableError as error:
            if error.is_apps_fault:
                health.breaker.failed(self._clock.monotonic())
            raise
        finally:
            health.breaker.leave(request)
        progress.is_waiting_for_answer = False
        if response.status < _FIRST_FAILURE:
            # Of other answers the connector's rules say whether they are failures.
            health.breaker.succeeded()
        if response.status < 400 and self._file.http.pauses == "auto":
            health.heed(response.headers)
        return response

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
