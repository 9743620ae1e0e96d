"""One request on its way: how far it came, and what its faults mean."""

import aiohttp

from gateway.connectors.http import faults
from gateway.errors import UpstreamUnavailableError


class Exchange:
    """How far a request came."""

    def __init__(self, *, host: str) -> None:
        self.host = host
        self.is_queued = False
        """Whether it waits for a free connection."""
        self.is_sent = False
        """Whether its first byte may have been written."""

    async def pass_on(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Translates faults below the session, which would repeat GET, PUT and DELETE by itself where the connection was lost."""
        # Should the library ever go another way than by our pool, which knows better, a write is not taken for one that never left.
        self.is_sent = True
        if isinstance(request, NotedRequest):
            request.exchange = self
        try:
            return await handler(request)
        except faults.TRANSLATED as error:
            raise self.translate(error) from None

    def translate(self, error: BaseException) -> Exception:
        """The error to raise for a fault."""
        # Callers raise it `from None`: the library's errors hold the address and headers of the request, secrets included.
        return faults.translate(error, host=self.host, is_sent=self.is_sent)

    def timed_out(self, *, after_seconds: float) -> UpstreamUnavailableError:
        """The error to raise where its time is over."""
        if self.is_queued:
            return UpstreamUnavailableError(
                f"The gateway had no free connection within {after_seconds:g} seconds: it waits for the answers of too many apps.",
                may_have_been_received=False,
                is_apps_fault=False,
            )
        did_not = "did not answer" if self.is_sent else "could not be reached"
        return UpstreamUnavailableError(f"The app {did_not} within {after_seconds:g} seconds.", may_have_been_received=self.is_sent)


class NotedRequest(aiohttp.ClientRequest):
    """The library's request, which knows its exchange, for the pool to note there; the library's own traces cost several times as much."""

    exchange: Exchange
