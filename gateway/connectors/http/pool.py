"""Connections that wait for their next request."""

import asyncio
import ssl
from collections.abc import Sequence
from functools import cached_property, partial

import aiohappyeyeballs

from gateway.clock import Deadline
from gateway.config import Network
from gateway.connectors.http import addresses, faults
from gateway.connectors.http.connection import Connection
from gateway.connectors.http.lookups import Lookups
from gateway.connectors.http.web_address import WebAddress
from gateway.connectors.turns import Turns
from gateway.errors import UpstreamUnavailableError

_NEXT_ADDRESS_AFTER_SECONDS = 0.25
# How long one address of a host may take before the next one is tried beside it (RFC 8305, 5).


class ConnectionPool:
    """Connections to reachable addresses: so many are in use at once, about as many idle ones are kept, and each only while it is silent.

    Whatever arrives on an idle connection is its end, or an answer that nobody asked for: an app that gives up an idle
    connection with a 408, or a late second answer.
    """

    def __init__(self, *, allowed_networks: Sequence[Network], max_connections: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._make_socket = addresses.guarded_socket_factory(allowed_networks)
        self._turns = Turns(max_connections)
        self._max_open = 2 * max_connections
        self._lookups = Lookups()
        self._idle: dict[tuple[str, str, int], list[Connection]] = {}
        self._open: set[Connection] = set()
        self._is_closed = False

    def idle_connection(self, url: WebAddress) -> Connection | None:
        """A connection to the server of an address, where one waits for its next request and there is no need to wait for it."""
        if not self._turns.take():
            return None
        connection = self._silent(url.origin)
        if connection is None:
            self._turns.give_back()
        return connection

    async def connected(self, url: WebAddress, *, timeout_seconds: float) -> Connection:
        """A new connection to the server of an address, or one that becomes idle meanwhile.

        Raises UpstreamUnavailableError, and UpstreamRejectedError for an address that is private and not allowed.
        """
        deadline, has_turn = Deadline(timeout_seconds), False
        try:
            with deadline:
                await self._turns.wait()
                has_turn = True
                return await self._connected_in_turn(url)
        except faults.TRANSLATED as error:
            if deadline.is_over:
                raise _late(has_turn, after_seconds=timeout_seconds) from None
            raise faults.translate(error, host=url.host) from None

    def release(self, connection: Connection) -> None:
        """Takes back a connection that was given out, whatever became of it."""
        if connection.rest():
            self._idle.setdefault(connection.origin, []).append(connection)
        self._turns.give_back()

    async def close(self) -> None:
        """Returns once all connections have ended."""
        self._is_closed = True
        for connection in self._open:
            connection.abort()
        await asyncio.gather(*(connection.ended for connection in self._open))

    async def _connected_in_turn(self, url: WebAddress) -> Connection:
        """A connection, which gives the turn back where there is none."""
        connection = None
        try:
            connection = self._silent(url.origin) or await self._new(url)
        finally:
            if connection is None:
                self._turns.give_back()
        return connection

    def _silent(self, origin: tuple[str, str, int]) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            # The last one: those that are needed seldom come to their end.
            connection = idle.pop()
            if connection.is_silent:
                return connection
            connection.abort()
        return None

    async def _new(self, url: WebAddress) -> Connection:
        if self._is_closed:
            raise faults.shutting_down()
        self._make_room()
        scheme, host, port = origin = url.origin
        address_infos = await self._lookups.addresses(host, port)
        socket = await aiohappyeyeballs.start_connection(
            address_infos, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_SECONDS, socket_factory=self._make_socket
        )
        is_encrypted = scheme == "https"
        _, connection = await self._loop.create_connection(
            partial(Connection, origin),
            sock=socket,
            ssl=self._tls if is_encrypted else None,
            server_hostname=host.rstrip(".") if is_encrypted else None,
        )
        self._open.add(connection)
        connection.ended.add_done_callback(partial(self._forget, connection))
        if self._is_closed:
            connection.abort()
            raise faults.shutting_down()
        return connection

    def _make_room(self) -> None:
        """Ends an idle connection where there are enough: of many hosts, each would leave some behind."""
        if len(self._open) >= self._max_open:
            oldest = min(filter(None, self._idle.values()), key=lambda idle: idle[0].idle_until, default=None)
            if oldest is not None:
                oldest.pop(0).abort()

    def _forget(self, connection: Connection, _: asyncio.Future[None]) -> None:
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None:
            if connection in idle:
                idle.remove(connection)
            if not idle:
                del self._idle[connection.origin]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _late(has_turn: bool, *, after_seconds: float) -> UpstreamUnavailableError:
    if has_turn:
        return UpstreamUnavailableError(f"The app could not be reached within {after_seconds:g} seconds.", may_have_been_received=False)
    return UpstreamUnavailableError(
        f"The gateway had no free connection within {after_seconds:g} seconds: it waits for the answers of too many apps.",
        may_have_been_received=False,
        is_apps_fault=False,
    )
