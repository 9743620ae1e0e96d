"""A relay before a real app, so that a test sees what the app is asked."""

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from gateway.testing import Answer, ReceivedRequest, ScriptedApp

_OF_THE_TRANSFER = {"content-length", "transfer-encoding", "connection", "content-encoding"}


@dataclass(frozen=True)
class Relayed:
    """What another server answers to a request."""

    client: httpx.AsyncClient
    request: ReceivedRequest

    async def write(self, reader: StreamReader, writer: StreamWriter, *, method: str) -> bool:
        """Asks the server, and writes what it answers."""
        headers = {name: value for name, value in self.request.headers.items() if name != "host"}
        answer = await self.client.request(method, self.request.target, headers=headers, content=self.request.body)
        kept = [(name, value) for name, value in answer.headers.multi_items() if name not in _OF_THE_TRANSFER]
        return await Answer(status=answer.status_code, headers=kept, body=answer.content).write(reader, writer, method=method)


@asynccontextmanager
async def relayed(server: str) -> AsyncIterator[ScriptedApp]:
    """An app that passes every request on to a server, until the block ends."""
    async with httpx.AsyncClient(base_url=server, trust_env=False) as client, ScriptedApp() as app:
        app.answer_with(lambda request: Relayed(client, request))
        yield app
