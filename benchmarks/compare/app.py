"""The app behind everybody: always the same page of records for 5 microseconds of CPU, and how often it was asked.

Not a web server: it answers one request after the other on a connection, which is all that these clients send. It tells no
`ETag` and no `Last-Modified`, so that nobody can have an answer confirmed instead of reading it.
"""

import asyncio
import json
import re
import sys

import uvloop
from records import BODY

_PAGE = re.compile(rb"GET /items\?page=([0-9]+) HTTP")
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_ITEMS = _OK % (len(BODY), BODY)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class App(asyncio.Protocol):
    """One connection to the app."""

    asked = 0
    """Requests for records so far, on all connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins with nothing."""
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        for request in requests:
            self._transport.write(self._answer(request))  # type: ignore[attr-defined]

    def _answer(self, request: bytes) -> bytes:
        if _PAGE.match(request):
            App.asked += 1
            return _ITEMS
        if request.startswith(b"GET /asked "):
            body = json.dumps(App.asked).encode()
            return _OK % (len(body), body)
        return _NOT_FOUND


async def main(port: int) -> None:
    """Serves until it is stopped."""
    server = await asyncio.get_running_loop().create_server(App, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
