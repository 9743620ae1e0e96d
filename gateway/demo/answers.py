"""How the demo's external app answers."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_HEADERS = {"Cache-Control": "private, no-cache"}


class InvalidFieldsError(HTTPException):
    """A write whose fields are not what they should be: what is wrong with each, by its name."""

    def __init__(self, message: str, *, fields: Mapping[str, str]) -> None:
        super().__init__(422, message)
        self.fields = dict(fields)


def answer(value: Any, *, status: int = 200, version: int | None = None) -> Response:
    """The value as JSON, with the tag that names this state of it: its version, else what it says."""
    content = orjson.dumps(value)
    tag = tag_of(version) if version is not None else f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Response(content, status, media_type="application/json", headers={**_HEADERS, "ETag": tag})


def read_answer(request: Request, value: Any, *, version: int | None = None) -> Response:
    """The same for a read: nothing but a 304 to whoever has this state already."""
    found = answer(value, version=version)
    known = _tags(request.headers.get("if-none-match", ""))
    if found.headers["etag"] in known or "*" in known:
        return Response(status_code=304, headers={**_HEADERS, "ETag": found.headers["etag"]})
    return found


def require_version(request: Request, version: int | None) -> None:
    """Refuses a write that is meant for another version than this; without one, nothing is promised."""
    wanted = request.headers.get("if-match")
    if wanted is None or version is None or not _tags(wanted).isdisjoint({"*", tag_of(version)}):
        return
    raise HTTPException(412, f"It has changed meanwhile: it is at revision {version}.")


def refusal(status: int, message: str, *, fields: Mapping[str, str] | None = None) -> Response:
    """A refusal with its reason, and what is wrong with single fields."""
    error: dict[str, Any] = {"message": message}
    if fields:
        error["fields"] = [{"field": name, "message": text} for name, text in fields.items()]
    # Names come from clients: half a character among them is no Unicode, which orjson refuses.
    return Response(json.dumps({"error": error}).encode(), status, media_type="application/json")


def tag_of(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
