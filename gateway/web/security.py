"""What every answer tells a browser."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.refusals import SECURITY_HEADERS

__all__ = ["SecurityHeaders"]

_HEADERS = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in SECURITY_HEADERS.items()]


class SecurityHeaders:
    """Adds the headers that an answer does not state itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the application below, with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Names are in lower case here, as ASGI has them.
                stated = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *[header for header in _HEADERS if header[0] not in stated]]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
