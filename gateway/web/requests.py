"""GraphQL requests as they came over HTTP, checked before anything is executed."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache

from starlette.types import Receive
from strawberry.http import GraphQLRequestData

from gateway.errors import BatchTooLargeError, InvalidError, UnsupportedError
from gateway.models import JsonValue
from gateway.web.bodies import decode_json, read_body, too_large
from gateway.web.heads import Head
from gateway.web.persisted import PersistedDocuments

__all__ = ["checked_batch", "request_from_value", "value_from_body", "value_from_query"]

_MOST_CHARACTERS = 200
"""Of a `Content-Type` that are read."""
_PREFLIGHT_HEADERS = (b"graphql-require-preflight", b"apollo-require-preflight", b"x-apollo-operation-name")
"""Browsers ask first before a foreign page sends one of these; a form sends none of them."""
_MEMBERS = (
    ("query", str, "a string"),
    ("operationName", str, "a string or null"),
    ("variables", dict, "an object or null"),
    ("extensions", dict, "an object or null"),
)
"""Of a request: what each is, where it is not null, and how that is said."""


async def value_from_body(head: Head, receive: Receive, *, max_bytes: int) -> JsonValue:
    """The JSON in a POST body: a request, or a list of them.

    Raises UnsupportedError for a body that is not plain JSON in UTF-8, or that a foreign page could have sent unasked,
    BodyTooLargeError, and NotJsonError.
    """
    _refuse_foreign_type(head)
    body = head.whole_body
    if body is None:
        body = await read_body(receive, announced=head.get(b"content-length"), max_bytes=max_bytes)
    elif len(body) > max_bytes:
        raise too_large(max_bytes)
    return decode_json(body)


def value_from_query(parameters: Mapping[str, str]) -> JsonValue:
    """The request in a GET address, whose variables and extensions are JSON inside it."""
    value: dict[str, JsonValue] = {name: parameters.get(name) for name in ("query", "operationName", "documentId")}
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        value[name] = decode_json(text) if text else None
    return value


def request_from_value(value: JsonValue, persisted: PersistedDocuments) -> GraphQLRequestData:
    """The request that a JSON value holds, with its document.

    Raises InvalidError that names the member which has the wrong type, and what finding the document raises.
    """
    if not isinstance(value, dict):
        raise InvalidError("The request must be a JSON object with a `query`.")
    for name, kind, wording in _MEMBERS:
        if (member := value.get(name)) is not None and not isinstance(member, kind):
            raise InvalidError(f"`{name}` of the request must be {wording}.")
    return GraphQLRequestData(
        query=persisted.resolved(value),
        variables=value.get("variables"),
        # An empty name is how some clients say that they have none.
        operation_name=value.get("operationName") or None,
        extensions=value.get("extensions"),
    )


def checked_batch(values: list[JsonValue], *, maximum: int) -> list[JsonValue]:
    """The requests of a list, if there are some, and not too many. Raises InvalidError and BatchTooLargeError."""
    if maximum == 1:
        raise BatchTooLargeError("Lists of operations are not answered here. Send one operation in a JSON object.")
    if not values:
        raise InvalidError("The list of operations is empty. Send at least one.")
    if len(values) > maximum:
        raise BatchTooLargeError(f"The request has {len(values)} operations, more than {maximum}. Send them in several requests.")
    return values


def _refuse_foreign_type(head: Head) -> None:
    kind, charset = _content_type(head.get(b"content-type")[:_MOST_CHARACTERS])
    # Other types than JSON any web page could post without asking first, so they take a header that it could not.
    is_ours = kind == "application/json" or (kind == "text/plain" and any(head.get(name) for name in _PREFLIGHT_HEADERS))
    if not is_ours or charset not in ("utf-8", "utf8"):
        raise UnsupportedError(
            "Send the request as `Content-Type: application/json`, in UTF-8. As `text/plain` it takes a header `GraphQL-Require-Preflight`."
        )
    if head.get(b"content-encoding", "identity").lower() != "identity":
        raise UnsupportedError("Compressed requests are not read. Send the body as it is.")


@lru_cache(maxsize=64)
def _content_type(header: str) -> tuple[str | None, str]:
    """The media type and the encoding that a header names; no type where there is none."""
    parsed = Message()
    parsed["content-type"] = header
    return parsed.get_content_type() if header else None, parsed.get_content_charset("utf-8")
