"""Connections that wait for their next request."""

import select
from collections.abc import Sequence
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

MAX_SERVERS = 10_000
"""Of how many servers it is kept how they are reached."""

_NO_TIMEOUTS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class ConnectionPool(aiohttp.TCPConnector):
    """Connections to reachable addresses, of which an idle one is used again only while it is silent.

    Whatever arrives on an idle connection is its end, or an answer that nobody asked for: an app that gives up an idle
    connection with a 408, or a late second answer. The library would hand that to the next request on the connection.
    """

    def __init__(self, *, allowed_networks: Sequence[Network], max_connections: int) -> None:
        super().__init__(limit=max_connections, socket_factory=addresses.guarded_socket_factory(allowed_networks))
        self._seekers: Bounded[_Seeker] = Bounded(maximum_weight=MAX_SERVERS)

    async def connected(self, server: str, exchange: Exchange) -> Connection:
        """A new connection to the server of an address, or an idle one on which nothing has arrived. The exchange notes how far it is."""
        seeker = self._seeker(server).of(exchange)
        while True:
            exchange.is_queued, exchange.is_first = True, False
            connection = await self.connect(seeker, [], _NO_TIMEOUTS)
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
        if isinstance(req, _Seeker):
            req.exchange.is_queued, req.exchange.is_first = False, True
        return await super()._create_connection(req, traces, timeout)

    def _seeker(self, server: str) -> "_Seeker":
        seeker = self._seekers.get(server)
        if seeker is None:
            seeker = _Seeker("GET", URL(server, encoded=True), loop=self._loop)
            self._seekers.put(server, seeker, weight=1)
        return seeker


class _Seeker(aiohttp.ClientRequest):
    """What the library's pool is asked with: it names the server, and the exchange that the connection is for. It is never sent."""

    exchange: Exchange

    @cached_property
    def connection_key(self) -> ConnectionKey:
        """What the connections of the server are kept by."""
        return super().connection_key

    def of(self, exchange: Exchange) -> "_Seeker":
        """The same, for an exchange."""
        twin = object.__new__(_Seeker)
        twin.__dict__.update(self.__dict__, connection_key=self.connection_key, exchange=exchange)
        return twin


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
