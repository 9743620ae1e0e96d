"""HTTP as it is spoken on a connection: nobody sends a head without end."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedHeads"]

_MOST_BYTES = 64 * 1024
"""How long the address and all headers of a request may be together; servers in front allow less."""
_MOST_UNENDED_BYTES = 512 * 1024
"""How much may come in before a head ends: its first bytes may come with the end of a body before it."""
_TOO_LONG = "The head of the request is too long."


class BoundedHeads(HttpToolsProtocol):
    """Answers a request whose address and headers are too long with 400, and closes the connection: the parser alone takes any length."""

    def on_message_begin(self) -> None:
        """Starts counting."""
        super().on_message_begin()
        self._is_in_head = True
        self._counted = self._came_in = 0

    def on_url(self, url: bytes) -> None:
        """Takes a part of the address."""
        self._counted += len(url)
        if self._counted > _MOST_BYTES:
            raise ValueError(_TOO_LONG)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header, or a trailer after the body."""
        self._counted += len(name) + len(value)
        if self._counted > _MOST_BYTES:
            # The parser ends there, and the request with it.
            raise ValueError(_TOO_LONG)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Ends the head."""
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Takes what came in. A part of the head that has not ended is held by the parser, which tells nobody of it."""
        super().data_received(data)
        if getattr(self, "_is_in_head", False) and not self.transport.is_closing():
            self._came_in += len(data)
            if self._came_in > _MOST_UNENDED_BYTES:
                self.send_400_response(_TOO_LONG)
