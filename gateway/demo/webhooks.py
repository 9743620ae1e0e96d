"""The webhooks of the demo's external app: signed, and some of them lost on purpose, as those of real apps are."""

import asyncio
import hashlib
import hmac
import itertools
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.demo import filters
from gateway.demo.answers import InvalidFieldsError, answer
from gateway.demo.endpoints import json_of
from gateway.demo.things import Project, Task, Thing, as_json, as_text

LOST_OF = 7
"""One delivery of so many is never sent."""
LIFE = timedelta(hours=1)
MOST_WEBHOOKS = 100
_MOST_WAITING = 1_000
_ATTEMPTS = 3
_SECONDS_BETWEEN_ATTEMPTS = 1.0
_TIMEOUT_SECONDS = 5.0
_GONE = (404, 410)
_COLLECTIONS = ("tasks", "projects", "users")
_ADDRESS = re.compile(r"https?://[^\s#]{1,1000}")


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Somebody who is told of changes."""

    id: int
    url: str = field(repr=False)
    secret: str = field(repr=False)
    collection: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    webhook_id: int
    content: bytes
    name: str


class Webhooks:
    """Tells whoever registered what changes in a collection; one delivery after the other."""

    def __init__(self, *, now: Callable[[], datetime], lost_of: int = LOST_OF) -> None:
        self._now = now
        self._lost_of = lost_of
        self._ids = itertools.count(1)
        self._webhooks: dict[int, Webhook] = {}
        self._waiting: asyncio.Queue[_Delivery] = asyncio.Queue(_MOST_WAITING)
        self._made = 0

    def routes(self) -> Sequence[Route]:
        """Where webhooks are registered, kept alive and removed."""
        return [
            Route("/webhooks", self._register, methods=["POST"]),
            Route("/webhooks/{id}/renew", self._renew, methods=["POST"]),
            Route("/webhooks/{id}", self._remove, methods=["DELETE"]),
        ]

    def tell(self, change: str, thing: Thing) -> None:
        """Sends the change, soon, to those who asked for it: `created`, `updated` or `deleted`."""
        collection = _collection_of(thing)
        # Of people, and of what is gone, only the id is told: who wants more has to ask.
        whole = as_json(thing) if change != "deleted" and collection != "users" else None
        for webhook in [webhook for webhook in self._webhooks.values() if webhook.collection == collection]:
            self._made += 1
            if webhook.expires_at <= self._now():
                del self._webhooks[webhook.id]
            elif self._made % self._lost_of:
                content = orjson.dumps({"type": change, "collection": collection, "id": thing.id, "thing": whole})
                with suppress(asyncio.QueueFull):
                    self._waiting.put_nowait(_Delivery(webhook_id=webhook.id, content=content, name=secrets.token_hex(16)))

    async def keep_sending(self) -> None:
        """Sends what waits, for ever."""
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
            while True:
                await self._send(client, await self._waiting.get())

    async def _send(self, client: httpx.AsyncClient, delivery: _Delivery) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            webhook = self._webhooks.get(delivery.webhook_id)
            if webhook is None:
                return
            with suppress(httpx.HTTPError):
                response = await client.post(webhook.url, content=delivery.content, headers=self._headers(webhook, delivery))
                if response.status_code in _GONE:
                    self._webhooks.pop(webhook.id, None)
                if response.is_success:
                    return
            if attempt < _ATTEMPTS:
                await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)

    def _headers(self, webhook: Webhook, delivery: _Delivery) -> dict[str, str]:
        timestamp = str(int(self._now().timestamp()))
        signature = hmac.new(webhook.secret.encode(), f"{timestamp}.".encode() + delivery.content, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "X-Demo-Delivery": delivery.name,
            "X-Demo-Timestamp": timestamp,
            "X-Demo-Signature": f"sha256={signature}",
        }

    async def _register(self, request: Request) -> Response:
        given = _checked(await json_of(request))
        if len(self._webhooks) >= MOST_WEBHOOKS:
            raise HTTPException(409, f"There are {MOST_WEBHOOKS} webhooks already, and no more can be made.")
        # The same address again is the same webhook.
        same = (known.id for known in self._webhooks.values() if (known.url, known.collection) == (given["url"], given["collection"]))
        webhook = Webhook(id=next(same, None) or next(self._ids), expires_at=self._now() + LIFE, **given)
        self._webhooks[webhook.id] = webhook
        return answer(_shown(webhook), status=201)

    async def _renew(self, request: Request) -> Response:
        webhook = replace(self._found(request), expires_at=self._now() + LIFE)
        self._webhooks[webhook.id] = webhook
        return answer(_shown(webhook))

    async def _remove(self, request: Request) -> Response:
        del self._webhooks[self._found(request).id]
        return Response(status_code=204)

    def _found(self, request: Request) -> Webhook:
        webhook = None
        with suppress(ValueError):
            webhook = self._webhooks.get(filters.number(request.path_params["id"]))
        if webhook is None:
            raise HTTPException(404, "There is no such webhook.")
        return webhook


def _checked(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise HTTPException(400, "A webhook is a JSON object.")
    fields = {name: given.get(name) for name in ("url", "secret", "collection")}
    problems = {
        "url": "must be an address that starts with http:// or https://." if not _is_text(fields["url"], _ADDRESS) else None,
        "secret": "must be 16 to 200 characters." if not _is_text(fields["secret"], re.compile(r"[!-~]{16,200}")) else None,
        "collection": f"must be one of {', '.join(_COLLECTIONS)}." if fields["collection"] not in _COLLECTIONS else None,
    }
    wrong = {name: problem for name, problem in problems.items() if problem is not None}
    if wrong:
        raise InvalidFieldsError("The webhook is not valid.", fields=wrong)
    return {name: str(value) for name, value in fields.items()}


def _is_text(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {"id": webhook.id, "collection": webhook.collection, "expiresAt": as_text(webhook.expires_at)}


def _collection_of(thing: Thing) -> str:
    return "tasks" if isinstance(thing, Task) else "projects" if isinstance(thing, Project) else "users"
