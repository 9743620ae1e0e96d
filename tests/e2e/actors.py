"""Separate clients of real apps, who change records at random and write down what they did."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from tests.e2e.truth import Ledger, State


class App(Protocol):
    """An app as its own client sees it; a record's content is one number, which is never used twice."""

    async def create(self, number: int) -> str:
        """The id of a new record."""

    async def update(self, record: str, number: int) -> None:
        """Changes a record."""

    async def delete(self, record: str) -> None:
        """Deletes a record."""

    async def content(self) -> dict[str, State]:
        """The number of every record that it has."""

    def number_of(self, fields: dict[str, Any]) -> State:
        """The number that a record's fields tell."""


@dataclass
class Actor:
    """Changes records of an app at random, one after the other."""

    app: App
    ledger: Ledger
    random: random.Random
    counter: int = field(default=10_000)
    spares_new: bool = False
    """Whether it deletes none of the records that it has created itself."""
    _created: set[str] = field(default_factory=set)

    async def act(self, changes: int, *, pause: float) -> None:
        """So many changes, with random pauses of twice `pause` at most."""
        for _ in range(changes):
            await self._change()
            await asyncio.sleep(self.random.uniform(0, 2 * pause))

    async def _change(self) -> None:
        there = sorted(self.ledger.content())
        kind = self.random.choices(("create", "update", "delete"), weights=(3, 5, 2))[0] if there else "create"
        self.counter += 1
        if kind == "create":
            record = await self.app.create(self.counter)
            self._created.add(record)
            self.ledger.note(record, self.counter)
            return
        record = self.random.choice(there)
        if kind == "delete" and self.spares_new and record in self._created:
            kind = "update"
        if kind == "update":
            self.ledger.note(record, self.counter)
            await self.app.update(record, self.counter)
        else:
            self.ledger.note(record, None)
            await self.app.delete(record)


@dataclass
class KintoApp:
    """One collection of a Kinto."""

    http: httpx.AsyncClient
    path: str

    async def create(self, number: int) -> str:
        """The id of a new record."""
        return str((await self._send("POST", self.path, {"number": number}))["id"])

    async def update(self, record: str, number: int) -> None:
        """Changes a record."""
        await self._send("PATCH", f"{self.path}/{record}", {"number": number})

    async def delete(self, record: str) -> None:
        """Deletes a record."""
        await self._send("DELETE", f"{self.path}/{record}")

    async def content(self) -> dict[str, State]:
        """The number of every record that it has."""
        answer = await self.http.get(self.path, params={"_limit": 1000})
        next_page = answer.raise_for_status().headers.get("next-page")
        records = answer.json()["data"]
        while next_page:
            answer = await self.http.get(next_page)
            records += answer.raise_for_status().json()["data"]
            next_page = answer.headers.get("next-page")
        return {record["id"]: record["number"] for record in records}

    def number_of(self, fields: dict[str, Any]) -> State:
        """The number that a record's fields tell."""
        return fields["number"]

    async def _send(self, method: str, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.http.request(method, path, json={"data": data} if data is not None else None)
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found


@dataclass
class PocketBaseApp:
    """One collection of a PocketBase, of which `field` holds the number."""

    http: httpx.AsyncClient
    path: str

    async def create(self, number: int) -> str:
        """The id of a new record."""
        answer = await self.http.post(self.path, json={"number": number})
        return str(answer.raise_for_status().json()["id"])

    async def update(self, record: str, number: int) -> None:
        """Changes a record."""
        (await self.http.patch(f"{self.path}/{record}", json={"number": number})).raise_for_status()

    async def delete(self, record: str) -> None:
        """Deletes a record."""
        (await self.http.delete(f"{self.path}/{record}")).raise_for_status()

    async def content(self) -> dict[str, State]:
        """The number of every record that it has."""
        answer = await self.http.get(self.path, params={"perPage": 1000})
        return {record["id"]: record["number"] for record in answer.raise_for_status().json()["items"]}

    def number_of(self, fields: dict[str, Any]) -> State:
        """The number that a record's fields tell."""
        return fields["number"]


@dataclass
class DemoApp:
    """The tasks of the demo's work tracker; a title holds the number."""

    http: httpx.AsyncClient

    async def create(self, number: int) -> str:
        """The id of a new task."""
        answer = await self.http.post("/tasks", json={"projectId": 1, "title": f"Number {number}"})
        return str(answer.raise_for_status().json()["id"])

    async def update(self, record: str, number: int) -> None:
        """Changes a task."""
        (await self.http.patch(f"/tasks/{record}", json={"title": f"Number {number}"})).raise_for_status()

    async def delete(self, record: str) -> None:
        """Deletes a task."""
        (await self.http.delete(f"/tasks/{record}")).raise_for_status()

    async def content(self) -> dict[str, State]:
        """The title of every task that it has."""
        found: dict[str, State] = {}
        page = 1
        while True:
            answer = await self.http.get("/tasks", params={"page": page, "perPage": 100})
            items = answer.raise_for_status().json()["items"]
            if not items:
                return found
            found |= {str(item["id"]): self.number_of(item) for item in items}
            page += 1

    def number_of(self, fields: dict[str, Any]) -> State:
        """The number in a task's title; the whole title of those that the demo began with."""
        title = str(fields["title"])
        return int(title.removeprefix("Number ")) if title.startswith("Number ") else title
