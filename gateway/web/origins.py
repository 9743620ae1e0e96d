"""Which pages may open a WebSocket: browsers do not ask before they let one through, as they do for requests."""

from collections.abc import Collection, Mapping

from strawberry.http.websocket_origin import is_same_origin, normalize_origin

__all__ = ["may_open_socket"]


def may_open_socket(headers: Mapping[str, str], *, allowed_origins: Collection[str]) -> bool:
    """Whether the handshake comes from a page of this host or of an allowed origin, or from no page at all."""
    origin = headers.get("origin")
    # Whoever is no browser sends none, and carries nothing along that a page could abuse.
    if origin is None or headers.get("sec-fetch-site") == "same-origin" or is_same_origin(origin, headers.get("host")):
        return True
    return "*" in allowed_origins or normalize_origin(origin) in allowed_origins
