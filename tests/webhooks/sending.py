"""The changing app, which also sends webhooks: a connector in Python that takes them as the app sends them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
from sqlmodel import select

from gateway.connectors.protocol import Access
from gateway.errors import GatewayError, InvalidError, WebhookRefusedError
from gateway.models import (
    ChangeHint,
    ChangeType,
    ConnectorSpec,
    JsonObject,
    Pointer,
    Record,
    SyncSupport,
    Webhook,
    WebhookAnswer,
    WebhookDelivery,
    WebhookInbox,
    WebhookReading,
    WebhookRegistration,
    WebhookSupport,
    WebhookTarget,
)
from gateway.models.principal import SYSTEM
from tests.support.changing_app import ChangingConnector
from tests.sync.world import World

PUBLIC_URL = "https://gateway.example.com/base"
WEBHOOK = WebhookSupport(key="changes", types=frozenset(ChangeType))
SENDS = SyncSupport(has_delta=True, sees_deletions=True, webhook=WEBHOOK)


@dataclass
class SendingConnector(ChangingConnector):
    """Notes what the app was told, and reads `{"hints": [{"type", "id", "fields", "at"}], "key", "challenge"}`."""

    targets: dict[int, WebhookTarget] = field(default_factory=dict)
    """Whom the app sends to, by the id of the webhook there."""
    told: list[str] = field(default_factory=list)
    refusal: GatewayError | None = None
    expires_at: datetime | None = None
    chosen_secret: str | None = None

    @property
    def spec(self) -> ConnectorSpec:
        servers = {"type": "object", "additionalProperties": False, "properties": {"server": {"type": "string"}}}
        return replace(super().spec, connection_schema=servers)

    async def register_webhook(self, access: Access, collection: Pointer, target: WebhookTarget) -> WebhookRegistration:
        self._tell(f"register {collection.path}")
        number = len(self.told)
        self.targets[number] = target
        return WebhookRegistration(state={"id": number}, expires_at=self.expires_at, secret=self.chosen_secret)

    async def renew_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> WebhookRegistration:
        self._tell(f"renew {state['id']}")
        return WebhookRegistration(state=state, expires_at=self.expires_at)

    async def remove_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, state: JsonObject) -> None:
        self._tell(f"remove {state['id']}")
        self.targets.pop(state["id"], None)

    def read_webhook(self, access: Access, collection: Pointer, target: WebhookTarget, delivery: WebhookDelivery) -> WebhookReading:
        if delivery.headers.get("x-secret") != target.secret:
            raise WebhookRefusedError("The webhook does not prove that it comes from the app.")
        try:
            body = json.loads(delivery.body)
            hints = tuple(_hint(told) for told in body.get("hints", []))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise InvalidError("The webhook cannot be read.") from None
        answer = WebhookAnswer(headers={"x-echo": "1"}, body=body["challenge"].encode()) if "challenge" in body else None
        return WebhookReading(answer=answer, dedupe_key=body.get("key"), hints=hints)

    def _tell(self, told: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.told.append(told)


def _hint(told: dict[str, Any]) -> ChangeHint:
    updated_at = datetime.fromisoformat(told["at"]) if "at" in told else None
    record = Record(external_id=told["id"], fields=told["fields"], updated_at=updated_at) if "fields" in told else None
    return ChangeHint(type=ChangeType(told["type"]), external_id=told["id"], record=record)


@dataclass
class Sender:
    """The app as it sends: to the address that it was told last, through the gateway's web."""

    world: World
    connector: SendingConnector
    http: httpx.AsyncClient

    @property
    def target(self) -> WebhookTarget:
        """Where it sends to."""
        return list(self.connector.targets.values())[-1]

    async def post(self, content: bytes, *, target: WebhookTarget | None = None, **headers: str) -> httpx.Response:
        """The answer to a delivery of exactly these bytes."""
        target = target or self.target
        sent = {"x-secret": target.secret, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.http.post(target.url.removeprefix(PUBLIC_URL), content=content, headers=sent)

    async def send(self, *hints: dict[str, Any], target: WebhookTarget | None = None, **more: Any) -> httpx.Response:
        """The answer to a delivery that tells of these changes."""
        return await self.post(json.dumps({"hints": hints, **more}).encode(), target=target)

    def whole(self, change: str, record_id: str) -> dict[str, Any]:
        """A hint that holds the record as the app has it now."""
        item = self.world.app.items[record_id]
        return {"type": change, "id": record_id, "fields": item.fields, "at": item.at.isoformat()}

    async def inbox(self) -> Sequence[WebhookInbox]:
        """What came in and is known, the oldest first."""
        async with self.world.runtime.database.read(SYSTEM) as session:
            return (await session.exec(select(WebhookInbox).order_by(WebhookInbox.id))).all()

    async def webhooks(self) -> Sequence[Webhook]:
        """What the gateway knows of webhooks."""
        async with self.world.runtime.database.read(SYSTEM) as session:
            return (await session.exec(select(Webhook).order_by(Webhook.id))).all()


def thin(change: str, record_id: str) -> dict[str, Any]:
    """A hint without the record."""
    return {"type": change, "id": record_id}
