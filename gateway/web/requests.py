"""A GraphQL request as it came over HTTP, checked before anything is executed."""

from collections.abc import Mapping
from email.message import Message

from starlette.requests import Request
from strawberry.http import GraphQLRequestData

from gateway.errors import InvalidError, UnsupportedError
from gateway.models import JsonValue
from gateway.web.bodies import decode_json, read_body

__all__ = ["request_from_body", "request_from_query", "request_from_value"]


async def request_from_body(request: Request, *, max_bytes: int) -> GraphQLRequestData:
    """The request in a POST body.

    Raises UnsupportedError for a body that is not plain JSON in UTF-8, BodyTooLargeError, and InvalidError for odd JSON.
    """
    _refuse_foreign_type(request.headers)
    return request_from_value(decode_json(await read_body(request, max_bytes=max_bytes)))


def request_from_query(parameters: Mapping[str, str]) -> GraphQLRequestData:
    """The request in a GET address, whose variables and extensions are JSON inside it."""
    value: dict[str, JsonValue] = {name: parameters.get(name) for name in ("query", "operationName")}
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        value[name] = decode_json(text) if text else None
    return request_from_value(value)


def request_from_value(value: JsonValue) -> GraphQLRequestData:
    """The request that a JSON value holds. Raises InvalidError that names the member which has the wrong type."""
    if isinstance(value, list):
        raise InvalidError("Batches are not supported. Send one operation in a JSON object.")
    if not isinstance(value, dict):
        raise InvalidError("The request must be a JSON object with a `query`.")
    for name, kind, wording in (
        ("query", str, "a string"),
        ("operationName", str, "a string or null"),
        ("variables", dict, "an object or null"),
        ("extensions", dict, "an object or null"),
    ):
        if not isinstance(value.get(name), kind | None):
            raise InvalidError(f"`{name}` of the request must be {wording}.")
    if not value.get("query"):
        raise InvalidError("The request has no `query`. Send a GraphQL document in it.")
    return GraphQLRequestData(
        query=value["query"],
        variables=value.get("variables"),
        # An empty name is how some clients say that they have none.
        operation_name=value.get("operationName") or None,
        extensions=value.get("extensions"),
    )


def _refuse_foreign_type(headers: Mapping[str, str]) -> None:
    parsed = Message()
    parsed["content-type"] = headers.get("content-type", "")
    charset = parsed.get_content_charset("utf-8")
    # A form's type would let any web page post operations without asking first, so only JSON will do.
    if parsed.get_content_type() != "application/json" or charset not in ("utf-8", "utf8"):
        raise UnsupportedError("Send the request as `Content-Type: application/json`, in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedError("Compressed requests are not read. Send the body as it is.")
