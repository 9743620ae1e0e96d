"""Request bodies: read up to a size, for a time, and decoded without losing a digit."""

import json

import msgspec
import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from gateway.clock import Deadline
from gateway.connectors.http import json_bodies
from gateway.errors import BodyTooLargeError, NotJsonError, OperationTimeoutError
from gateway.models import JsonValue
from gateway.models.answer_objects import AnswerObject, members_of

__all__ = ["decode_json", "encode_json", "read_body", "too_large"]

_MAX_SECONDS = 30  # A megabyte on the slowest mobile link; longer is somebody who holds connections open.


async def read_body(receive: Receive, *, announced: str, max_bytes: int) -> bytes:
    """The whole body. Nothing past the limit is kept, whatever Content-Length, which is `announced`, said.

    Raises BodyTooLargeError as soon as the limit is passed, and OperationTimeoutError when the body does not end.
    """
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise too_large(max_bytes)
    try:
        with Deadline(_MAX_SECONDS):
            return await _read(receive, max_bytes)
    except TimeoutError:
        raise OperationTimeoutError(f"The request body did not end within {_MAX_SECONDS} seconds.") from None


async def _read(receive: Receive, max_bytes: int) -> bytes:
    # Not by the request's own `stream`, which has three turns for a body that came in one piece.
    body, is_more = bytearray(), True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > max_bytes:
            raise too_large(max_bytes)
        body += chunk
        is_more = message.get("more_body", False)
    return bytes(body)


def too_large(max_bytes: int) -> BodyTooLargeError:
    """What a larger body is refused with."""
    return BodyTooLargeError(f"The request body is larger than {max_bytes} bytes. Send less, or ask the operator for more.")


def decode_json(data: str | bytes) -> JsonValue:
    """The value, with integers exact up to 308 digits.

    Raises NotJsonError for what is no JSON; NaN, larger numbers and nesting of hundreds of levels are among it.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    try:
        value = orjson.loads(raw)
        # 64 bits may not hold it, and orjson would make a float of it.
        return json.loads(raw) if json_bodies.shows_long_number(raw) else value
    except (ValueError, RecursionError):
        # The standard library reads a little less deeply than orjson, the less the deeper it is called.
        raise NotJsonError("The request is not valid JSON.") from None


def encode_json(value: JsonValue) -> bytes:
    """The value as JSON in UTF-8, with integers of any size exact, and with parts that nobody read as they came."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):
        # It knows neither half a surrogate pair nor classes below those of texts and numbers.
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_whole).encode()


def _whole(value: object) -> JsonValue:
    if isinstance(value, AnswerObject):
        return members_of(value)
    if isinstance(value, msgspec.Raw):
        return json_bodies.decode_json(bytes(value))
    raise TypeError(f"A {type(value).__name__} is no JSON.")
