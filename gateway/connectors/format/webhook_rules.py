"""Rules for webhooks: that an app can be told, that it must prove itself, and that its deliveries can be read."""

from collections.abc import Iterator

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.exchanges import header_problems, is_header_name, request_problems
from gateway.connectors.format.requests import Request
from gateway.connectors.format.scopes import (
    ANSWER,
    ITEM,
    Scope,
    all_misuses,
    listed,
    misuses,
    paths_read,
    selector_problems,
)
from gateway.connectors.format.webhooks import HmacVerification, SharedTokenVerification, WebhookLife, WebhookPart
from gateway.documents import Place, Problem

_WEBHOOK: Scope = {"webhook": frozenset({"url", "secret"})}
_DELIVERY: Scope = {"body": None, "headers": None, "query": None}
_ANYTHING: Scope = {"parameters": None, "collection": frozenset[str]()}
"""A webhook may serve several collections: whose parameters it sees is known only when it is used."""


def webhook_problems(file: ConnectorFile, shared: Scope) -> Iterator[Problem]:
    """What is wrong with the webhooks of a file, and with what collections say of them."""
    used = {collection.webhook for collection in file.collections.values()}
    for key, collection in file.collections.items():
        if collection.webhook is not None and collection.webhook not in file.webhooks:
            yield ("collections", key, "webhook"), f"there is no webhook {collection.webhook!r}; there are {listed(file.webhooks)}"
    for key, webhook in file.webhooks.items():
        place: Place = ("webhooks", key)
        if key not in used:
            yield place, "no collection names this webhook; name it under `webhook` of a collection, or take it out"
        scope: Scope = {**shared, **_ANYTHING}
        yield from _life_problems(place, webhook, scope)
        yield from _verification_problems((*place, "verify"), webhook, shared)
        yield from _reading_problems(place, webhook, scope)


def _life_problems(place: Place, webhook: WebhookPart, scope: Scope) -> Iterator[Problem]:
    registration, told = webhook.register_, {**scope, **_WEBHOOK}
    if registration is None:
        for key, part in (("renew", webhook.renew), ("remove", webhook.remove)):
            if part is not None:
                yield (*place, key), "there is nothing to end or renew without `register`"
        return
    at = (*place, "register")
    yield from _asking_problems(at, registration, told)
    yield from selector_problems((*at, "secret"), registration.secret, {**told, **ANSWER})
    if ("webhook", "url") not in paths_read(registration.request):
        yield (*at, "request"), "the request does not say `webhook.url`, so that the app would not know where to send"
    if webhook.remove is None and not registration.ends:
        yield at, "the app would send for ever: say how to end it under `remove`, or that it ends (`expires_at`, `expires_in`)"
    later = {**told, "state": frozenset(registration.state)}
    if webhook.renew is not None:
        yield from _asking_problems((*place, "renew"), webhook.renew, later)
        if not registration.ends:
            yield (*place, "renew"), "nothing is renewed unless `register` says when it ends (`expires_at`, `expires_in`)"
    if webhook.remove is not None:
        yield from request_problems((*place, "remove", "request"), webhook.remove.request, later)
        yield from _effect_problems((*place, "remove", "request"), webhook.remove.request)


def _asking_problems(place: Place, life: WebhookLife, scope: Scope) -> Iterator[Problem]:
    yield from request_problems((*place, "request"), life.request, scope)
    yield from _effect_problems((*place, "request"), life.request)
    yield from all_misuses((*place, "state"), life.state, {**scope, **ANSWER})
    yield from selector_problems((*place, "expires_at"), life.expires_at, {**scope, **ANSWER})
    yield from misuses((*place, "expires_in"), life.expires_in, {**scope, **ANSWER})


def _effect_problems(place: Place, request: Request) -> Iterator[Problem]:
    if request.is_safe:
        yield place, f"this changes something, and is no {request.method} request and not `read`: those are repeated and shared"


def _verification_problems(place: Place, webhook: WebhookPart, shared: Scope) -> Iterator[Problem]:
    verify = webhook.verify
    yield from misuses((*place, "secret"), verify.secret, {**shared, "webhook": frozenset({"secret"}), "credentials": None})
    if verify.known_secret.is_constant:
        yield (*place, "secret"), "a file is no place for a secret; it is `webhook.secret`, or read from `credentials`"
    elif "webhook" in verify.known_secret.names and not _tells_secret(webhook):
        yield place, "nobody tells the app the secret: say `webhook.secret` in the request of `register`, or read it from `credentials`"
    header = getattr(verify, "header", None)
    if header is not None and not is_header_name(header):
        yield (*place, "header"), f"{header!r} is not the name of a header"
    if isinstance(verify, HmacVerification):
        yield from _signature_problems(place, verify)


def _tells_secret(webhook: WebhookPart) -> bool:
    """Whether the app comes to know the secret: it is told, has chosen it, or finds it in the address."""
    if isinstance(webhook.verify, SharedTokenVerification) and webhook.verify.query is not None:
        return True
    registration = webhook.register_
    return registration is not None and (registration.secret is not None or ("webhook", "secret") in paths_read(registration.request))


def _signature_problems(place: Place, verify: HmacVerification) -> Iterator[Problem]:
    for name in verify.placeholders:
        is_header = name.startswith("headers.") and is_header_name(name.removeprefix("headers."))
        if name not in ("body", "timestamp", "url") and not is_header:
            yield (*place, "signed"), f"{{{name}}} stands for nothing; there are {{body}}, {{timestamp}}, {{url}} and {{headers.<name>}}"
    if "body" not in verify.placeholders:
        yield (*place, "signed"), "a signature that does not cover {body} proves nothing of it"
    if (verify.timestamp is not None) != ("timestamp" in verify.placeholders):
        yield (
            (*place, "signed"),
            "say {timestamp} and where it stands, under `timestamp`, both or neither: one that is not signed is worth nothing",
        )
    header = verify.timestamp.header if verify.timestamp is not None else None
    if header is not None and not is_header_name(header):
        yield (*place, "timestamp", "header"), f"{header!r} is not the name of a header"


def _reading_problems(place: Place, webhook: WebhookPart, scope: Scope) -> Iterator[Problem]:
    seen: Scope = {**scope, **_DELIVERY}
    of_event: Scope = {**seen, **ITEM} if webhook.items is not None else seen
    yield from selector_problems((*place, "dedupe"), webhook.dedupe, seen)
    yield from selector_problems((*place, "items"), webhook.items, seen)
    for index, handshake in enumerate(webhook.handshakes):
        at = (*place, "handshakes", index)
        yield from misuses((*at, "when"), handshake.when, seen)
        yield from header_problems((*at, "answer", "headers"), handshake.answer.headers, seen)
        yield from misuses((*at, "answer", "json"), handshake.answer.body, seen)
        yield from misuses((*at, "answer", "text"), handshake.answer.text, seen)
    if not webhook.events:
        yield (*place, "events"), "without events the webhook says nothing; name at least one"
    for index, event in enumerate(webhook.events):
        at = (*place, "events", index)
        yield from misuses((*at, "when"), event.when, of_event)
        yield from selector_problems((*at, "record"), event.record, of_event)
        yield from misuses((*at, "id"), event.id, of_event)
        if event.id.names.isdisjoint({*_DELIVERY, *ITEM}):
            yield (*at, "id"), "the id must be read from the delivery, or all would tell of one record"
        if index + 1 < len(webhook.events) and event.when is None:
            yield at, "it fits everything, so that those after it never count; give it a `when`, or put it last"
