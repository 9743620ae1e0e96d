"""Stock Strawberry as its documentation shows it: a list of typed objects, read with httpx. The address of the app, and a port."""

import sys

import httpx
import strawberry
import uvicorn
from strawberry.asgi import GraphQL

APP, PORT = sys.argv[1], int(sys.argv[2])
upstream = httpx.AsyncClient(base_url=APP, trust_env=False)


@strawberry.type
class Item:
    """A record."""

    id: int
    title: str
    state: str
    priority: str
    assignee: int
    labels: list[str]
    due: str
    note: str


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def items(self, page: int) -> list[Item]:
        """A page of records."""
        found = await upstream.get("/items", params={"page": page})
        return [Item(**item) for item in found.raise_for_status().json()["items"]]


if __name__ == "__main__":
    uvicorn.run(GraphQL(strawberry.Schema(Query)), host="127.0.0.1", port=PORT, log_level="error")
