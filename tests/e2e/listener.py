"""Somebody who listens to an instance over a real WebSocket, is cut off again and again, and resumes from the last frame it read."""

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SUBSCRIBE = """subscription ($id: ID!, $after: String) { recordsChanged(dataSourceInstance: { id: $id }, after: $after) {
  cursor events { cursor type method externalId changedFields previousFields record { externalId fields } } } }"""


@dataclass
class Listener:
    """What one listener has received so far, over all its connections."""

    url: str
    token: str = field(repr=False)
    instance: str
    random: random.Random
    events: list[dict[str, Any]] = field(default_factory=list)
    """Every event that it received, in the order in which it came."""
    cursor: str | None = None
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first frame: the baseline stands."""
    connections: int = 0

    async def listen(self, *, seconds_connected: tuple[float, float]) -> None:
        """Listens until it is cancelled; each connection lasts for a random while, and ends politely or not."""
        while True:
            async with connect(self.url, subprotocols=["graphql-transport-ws"], proxy=None, max_size=None) as socket:  # type: ignore[list-item]
                self.connections += 1
                receiving = asyncio.create_task(self._receive(socket))
                try:
                    await asyncio.wait([receiving, asyncio.create_task(self._a_while(seconds_connected))], return_when="FIRST_COMPLETED")
                finally:
                    receiving.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await receiving
                if self.random.random() < 0.5:
                    socket.transport.abort()
            await asyncio.sleep(self.random.uniform(0, 0.3))

    async def _a_while(self, seconds: tuple[float, float]) -> None:
        await self.is_ready.wait()
        await asyncio.sleep(self.random.uniform(*seconds))

    async def _receive(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {self.token}"}}))
        variables = {"id": self.instance, "after": self.cursor}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIBE, "variables": variables}}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "ping":
                await socket.send(json.dumps({"type": "pong"}))
            elif message["type"] == "next":
                assert "errors" not in message["payload"], message
                batch = message["payload"]["data"]["recordsChanged"]
                self.events += batch["events"]
                self.cursor = batch["cursor"]
                self.is_ready.set()
            else:
                assert message["type"] == "connection_ack", message
