"""The head of a request, read without making more of it than is asked."""

from starlette.types import Scope

from gateway.web.extensions import take_body

__all__ = ["Head"]


class Head:
    """The method and the headers of one request, each found at once; of a header that comes twice the first."""

    __slots__ = ("_first", "_headers", "method", "whole_body")

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        self.whole_body: bytes | None = take_body(scope)
        """The body, where it has come with the head. It is taken from there, so that nobody keeps it longer than it takes to read."""
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._first = dict(reversed(self._headers))

    def get(self, name: bytes, default: str = "") -> str:
        """The value of a header, whose name is in lower case, as ASGI has it."""
        value = self._first.get(name)
        return default if value is None else value.decode("latin-1")

    def all(self, name: bytes) -> list[str]:
        """Every value of a header."""
        if len(self._first) == len(self._headers):  # None comes twice.
            value = self._first.get(name)
            return [] if value is None else [value.decode("latin-1")]
        return [value.decode("latin-1") for each, value in self._headers if each == name]
