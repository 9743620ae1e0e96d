"""Who is compared, and what each is asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from load import PAGE
from records import FIELDS, MARK, RECORDS

Rows = list[list[Any]]
PROXIES = ("least", "raw")
"""The keys of those that speak no GraphQL."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A row of the table: a server, and the request that it is measured with."""

    key: str
    name: str
    server: str
    """Which of the servers answers it; several rows may share one."""
    request: str
    """The whole HTTP request."""
    rows: Callable[[Any], Rows] | None = None
    """The values of the records in an answer, in the order of `FIELDS`; null where it has none."""
    mark: str = MARK
    marks: int = len(RECORDS)
    asks_app: bool = True
    """Whether it needs the app."""
    is_same: bool = False
    """Whether all ask for the same page."""


def raw(key: str, name: str) -> Contender:
    """What passes on what the app says: the least that can be done."""
    request = f"GET /items?page={PAGE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    return Contender(key=key, name=name, server=key, request=request, rows=lambda answer: _values(answer["items"]))


def peer(key: str, name: str, *, inner: str = "") -> Contender:
    """One of the others, asked for all fields of the records; `inner` is the field that holds them, where the list is within an object."""
    fields = " ".join(FIELDS)
    selection = f"{inner} {{ {fields} }}" if inner else fields
    request = posted(f"query Items($page: Int!) {{ items(page: $page) {{ {selection} }} }}", page=PAGE)

    def rows(answer: Any) -> Rows:
        found = answer["data"]["items"]
        return _values(found[inner] if inner else found)

    return Contender(key=key, name=name, server=key, request=request, rows=rows)


def posted(query: str, *, token: str | None = None, **variables: object) -> str:
    """A GraphQL request as it goes over the wire. `PAGE` among the variables becomes a number."""
    body = json.dumps({"query": query, "variables": variables}).replace(f'"{PAGE}"', PAGE)
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        f"{authorization}Content-Length: {len(body)}\r\n\r\n{body}"
    )


def require_right(contender: Contender, answer: Any) -> None:
    """Ends the comparison unless an answer holds all values of all records, as text where it makes ids of numbers."""
    if contender.rows is None:
        if "errors" in answer:
            raise SystemExit(f"{contender.name} refuses what it is asked: {json.dumps(answer)[:2000]}")
        return
    try:
        found = contender.rows(answer)
    except (KeyError, TypeError):
        raise SystemExit(f"{contender.name} refuses what it is asked: {json.dumps(answer)[:2000]}") from None
    if [[str(value) for value in row] for row in found] != [[str(value) for value in row] for row in _values(RECORDS)]:
        raise SystemExit(f"{contender.name} gives other records than the app: {found[:2]}")


def _values(records: list[dict[str, Any]]) -> Rows:
    return [[record[name] for name in FIELDS] for record in records]
