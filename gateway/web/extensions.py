"""What our connections tell an application beyond what ASGI asks of them; it works without, in more steps."""

from collections.abc import Mapping
from typing import Any

__all__ = ["WHOLE_ANSWER", "WHOLE_REQUEST", "take_body"]

WHOLE_ANSWER = "gateway.whole_answer"
"""The message that starts an answer may hold its `body`, which is then the whole of it."""
WHOLE_REQUEST = "gateway.whole_request"
"""The rest of the request has come: it is `body` of what is told here, and whoever takes that out receives no more of it."""


def take_body(scope: Mapping[str, Any]) -> bytes | None:
    """The rest of the body of a request, where it has come and nobody has taken it."""
    told = scope.get("extensions", {}).pop(WHOLE_REQUEST, None)
    return None if told is None else told["body"]
