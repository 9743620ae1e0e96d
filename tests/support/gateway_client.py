"""A client of the whole gateway: HTTP requests to the application, with tokens that its own secret signed."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.runtime import Runtime
from gateway.web.app import create_app
from gateway.web.tokens import mint

_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What the gateway answered to one operation."""

    status: int
    text: str
    data: Any
    errors: Sequence[Mapping[str, Any]]

    @property
    def error(self) -> tuple[str, str, list[str | int]]:
        """Code, message and path of its only error."""
        (error,) = self.errors
        return error["extensions"]["code"], error["message"], error["path"]


@dataclass(frozen=True)
class GatewayClient:
    """One caller of a gateway, known by a token."""

    http: httpx.AsyncClient
    token: str
    heard: list[str] = field(default_factory=list)
    """Every answer to everybody, as it came."""

    async def ask(self, document: str, **variables: Any) -> Answer:
        """The answer to an operation, whatever it is."""
        headers = {"Authorization": f"Bearer {self.token}"}
        response = await self.http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        self.heard.append(f"{response.headers} {response.text}")
        # The standard library keeps integers of any size.
        body = json.loads(response.text)
        return Answer(response.status_code, response.text, body.get("data"), body.get("errors", []))

    async def listen(self, document: str, **variables: Any) -> Answer:
        """The answer to a subscription that ends by itself: its status, and the whole stream as text, whose last frame is read."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            response = await self.http.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
        self.heard.append(f"{response.headers} {response.text}")
        frames = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
        body = json.loads(frames[-1] if frames else response.text)
        return Answer(response.status_code, response.text, body.get("data"), body.get("errors", []))

    async def execute(self, document: str, **variables: Any) -> Any:
        """The data of an answer that has no errors."""
        answer = await self.ask(document, **variables)
        assert (answer.status, answer.errors) == (200, []), answer.text
        return answer.data

    async def mutate(self, document: str, **input: Any) -> Any:
        """The payload of a document's only mutation, which takes `$input` and refuses nothing."""
        (payload,) = (await self.execute(document, input=input)).values()
        assert payload["userErrors"] == [], payload
        return payload

    async def refusal(self, document: str, **input: Any) -> tuple[str, str, list[str] | None]:
        """Code, message and field of the only user error of a document's only mutation, which did nothing."""
        (payload,) = (await self.execute(document, input=input)).values()
        (error,) = payload.pop("userErrors")
        assert set(payload.values()) == {None}, payload
        return error["code"], error["message"], error["field"]


@dataclass(frozen=True)
class GatewayUnderTest:
    """A gateway that answers requests of any caller."""

    runtime: Runtime
    http: httpx.AsyncClient
    heard: list[str] = field(default_factory=list)

    @property
    def admin(self) -> GatewayClient:
        """An admin."""
        return self._caller(is_admin=True)

    def customer(self, external_id: str = "acme") -> GatewayClient:
        """A customer; the gateway gets to know it by its token."""
        return self._caller(customer_external_id=external_id)

    def _caller(self, **claims: Any) -> GatewayClient:
        token = mint(self.runtime.settings.token_secret, clock=self.runtime.clock, **claims)
        return GatewayClient(self.http, token, self.heard)


@asynccontextmanager
async def serving(runtime: Runtime) -> AsyncIterator[GatewayUnderTest]:
    """The gateway over a runtime, behind its front door."""
    transport = httpx.ASGITransport(create_app(runtime), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        yield GatewayUnderTest(runtime, http)
