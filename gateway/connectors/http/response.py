"""An app's answer, read whole."""

from collections.abc import Mapping

from msgspec import Struct


class AppResponse(Struct, frozen=True, kw_only=True):
    """What an app answered, whatever its status. Its `repr` shows nothing that could be secret."""

    status: int
    headers: Mapping[str, str]
    """Lower case names; a repeated header is joined by ", ", and broken UTF-8 is U+FFFD.

    Headers that speak of the transfer, not of the answer, are left out.
    """
    body: bytes
    """Decoded from its content coding; empty where the answer has none."""

    def __repr__(self) -> str:
        return f"AppResponse(status={self.status})"
