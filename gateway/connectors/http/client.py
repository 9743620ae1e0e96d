"""The one way to an external app."""

import asyncio
from collections.abc import Sequence

from gateway.config import Network
from gateway.connectors.http import faults, outgoing
from gateway.connectors.http.pool import ConnectionPool
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamUnavailableError


class Http:
    """Connections to external apps, kept open and shared by everybody in the process.

    What is shared is the socket only: no cookie is kept, no redirect followed, no proxy or password read from the environment.
    """

    def __init__(self, *, allowed_networks: Sequence[Network] = (), max_connections: int = 100) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._max_connections = max_connections
        self._pool: ConnectionPool | None = None
        self._is_closed = False

    async def send(self, request: AppRequest, *, max_bytes: int, timeout_seconds: float) -> AppResponse:
        """The app's answer to the request, whatever its status, read whole. The request goes out once, never again.

        The address is sent as the request spells it. `timeout_seconds` is the time of the whole call: waiting for a free
        connection, connecting, sending and reading. Cancelling the call closes its connection.
        Raises UpstreamUnavailableError, which tells whether the app may have received the request; UpstreamResponseError for an
        answer that is not HTTP or is larger than `max_bytes`, before decoding or after; UpstreamRejectedError for a request that
        cannot be sent, and for an address that is private and not allowed.
        """
        head, pool = outgoing.head_of(request), self._open_pool()
        until = asyncio.get_running_loop().time() + timeout_seconds
        connection = pool.idle_connection(request.url)
        if connection is None:
            connection = await pool.connected(request.url, timeout_seconds=timeout_seconds)
        try:
            return await connection.ask(request, head, max_bytes=max_bytes, until=until)
        except TimeoutError:
            raise UpstreamUnavailableError(
                f"The app did not answer within {timeout_seconds:g} seconds.", may_have_been_received=True
            ) from None
        finally:
            pool.release(connection)

    async def aclose(self) -> None:
        """Returns once every connection is closed. What is sent afterwards is refused."""
        self._is_closed = True
        if self._pool is not None:
            await self._pool.close()

    def _open_pool(self) -> ConnectionPool:
        """The connections, opened at first use because they belong to the running loop."""
        if self._is_closed:
            raise faults.shutting_down()
        if self._pool is None:
            self._pool = ConnectionPool(allowed_networks=self._allowed_networks, max_connections=self._max_connections)
        return self._pool
