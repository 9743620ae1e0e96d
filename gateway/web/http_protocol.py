"""HTTP as it is spoken on a connection: nobody sends a head without end."""

from itertools import chain

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedHeads"]

_MOST_BYTES = 64 * 1024
"""How long the address and all headers of a request may be together; servers in front allow less."""
_MOST_UNENDED_BYTES = 512 * 1024
"""How much may come in before a head ends: its first bytes may come with the end of a body before it."""
_TOO_LONG = "The head of the request is too long."


class BoundedHeads(HttpToolsProtocol):
    """Answers a request whose address and headers are too long with 400, and closes the connection: the parser alone takes any length."""

    _is_in_head = False
    _came_in = _counted = _seen = 0

    def on_message_begin(self) -> None:
        """Starts counting."""
        super().on_message_begin()
        self._is_in_head = True
        self._came_in = 0

    def on_headers_complete(self) -> None:
        """Ends the head."""
        self._is_in_head = False
        self._counted, self._seen = len(self.url), 0
        if self._is_too_long():
            # The parser ends there, and the request with it.
            raise ValueError(_TOO_LONG)
        # The library puts what comes after the body with the headers, where it could say who asks, past a proxy that judges heads.
        self.scope["headers"] = self.headers.copy()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Takes what came in. A part of the head that has not ended is held by the parser, which tells nobody of it."""
        super().data_received(data)
        if self._is_in_head:
            self._came_in += len(data)
            is_too_long = self._came_in > _MOST_UNENDED_BYTES
        else:
            # What comes after the body is put with the headers, though nobody is shown it.
            is_too_long = len(self.headers or ()) > self._seen and self._is_too_long()
        if is_too_long and not self.transport.is_closing():
            self.send_400_response(_TOO_LONG)

    def _is_too_long(self) -> bool:
        # All that came at once together: to look at each as it comes takes as long as the parser takes for it.
        self._counted += sum(map(len, chain.from_iterable(self.headers[self._seen :])))
        self._seen = len(self.headers)
        return self._counted > _MOST_BYTES
