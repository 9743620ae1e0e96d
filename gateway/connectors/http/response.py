"""An app's answer, read whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResponse:
    """What an app answered, whatever its status. Its `repr` shows nothing that could be secret."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Lower case names; a repeated header is joined by ", ", and broken UTF-8 is U+FFFD.

    Headers that speak of the transfer, not of the answer, are left out.
    """
    body: bytes = field(repr=False)
    """Decoded from its content coding; empty where the answer has none."""
