"""HTTP as it is spoken on a connection: what comes in becomes requests, and nobody sends a head without end."""

import asyncio
from functools import lru_cache
from itertools import chain
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.web.extensions import WHOLE_ANSWER, WHOLE_REQUEST
from gateway.web.http_exchanges import Exchange

__all__ = ["Connection"]

_MOST_BYTES = 64 * 1024
"""How long the address and all headers of a request may be together; servers in front allow less."""
_MOST_UNENDED_BYTES = 512 * 1024
"""How much may come in before a head ends: its first bytes may come with the end of a body before it."""
_TOO_LONG = "The head of the request is too long."
_MOST_WAITING = 100
"""How many requests may come in before the one before them is answered: each takes some hundred times the room of its text."""
_NO_HTTP = "Invalid HTTP request received."
_OF_BODIES = frozenset({b"content-length", b"transfer-encoding"})
_SHORT_BYTES = 100
"""Of an address that is remembered with its parts."""


class Connection(HttpToolsProtocol):
    """Reads requests as the library's own does, in fewer steps for each.

    A request whose address and headers are too long is answered with 400, and ends the connection: the parser alone takes any length.
    One that asks for another protocol than WebSockets is read as one that does not. A connection on which nothing comes, or only parts
    of a request, ends as an idle one does; one on which too many requests wait ends after them.
    """

    _is_in_head = False
    _came_in = _coming_in = _counted = _seen = _of_head = 0
    cycle: Exchange
    """What came in last, and may have to wait."""
    _answered: RequestResponseCycle | None = None
    """What is being answered, or was the last time."""
    _is_full = False
    """Whether no more is read, as so many requests wait."""
    _is_read_again = False
    """Whether the head that has come asks for a protocol that is not spoken here."""
    _idle_since: float | None = None
    """Since when nothing has come in, while no request is answered; what comes may be less than a request, and the rest never come."""
    _idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library has it.
        """Waits for the first request."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Begins a request."""
        if len(self.pipeline) >= _MOST_WAITING:
            # The parser ends there. Whoever sent it sees the connection end after the one before, and sends it again.
            self.cycle.keep_alive, self._is_full = False, True
            raise ValueError("Too many requests wait for the answer before theirs.")
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_in_head = True
        self._came_in = 0

    def on_headers_complete(self) -> None:
        """Ends the head: the request is answered as soon as those before it are."""
        self._is_in_head = False
        self._of_head, self._counted, self._seen = len(self.headers), len(self.url), 0
        # What has come in one piece that is short enough need not be counted.
        if (self._came_in or self._coming_in > _MOST_BYTES) and self._is_too_long():
            # The parser ends there, and the request with it.
            raise ValueError(_TOO_LONG)
        parser, version = self.parser, self.parser.get_http_version()
        is_upgrade = parser.should_upgrade() and self._should_upgrade()
        self._is_read_again = parser.should_upgrade() and not is_upgrade and parser.get_method() != b"CONNECT"
        if self._is_read_again:
            return
        path, raw_path, query = _parts(self.url) if len(self.url) <= _SHORT_BYTES else _parts_of(self.url)
        self.scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "scheme": self.scheme or "http",
            "path": self.root_path + path,
            "raw_path": self.root_path.encode("ascii") + raw_path,
            "query_string": query,
            "root_path": self.root_path,
            # The library puts what comes after the body with the headers, where it could say who asks, past a proxy that judges heads.
            "headers": self.headers.copy(),
            "client": self.client,
            "server": self.server,
            "state": self.app_state.copy(),
            "extensions": {WHOLE_ANSWER: {}},
        }
        if not is_upgrade:
            self._begin(keep_alive=version != "1.0" and parser.should_keep_alive())

    def _begin(self, *, keep_alive: bool) -> None:
        self._idle_since = None
        earlier, self.cycle = (
            self.cycle,
            Exchange(
                self.scope,
                self.transport,
                self.flow,
                default_headers=self.server_state.default_headers,
                expects_continue=self.expect_100_continue,
                keep_alive=keep_alive,
                on_response=self.on_response_complete,
            ),
        )
        if earlier is None or earlier.response_complete:
            self._answer(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _answer(self, exchange: RequestResponseCycle) -> None:
        self._answered = exchange
        self._start_asgi_task(exchange, self.app)

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body."""
        exchange = self.cycle
        if exchange.response_complete:
            return
        exchange.body += body
        if len(exchange.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        exchange.set()

    def on_message_complete(self) -> None:
        """Ends the request. What becomes a WebSocket is none, and comes where nothing is answered."""
        exchange = self.cycle
        if self._is_read_again or exchange is None or exchange.response_complete:
            return
        exchange.more_body = False
        self.scope["extensions"][WHOLE_REQUEST] = {"body": bytes(exchange.body)}
        exchange.body.clear()
        exchange.set()

    def data_received(self, data: bytes) -> None:
        """Takes what came in. A part of the head that has not ended is held by the parser, which tells nobody of it."""
        if self._is_full:
            return
        self._coming_in = len(data)
        if self._idle_since is not None:
            self._idle_since = self.loop.time()
        self._parse(data)
        if self._is_in_head:
            self._came_in += len(data)
            is_too_long = self._came_in > _MOST_UNENDED_BYTES
        else:
            # What comes after the body is put with the headers, though nobody is shown it.
            is_too_long = len(self.headers or ()) > self._of_head and self._is_too_long()
        if is_too_long and not self.transport.is_closing():
            self.send_400_response(_TOO_LONG)

    def _should_upgrade(self) -> bool:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        # Who speaks WebSockets says nothing to a head with a body, and knows of no answer that is under way.
        return super()._should_upgrade() and not is_answering and not any(name in _OF_BODIES for name, _ in self.headers)

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stop:
                data = self._after_upgrade(data[stop.args[0] :])
            except httptools.HttpParserError:
                if not self._is_full:
                    self.logger.warning(_NO_HTTP)
                    self.send_400_response(_NO_HTTP)
                return

    def _after_upgrade(self, rest: bytes) -> bytes:
        """What is to be read after the parser stopped: it does where another protocol is asked for, and takes a body for what follows."""
        if self._is_read_again:
            # Whoever asks for what is not spoken is answered as who does not ask, as HTTP has it.
            head, self.parser = self._head_without_upgrade(), httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return head + rest
        if self._should_upgrade():
            self._wait_no_more()
            self.handle_websocket_upgrade()
            return b""
        return rest

    def _head_without_upgrade(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_response_complete(self) -> None:
        """Goes on with the next request that is there already, or waits for one as long as a connection may be idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._answer(self.pipeline.pop()[0])
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends it."""
        super().connection_lost(exc)
        if self._answered is not None and not self._answered.response_complete:
            # The library tells only who came in last.
            self._answered.disconnected = True
            # Whoever has not begun to read is to learn of it then, and not to begin.
            self._answered.scope["extensions"].pop(WHOLE_REQUEST, None)
            self._answered.message_event.set()
        self._wait_no_more()

    def _wait(self) -> None:
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _wait_no_more(self) -> None:
        self._idle_since = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()

    def _unset_keepalive_if_required(self) -> None:
        # The library has a timer for each time that it is idle, which takes more steps than all else here.
        self._idle_since = None

    def _close_if_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since is None or self.transport.is_closing():
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        else:
            self.transport.close()

    def _is_too_long(self) -> bool:
        # All that came at once together: to look at each as it comes takes as long as the parser takes for it.
        self._counted += sum(map(len, chain.from_iterable(self.headers[self._seen :])))
        self._seen = len(self.headers)
        return self._counted > _MOST_BYTES


def _parts_of(url: bytes) -> tuple[str, bytes, bytes]:
    """The path as text, the path as it came, and the query of an address."""
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return unquote(path) if "%" in path else path, parsed.path, parsed.query or b""


_parts = lru_cache(maxsize=256)(_parts_of)
