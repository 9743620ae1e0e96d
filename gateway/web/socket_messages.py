"""The messages of `graphql-transport-ws`: what clients send, read strictly, and the codes that close a socket."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from gateway.errors import InvalidError
from gateway.models import JsonObject, JsonValue
from gateway.web.bodies import decode_json

__all__ = ["CloseCode", "SocketMessage", "close_reason", "message_from_frame"]

_MAX_REASON_BYTES = 123  # RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code.
_MAX_ID_CHARACTERS = 256  # An id comes back with every frame, and a socket keeps those of all that runs.
_WITH_ID = frozenset({"subscribe", "complete"})
_KINDS = _WITH_ID | {"connection_init", "ping", "pong"}
_MEMBERS: Mapping[str, type] = {"query": str, "operationName": str, "variables": dict, "extensions": dict}
_OTHER_DOCUMENTS = ("extensions", "documentId")
"""Members that may name a document in place of `query`."""


class CloseCode(IntEnum):
    """Why a socket is closed. Clients take 4400 and the like for a defect of their own, and connect again after 1013 and 4403."""

    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY = 4429
    DEFECT = 4500


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketMessage:
    """A message of a client's, of the protocol's shape; `id` is empty where the kind has none."""

    kind: str
    id: str
    payload: JsonObject | None


def message_from_frame(frame: Mapping[str, object]) -> SocketMessage:
    """The message in a frame. Raises InvalidError for what is no message of the protocol."""
    text = frame.get("text")
    if not isinstance(text, str):
        raise InvalidError("WebSocket message type must be text")
    value = decode_json(text)
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise InvalidError("A message must be a JSON object with a `type`.")
    kind = value["type"]
    if kind not in _KINDS:
        raise InvalidError(f"Clients send no messages of type `{kind}`.")
    payload = value.get("payload")
    if kind == "subscribe":
        _check_request(payload)
    elif kind != "complete" and not isinstance(payload, dict | None):
        raise InvalidError(f"The payload of `{kind}` must be an object.")
    return SocketMessage(kind=kind, id=_id(value) if kind in _WITH_ID else "", payload=payload if isinstance(payload, dict) else None)


def close_reason(text: str) -> str:
    """As much of the text as fits into a close."""
    return text.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


def _id(value: JsonObject) -> str:
    identity = value.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= _MAX_ID_CHARACTERS:
        raise InvalidError(f"A `{value['type']}` message needs an `id`, a string of 1 to {_MAX_ID_CHARACTERS} characters.")
    return identity


def _check_request(payload: JsonValue) -> None:
    if not isinstance(payload, dict):
        raise InvalidError("The payload of `subscribe` must be an object.")
    for name, kind in _MEMBERS.items():
        if not isinstance(payload.get(name), kind | None):
            raise InvalidError(f"`{name}` of the payload must be {'a string' if kind is str else 'an object'}.")
    if payload.get("query") is None and all(payload.get(name) is None for name in _OTHER_DOCUMENTS):
        raise InvalidError("The payload of `subscribe` needs a `query`.")
