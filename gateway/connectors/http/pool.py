"""Connections that wait for their next request."""

import asyncio
import select
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cached_property

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from gateway.config import Network
from gateway.connectors.bounded import Bounded
from gateway.connectors.http import addresses
from gateway.connectors.http.exchange import Exchange

MAX_SERVERS = 1_000
"""Of how many servers it is kept how they are reached."""

_being_connected: ContextVar[Exchange] = ContextVar("being_connected")
# What the library calls to make a connection is given nothing of ours but the context.
_NO_TIMEOUTS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class ConnectionPool(aiohttp.TCPConnector):
    """Connections to reachable addresses, of which an idle one is used again only while it is silent.

    Whatever arrives on an idle connection is its end, or an answer that nobody asked for: an app that gives up an idle
    connection with a 408, or a late second answer. The library would hand that to the next request on the connection.
    """

    def __init__(self, *, allowed_networks: Sequence[Network], max_connections: int) -> None:
        super().__init__(limit=max_connections, socket_factory=addresses.guarded_socket_factory(allowed_networks))
        self._requests: Bounded[_Request] = Bounded(maximum_weight=MAX_SERVERS)

    async def connected(self, server: str, exchange: Exchange) -> Connection:
        """A new connection to the server of an address, or an idle one on which nothing has arrived. The exchange notes how far it is."""
        request = self._request_to(server)
        _being_connected.set(exchange)
        while True:
            exchange.is_queued, exchange.is_first = True, False
            try:
                connection = await self.connect(request, [], _NO_TIMEOUTS)
            except asyncio.CancelledError:
                # It may have been given a free place in this very turn, of which the library would tell nobody else.
                self._release_waiter()
                raise
            if exchange.is_first or not _is_spent(connection):
                break
            connection.close()

        # Whoever is given a connection writes to it next, without a pause in between.
        exchange.is_queued, exchange.is_sent = False, True
        return connection

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - named by the library.
    ) -> ResponseHandler:
        # Where connections of a kind are made, as the library means it: whoever comes here has waited for a free place before.
        exchange = _being_connected.get()
        exchange.is_queued, exchange.is_first = False, True
        return await super()._create_connection(req, traces, timeout)

    def _request_to(self, server: str) -> "_Request":
        request = self._requests.get(server)
        if request is None:
            try:
                request = _Request("GET", URL(server, encoded=True), loop=self._loop)
            except ValueError:
                raise aiohttp.InvalidURL(server) from None
            self._requests.put(server, request, weight=1)
        return request


class _Request(aiohttp.ClientRequest):
    """What the library's pool is asked with: it names a server, for all that is sent there. It is never sent itself."""

    @cached_property
    def connection_key(self) -> ConnectionKey:
        """What the connections of the server are kept by."""
        return super().connection_key


def _is_spent(connection: Connection) -> bool:
    protocol = connection.protocol
    return protocol is None or protocol.should_close or _has_arrivals(connection)


def _has_arrivals(connection: Connection) -> bool:
    """Whether the system holds bytes, or the end, of a connection that the loop has not seen yet."""
    socket = connection.transport.get_extra_info("socket") if connection.transport is not None else None
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
