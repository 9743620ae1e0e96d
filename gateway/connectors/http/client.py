"""The one way to an external app."""

import asyncio
import io
from collections.abc import Sequence

import aiohttp
from yarl import URL

from gateway.config import Network
from gateway.connectors.http import bodies, faults, outgoing
from gateway.connectors.http.exchange import Exchange, NotedRequest
from gateway.connectors.http.pool import ConnectionPool
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError

MAX_HEADER_BYTES = 32 * 1024
"""The largest header of an answer; some apps list their whole content policy in one."""
_NO_TIMEOUTS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class Http:
    """Connections to external apps, kept open and shared by everybody in the process.

    What is shared is the socket only: no cookie is kept, no redirect followed, no proxy or password read from the environment.
    """

    def __init__(self, *, allowed_networks: Sequence[Network] = (), max_connections: int = 100) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def send(self, request: AppRequest, *, max_bytes: int, timeout_seconds: float) -> AppResponse:
        """The app's answer to the request, whatever its status, read whole. The request goes out once, never again.

        The address is sent as the request spells it. `timeout_seconds` is the time of the whole call: waiting for a free
        connection, connecting, sending and reading. Cancelling the call closes its connection.
        Raises UpstreamUnavailableError, which tells whether the app may have received the request; UpstreamResponseError for an
        answer that is not HTTP or is larger than `max_bytes`, before decoding or after; UpstreamRejectedError for a request that
        cannot be sent, and for an address that is private and not allowed.
        """
        exchange = Exchange(host=request.url.host)
        try:
            async with asyncio.timeout(timeout_seconds) as deadline:
                return await self._send(request, exchange, max_bytes=max_bytes)
        except faults.TRANSLATED as error:
            if deadline.expired():
                raise exchange.timed_out(after_seconds=timeout_seconds) from None
            raise exchange.translate(error) from None

    async def aclose(self) -> None:
        """Returns once every connection is closed. What is sent afterwards is refused."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _send(self, request: AppRequest, exchange: Exchange, *, max_bytes: int) -> AppResponse:
        url = outgoing.checked_url(request.url)
        response = await self._open_session().request(
            outgoing.checked_method(request.method),
            URL(url, encoded=True),
            headers=outgoing.outgoing_headers(request.headers),
            data=io.BytesIO(request.content) if request.content else None,  # As bytes, one above 1 MB would be written without a pause.
            allow_redirects=False,
            middlewares=(exchange.pass_on,),
        )
        try:
            return AppResponse(
                status=_checked_status(response),
                headers=_headers_of(response),
                body=await bodies.read_bounded(
                    response.content.iter_any(),
                    content_encoding=", ".join(response.headers.getall("Content-Encoding", ())),
                    max_bytes=max_bytes,
                ),
                url=url,
            )
        except BaseException:
            _abort(response)
            raise

    def _open_session(self) -> aiohttp.ClientSession:
        """The session, opened at first use because it belongs to the running loop."""
        if self._is_closed:
            raise UpstreamUnavailableError(
                "The gateway is shutting down and sends no more requests.", may_have_been_received=False, is_apps_fault=False
            )
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=ConnectionPool(allowed_networks=self._allowed_networks, max_connections=self._max_connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=_NO_TIMEOUTS,
                auto_decompress=False,
                trust_env=False,
                request_class=NotedRequest,
                skip_auto_headers=("Content-Type",),
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
            )
        return self._session


def _checked_status(response: aiohttp.ClientResponse) -> int:
    if response.status < 200:
        raise UpstreamResponseError(f"The app answered with status {response.status}, which ends no request.")
    transfer_coding = response.headers.get("Transfer-Encoding", "chunked").strip().lower()
    if transfer_coding not in {"", "chunked", "identity"}:
        raise UpstreamResponseError("The app's answer is encoded for the transfer in a way that the gateway does not read.")
    return response.status


def _headers_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers.items():
        # The library makes half a surrogate pair, which is no character, of each byte that is no UTF-8.
        value = raw_value if raw_value.isascii() else raw_value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        name = raw_name.lower()
        if name not in outgoing.OF_THE_TRANSFER and name != "content-encoding":
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _abort(response: aiohttp.ClientResponse) -> None:
    """Drops the connection at once: a polite end of TLS would go on reading an endless answer for half a minute."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()
