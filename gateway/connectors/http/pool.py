"""Connections that wait for their next request."""

import select
from collections.abc import Sequence
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from gateway.config import Network
from gateway.connectors.http import addresses
from gateway.connectors.http.exchange import NotedRequest


class ConnectionPool(aiohttp.TCPConnector):
    """Connections to reachable addresses, of which an idle one is used again only while it is silent.

    Whatever arrives on an idle connection is its end, or an answer that nobody asked for: an app that gives up an idle
    connection with a 408, or a late second answer. The library would hand that to the next request on the connection.
    """

    def __init__(self, *, allowed_networks: Sequence[Network], max_connections: int) -> None:
        super().__init__(limit=max_connections, socket_factory=addresses.guarded_socket_factory(allowed_networks))
        self._used: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - named by the library.
    ) -> Connection:
        """A new connection, or an idle one on which nothing has arrived."""
        while True:
            _note(req, is_queued=True)
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                break
            if protocol not in self._used:
                self._used.add(protocol)
                break
            if not protocol.should_close and not _has_arrivals(connection):
                break
            connection.close()

        # Whoever is given a connection writes to it next, without a pause in between.
        _note(req, is_queued=False, is_sent=True)
        return connection

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - named by the library.
    ) -> ResponseHandler:
        # Where connections of a kind are made, as the library means it: whoever comes here has waited for a free place before.
        _note(req, is_queued=False)
        return await super()._create_connection(req, traces, timeout)


def _note(request: aiohttp.ClientRequest, *, is_queued: bool, is_sent: bool = False) -> None:
    if isinstance(request, NotedRequest):
        request.exchange.is_queued, request.exchange.is_sent = is_queued, is_sent


def _has_arrivals(connection: Connection) -> bool:
    """Whether the system holds bytes, or the end, of a connection that the loop has not seen yet."""
    socket = connection.transport.get_extra_info("socket") if connection.transport is not None else None
    if socket is None or socket.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))
