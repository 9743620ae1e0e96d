"""The one way to an external app."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import aiohttp
from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter

from gateway.clock import Deadline
from gateway.config import Network
from gateway.connectors.http import bodies, faults, outgoing
from gateway.connectors.http.exchange import Exchange
from gateway.connectors.http.pool import ConnectionPool
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError

MAX_HEADER_BYTES = 32 * 1024
"""The largest header of an answer; some apps list their whole content policy in one."""
_BYTES_AT_ONCE = 64 * 1024
_MAX_INFORMATIONAL = 100
# Each is read at the cost of an answer, and a few bytes make one: without an end they would keep everybody else waiting.


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
        exchange, deadline = Exchange(host=request.url.host), Deadline(timeout_seconds)
        head = outgoing.head_of(request)
        try:
            with deadline:
                connection = await self._open_pool().connected(request.url.server, exchange)
                try:
                    response = await _answered(connection, request, head, max_bytes=max_bytes)
                except BaseException:
                    _abort(connection)
                    raise
        except faults.TRANSLATED as error:
            if deadline.is_over:
                raise exchange.timed_out(after_seconds=timeout_seconds) from None
            raise exchange.translate(error) from None
        connection.release()
        return response

    async def aclose(self) -> None:
        """Returns once every connection is closed. What is sent afterwards is refused."""
        self._is_closed = True
        if self._pool is not None:
            await self._pool.close()

    def _open_pool(self) -> ConnectionPool:
        """The connections, opened at first use because they belong to the running loop."""
        if self._is_closed:
            raise UpstreamUnavailableError(
                "The gateway is shutting down and sends no more requests.", may_have_been_received=False, is_apps_fault=False
            )
        if self._pool is None:
            self._pool = ConnectionPool(allowed_networks=self._allowed_networks, max_connections=self._max_connections)
        return self._pool


async def _answered(connection: Connection, request: AppRequest, head: bytes, *, max_bytes: int) -> AppResponse:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None or protocol.transport.is_closing():
        raise aiohttp.ClientConnectionResetError("The connection was lost before the request was written.")
    protocol.set_response_params(
        skip_payload=request.method.upper() == "HEAD",
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )
    uploading = None
    if len(request.content) > _BYTES_AT_ONCE:
        uploading = asyncio.create_task(_upload(protocol, head, request.content))
    else:
        protocol.transport.write(head + request.content)
    try:
        message, stream = await _final_answer(protocol)
        headers = _headers_of(message)
        coding = headers.pop("content-encoding", "")
        body = await bodies.read_bounded(stream, content_encoding=coding, max_bytes=max_bytes)
    finally:
        if uploading is not None and not uploading.done():
            # The app did not wait for the end of the request: what is left of it would be taken for the next one. Nor may it wait
            # to be written, for which an app that reads no more leaves forever.
            uploading.cancel()
            _abort(connection)
    # Nobody reads answers until the next request. A parser would go on reading, without a bound, and forget what has come in part;
    # without one a little is kept, by which the pool sees that the connection is not to be used again.
    protocol._parser = None
    return AppResponse(status=message.code, headers=headers, body=body)


async def _final_answer(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    """What follows the informational answers. Raises UpstreamResponseError for more of them than an app has reason to give."""
    for _ in range(_MAX_INFORMATIONAL + 1):
        message, stream = await protocol.read()
        if not 100 <= message.code < 200 or message.code == 101:
            return message, stream
    raise UpstreamResponseError(f"The app gave more than {_MAX_INFORMATIONAL} informational answers before the one that counts.")


async def _upload(protocol: ResponseHandler, head: bytes, content: bytes) -> None:
    """Writes a request piece by piece, as the app takes it. How the connection broke is told to whoever reads the answer."""
    writer = StreamWriter(protocol, asyncio.get_running_loop())
    with suppress(aiohttp.ClientError, OSError):
        await writer.write(head)
        for start in range(0, len(content), _BYTES_AT_ONCE):
            await writer.write(content[start : start + _BYTES_AT_ONCE])


def _headers_of(message: RawResponseMessage) -> dict[str, str]:
    """What an answer says beside its body. Raises UpstreamResponseError where its body cannot be read."""
    if message.code < 200:
        raise UpstreamResponseError(f"The app answered with status {message.code}, which ends no request.")
    headers: dict[str, str] = {}
    for raw_name, raw_value in message.headers.items():
        # The library makes half a surrogate pair, which is no character, of each byte that is no UTF-8.
        value = raw_value if raw_value.isascii() else raw_value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        name = raw_name.lower()
        if name == "transfer-encoding" and value.strip().lower() not in {"", "chunked", "identity"}:
            raise UpstreamResponseError("The app's answer is encoded for the transfer in a way that the gateway does not read.")
        if name not in outgoing.OF_THE_TRANSFER:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _abort(connection: Connection) -> None:
    """Drops the connection at once: a polite end of TLS would go on reading an endless answer for half a minute."""
    if connection.transport is not None:
        connection.transport.abort()
    connection.close()
