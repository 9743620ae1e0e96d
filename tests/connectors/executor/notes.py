"""A connector of one collection, and short ways to read it."""

from typing import Any

from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.protocol import Access
from gateway.models import JsonObject, Page, PageRequest, Pointer, Record, RecordQuery
from gateway.models.queries import EVERYTHING

TOKEN = "token-4711-secret"


def notes_file(server: str, **parts: Any) -> JsonObject:
    """A connector of one collection, `notes`; each part stands in for the one of that name."""
    collection = {"name": "Notes", "fields": {"type": "object"}, "record": {"id": "${record.id}"}, **parts.pop("collection", {})}
    listing = {"request": {"path": "/notes"}, "records": "${body.items}", **parts.pop("listing", {})}
    return {
        "format": "connector/v1",
        "key": "notes",
        "name": "Notes",
        "version": "1.0.0",
        "connection": {"check": {"request": {"path": "/me"}}},
        "auth": {"token": {"type": "http", "scheme": "bearer", "token": "${credentials.token}"}},
        "http": {"base_url": server, **parts.pop("http", {})},
        "locations": [{"collection": "notes"}],
        "collections": {"notes": {"operations": {"list": listing}, **collection}},
        **parts,
    }


def access_with(**parts: Any) -> Access:
    return Access(**{"connection_id": "c1", "parameters": {}, "auth_method": "token", "credentials": {"token": TOKEN}, **parts})


async def read(
    connector: DeclarativeConnector, access: Access, *, size: int = 100, token: Any = None, pointer: Pointer | None = None
) -> Page[Record]:
    """A page of notes."""
    return await connector.records(access, pointer or Pointer("notes"), PageRequest(size=size, token=token))


async def read_all(
    connector: DeclarativeConnector, access: Access, *, size: int = 100, most: int = 20, query: RecordQuery = EVERYTHING
) -> list[list[str]]:
    """The ids of every page."""
    pages: list[list[str]] = []
    token = None
    while len(pages) < most:
        page = await connector.records(access, Pointer("notes"), PageRequest(size=size, token=token), query)
        pages.append([record.external_id for record in page.items])
        token = page.next_token
        if token is None:
            return pages
    raise AssertionError(f"the pages did not end: {pages}")


def items(*ids: Any) -> JsonObject:
    """A body with a note of each id."""
    return {"items": [{"id": number} for number in ids]}
