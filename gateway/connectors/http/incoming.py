"""What of an answer comes on the wire."""

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.connectors.http.bodies import Body
from gateway.connectors.http.outgoing import OF_THE_TRANSFER
from gateway.connectors.http.response import AppResponse
from gateway.errors import UpstreamResponseError, UpstreamUnavailableError

MAX_HEADER_BYTES = 64 * 1024
"""The largest headers of an answer, all together; some apps list their whole content policy in one."""

_BYTES_BESIDE_A_HEADER = 32
# What a header counts beside its name and value, as in HTTP/2 (RFC 9113, 6.5.2): very many of them are as much to read as large ones.
_MAX_INFORMATIONAL = 100
# Each is read at the cost of an answer, and a few bytes make one: without an end they would keep everybody else waiting.
_READABLE_TRANSFERS = frozenset({"", "chunked", "identity"})
_REQUEST_TIMEOUT = 408
# Often of an app that waited for a request in vain, and sent while ours was on its way, which may get an answer of its own behind it.
_NO_BODY = Body(content_encoding="", max_bytes=0)


class Incoming:
    """Reads the answers that come on one connection, each to the one request before it."""

    def __init__(self) -> None:
        self._parser = _parser_for(self)
        self.forget()

    @property
    def can_go_on(self) -> bool:
        """Whether an answer has come whole, with nothing behind it, and another one may come on the same connection."""
        return self._answer is not None and self._keeps_alive and not self._is_followed

    def expect(self, *, is_head: bool, max_bytes: int) -> None:
        """The next answer is to come; one to HEAD has no body, whatever its headers say. Of a body `max_bytes` are read at most."""
        self._is_head = is_head
        self._max_bytes = max_bytes
        self._informational_count = 0
        self._bytes_without_progress = 0

    def forget(self) -> None:
        """Keeps nothing of the last answer, and is ready for another one."""
        self._answer: AppResponse | None = None
        self._has_head = self._is_followed = False
        self._body = _NO_BODY
        self._begin()

    def feed(self, data: bytes) -> AppResponse | None:
        """The answer, once this was the last of it.

        Raises UpstreamResponseError for what is not HTTP, what the gateway does not read, and what is larger than it may be.
        """
        self._has_progressed = False
        fault = self._parsed(data)
        if fault is not None:
            raise fault
        if self._has_progressed:
            self._bytes_without_progress = 0
        else:
            # The parser keeps what it has of a header, also of one behind the body, and the app need not end it.
            self._bytes_without_progress += len(data)
            if self._bytes_without_progress > MAX_HEADER_BYTES:
                raise _not_http()
        return self._answer

    def end(self, *, is_orderly: bool) -> AppResponse:
        """The answer, where an orderly end of the connection ends it. Raises UpstreamUnavailableError where the end cuts it off."""
        if not self._has_head:
            raise UpstreamUnavailableError("The connection to the app was lost before it answered.", may_have_been_received=True)
        if self._has_told_length or not is_orderly:
            raise UpstreamUnavailableError("The app's answer broke off before its end.", may_have_been_received=True)
        return self._whole()

    def close(self) -> None:
        """Reads no more."""
        # The parser has what it calls, which has the parser.
        del self._parser

    def on_message_begin(self) -> None:
        """The parser sees the first byte of an answer."""
        self._is_followed = self._has_head

    def on_header(self, raw_name: bytes, raw_value: bytes) -> None:
        """The parser has read a header, or one behind the body, which is left out."""
        if self._has_head:
            return
        self._header_bytes += len(raw_name) + len(raw_value) + _BYTES_BESIDE_A_HEADER
        if self._header_bytes > MAX_HEADER_BYTES or b"\0" in raw_value:
            raise _not_http()
        # The parser leaves spaces before the colon in the name, and heeds the header all the same.
        name, value = raw_name.decode("latin-1").rstrip(" ").lower(), raw_value.decode("utf-8", "replace").rstrip(" \t")
        if name in OF_THE_TRANSFER:
            self._heed(name, value)
        else:
            self._headers[name] = f"{self._headers[name]}, {value}" if name in self._headers else value

    def on_headers_complete(self) -> None:
        """The parser has read all headers."""
        if self._has_head:
            return
        self._has_progressed = True
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._pass_over()
            return
        if status < 200:
            raise UpstreamResponseError(f"The app answered with status {status}, which ends no request.")
        self._has_head = True
        self._status = status
        self._keeps_alive = status != _REQUEST_TIMEOUT and self._parser.should_keep_alive()
        self._body = Body(content_encoding=self._headers.pop("content-encoding", ""), max_bytes=self._max_bytes)
        if self._is_head:
            # The parser waits for the body that the headers tell of: the next answer takes another.
            self._answer, self._parser = self._whole(), _parser_for(self)

    def on_body(self, chunk: bytes) -> None:
        """The parser has read a part of the body."""
        self._has_progressed = True
        if self._answer is None:
            self._body.add(chunk)
        else:
            self._is_followed = True

    def on_message_complete(self) -> None:
        """The parser has read an answer to its end."""
        if self._has_head and self._answer is None:
            self._answer = self._whole()

    def _parsed(self, data: bytes) -> BaseException | None:
        """What is wrong with it, if anything is."""
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            # Its own words say only that there is another one below.
            return error.__context__
        except (HttpParserError, HttpParserUpgrade):
            return _not_http()
        return None

    def _begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._has_told_length = False

    def _pass_over(self) -> None:
        self._informational_count += 1
        if self._informational_count > _MAX_INFORMATIONAL:
            raise UpstreamResponseError(f"The app gave more than {_MAX_INFORMATIONAL} informational answers before the one that counts.")
        self._begin()

    def _heed(self, name: str, value: str) -> None:
        """Takes what a header says of how the answer comes."""
        if name == "content-length":
            self._has_told_length = True
        elif name == "transfer-encoding":
            coding = value.strip().lower()
            if coding not in _READABLE_TRANSFERS:
                raise UpstreamResponseError("The app's answer is encoded for the transfer in a way that the gateway does not read.")
            self._has_told_length = coding == "chunked"

    def _whole(self) -> AppResponse:
        return AppResponse(status=self._status, headers=self._headers, body=self._body.whole())


def _parser_for(incoming: Incoming) -> HttpResponseParser:
    parser = HttpResponseParser(incoming)
    # What servers do that are otherwise in order, and that cannot be misunderstood where one answer comes at a time.
    parser.set_dangerous_leniencies(lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True)
    return parser


def _not_http() -> UpstreamResponseError:
    return UpstreamResponseError("The app's answer is not valid HTTP, or its headers are too large to read.")
