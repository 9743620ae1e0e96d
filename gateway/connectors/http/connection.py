"""One connection to an app."""

import asyncio
import select
from typing import cast

from gateway.clock import Alarm
from gateway.connectors.http.incoming import Incoming
from gateway.connectors.http.request import AppRequest
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamError, UpstreamUnavailableError

IDLE_SECONDS = 15.0
"""How long a connection waits for its next request; many apps give it up not much later."""
_BYTES_AT_ONCE = 64 * 1024


class Connection(asyncio.Protocol):
    """A connection, which takes one request at a time, and no more once anything went wrong."""

    def __init__(self, origin: tuple[str, str, int]) -> None:
        self.origin = origin
        """Scheme, host and port of where it leads."""
        self._loop = asyncio.get_running_loop()
        self.ended = self._loop.create_future()
        """Done once the connection has ended."""
        self.idle_until = 0.0
        """When it ends for want of a request, by the loop's clock; told while it waits for one."""
        self._alarm = Alarm(self._time_is_over)
        self._incoming = Incoming()
        self._answer: asyncio.Future[AppResponse] | None = None
        self._unwritten = memoryview(b"")
        self._is_full = False

    def ask(self, request: AppRequest, head: bytes, *, max_bytes: int, until: float) -> asyncio.Future[AppResponse]:
        """The answer to the request, once it has come. Whoever is given the connection lets it `rest` afterwards.

        It fails with TimeoutError at that time of the loop, with UpstreamUnavailableError where the connection is lost, and with
        UpstreamResponseError for an answer that cannot be read, or whose body is larger than `max_bytes`.
        """
        if self._transport.is_closing():
            raise UpstreamUnavailableError("The connection to the app was lost before the request was sent.", may_have_been_received=False)
        self._incoming.expect(is_head=request.method.upper() == "HEAD", max_bytes=max_bytes)
        self._answer = self._loop.create_future()
        self._alarm.set(until)
        if len(request.content) <= _BYTES_AT_ONCE:
            self._transport.write(head + request.content)
        else:
            self._transport.write(head)
            self._unwritten = memoryview(request.content)
            self._write_on()
        return self._answer

    @property
    def is_silent(self) -> bool:
        """Whether nothing came since the last answer: neither bytes, nor the end that the system may know of before the loop does."""
        return not self._transport.is_closing() and not self._arrivals.poll(0)

    def rest(self) -> bool:
        """Whether it waits for another request from now on; it ends where it cannot take one."""
        self._answer = None
        # What was not written before the answer would be taken for the next request. Nor may it wait to be written, for which an
        # app that reads no more leaves forever.
        if not self._incoming.can_go_on or self._transport.is_closing() or self._unwritten or self._transport.get_write_buffer_size():
            self.abort()
            return False
        self._incoming.forget()
        self.idle_until = self._loop.time() + IDLE_SECONDS
        self._alarm.set(self.idle_until)
        return True

    def abort(self) -> None:
        """Ends it at once: a polite end of TLS would go on reading an endless answer for half a minute."""
        self._unwritten = memoryview(b"")
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop has connected it."""
        self._transport = cast(asyncio.Transport, transport)
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """The loop has read something."""
        answer = self._answer
        if answer is None or answer.done():
            # Nobody asked for it: an app gives up with a 408, or answers twice. The next request would take it for its own.
            self.abort()
            return
        try:
            response = self._incoming.feed(data)
        except UpstreamError as error:
            _fail(answer, error)
            self.abort()
            return
        if response is not None:
            answer.set_result(response)

    def eof_received(self) -> None:
        """The app says that it will send nothing more. Over TLS it has to say so in words that nobody on the way can forge."""
        self._end_answer(is_orderly=True)

    def connection_lost(self, error: Exception | None) -> None:
        """The loop has ended it: because of an error, because it was told to, or after the app has."""
        self._end_answer(is_orderly=False)
        self._alarm.stop()
        # It has what it calls, as the parser does. Without them all that the connection holds is freed at once.
        del self._alarm
        self._incoming.close()
        self.ended.set_result(None)

    def pause_writing(self) -> None:
        """What was written is not sent yet."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Most of what was written is sent."""
        self._is_full = False
        self._write_on()

    def _write_on(self) -> None:
        while self._unwritten and not self._is_full and not self._transport.is_closing():
            piece, self._unwritten = self._unwritten[:_BYTES_AT_ONCE], self._unwritten[_BYTES_AT_ONCE:]
            self._transport.write(piece)

    def _end_answer(self, *, is_orderly: bool) -> None:
        answer = self._answer
        if answer is None or answer.done():
            return
        try:
            answer.set_result(self._incoming.end(is_orderly=is_orderly))
        except UpstreamError as error:
            _fail(answer, error)

    def _time_is_over(self) -> None:
        if self._answer is not None and not self._answer.done():
            _fail(self._answer, TimeoutError())
        self.abort()


def _fail(answer: asyncio.Future[AppResponse], error: Exception) -> None:
    # What was under way when it was found belongs to nobody who is told of it.
    answer.set_exception(error.with_traceback(None))
    # Counts as told: whoever is cancelled in this very turn looks at it no more.
    answer.exception()
