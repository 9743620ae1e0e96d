"""What our connections tell an application beyond what ASGI asks of them; it works without, in more steps."""

from starlette.types import Scope

__all__ = ["WHOLE_ANSWER", "WHOLE_REQUEST", "is_offered"]

WHOLE_ANSWER = "gateway.whole_answer"
"""The message that starts an answer may hold its `body`, which is then the whole of it."""
WHOLE_REQUEST = "gateway.whole_request"
"""The body of the request has come, all of it: to receive it is not to wait."""


def is_offered(extension: str, scope: Scope) -> bool:
    """Whether the server of a request tells that."""
    return extension in scope.get("extensions", ())
