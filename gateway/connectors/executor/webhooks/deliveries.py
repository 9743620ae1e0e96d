"""What a delivery says: a handshake, or hints of records that changed."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from gateway.connectors.executor.links import readable_headers
from gateway.connectors.executor.names import Names, holds, shared_names, told, with_defaults
from gateway.connectors.executor.record_values import read_id
from gateway.connectors.executor.records import RecordReader
from gateway.connectors.executor.requests import is_header_value
from gateway.connectors.executor.webhooks.verification import require_proof
from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.webhooks import Handshake, HandshakeAnswer, StandardWebhooksVerification, WebhookEvent, WebhookPart
from gateway.connectors.http import decode_json
from gateway.connectors.protocol import Access
from gateway.errors import InvalidError, UnsupportedError, UpstreamError, UpstreamResponseError, WebhookRefusedError
from gateway.expressions import Template
from gateway.models import (
    ChangeHint,
    ChangeType,
    JsonObject,
    JsonValue,
    Pointer,
    WebhookAnswer,
    WebhookDelivery,
    WebhookReading,
    WebhookTarget,
)

_FORM = "application/x-www-form-urlencoded"
_MOST_ITEMS = 10_000
_UNREADABLE = "The webhook cannot be read as its connector expects"


def webhook_of(file: ConnectorFile, pointer: Pointer) -> WebhookPart:
    """What the app sends of a collection. Raises UnsupportedError where that is nothing."""
    key = file.collections[pointer.key].webhook
    if key is None:
        raise UnsupportedError("The connector file names no webhook for this collection.")
    return file.webhooks[key]


def reader(file: ConnectorFile, pointer: Pointer, access: Access, target: WebhookTarget) -> "DeliveryReader":
    """What reads the deliveries of a collection to a target. Raises UnsupportedError where the app sends none."""
    collection = file.collections[pointer.key]
    shared = shared_names(file, access)
    return DeliveryReader(
        webhook_of(file, pointer),
        collection,
        names={**shared, "parameters": with_defaults(collection.parameters, pointer.parameters), "collection": pointer.key},
        secret_names={**shared, "webhook": {"secret": target.secret}, "credentials": dict(access.credentials)},
        url=target.url,
    )


class DeliveryReader:
    """Reads the deliveries of one webhook for one collection; `names` are those of its expressions beside the delivery's own."""

    def __init__(self, webhook: WebhookPart, collection: Collection, *, names: Names, secret_names: Names, url: str) -> None:
        self._webhook = webhook
        self._collection = collection
        self._names = names
        self._secret_names = secret_names
        self._url = url

    def read(self, delivery: WebhookDelivery) -> WebhookReading:
        """What the delivery says. Raises WebhookRefusedError and InvalidError; neither quotes anything of the delivery."""
        proof = self._proof_error(delivery)
        if proof is not None and all(handshake.is_verified for handshake in self._webhook.handshakes):
            # What anybody may have sent is not even read.
            raise proof
        try:
            seen: Names = {**self._names, **_names_of(delivery)}
            handshake = self._handshake(seen, is_proven=proof is None)
            if handshake is not None:
                return WebhookReading(answer=_answer(handshake.answer, seen))
            if proof is not None:
                raise proof
            return WebhookReading(dedupe_key=self._dedupe_key(delivery, seen), hints=tuple(self._hints(seen)))
        except UpstreamError as error:
            if proof is not None:
                # Nobody who proves nothing is told how deliveries are read.
                raise proof from None
            raise InvalidError(f"{_UNREADABLE}: {error.message}") from error

    def _proof_error(self, delivery: WebhookDelivery) -> WebhookRefusedError | None:
        try:
            secret = told(self._webhook.verify.known_secret, self._secret_names, what="The secret of the webhook")
            if not isinstance(secret, str) or not secret:
                return WebhookRefusedError("The secret that webhooks are verified with is not set in the connection. Set it there.")
            require_proof(self._webhook.verify, delivery, secret=secret, url=self._url)
        except UpstreamError:
            return WebhookRefusedError("The secret that webhooks are verified with cannot be told from the connection.")
        except WebhookRefusedError as error:
            return error
        return None

    def _handshake(self, seen: Names, *, is_proven: bool) -> Handshake | None:
        tried = (handshake for handshake in self._webhook.handshakes if is_proven or not handshake.is_verified)
        return next((handshake for handshake in tried if holds(handshake.when, seen, what="Whether it is a handshake")), None)

    def _dedupe_key(self, delivery: WebhookDelivery, seen: Names) -> str | None:
        verify = self._webhook.verify
        if self._webhook.dedupe is None:
            return delivery.headers.get(f"{verify.prefix}-id") if isinstance(verify, StandardWebhooksVerification) else None
        value = told(self._webhook.dedupe, seen, what="What is the same in a repetition")
        return None if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    def _hints(self, seen: Names) -> Iterator[ChangeHint]:
        if self._webhook.items is None:
            yield from self._hint(seen)
            return
        items = told(self._webhook.items, seen, what="What the delivery tells of")
        if not isinstance(items, list) or len(items) > _MOST_ITEMS:
            raise UpstreamResponseError(f"What it tells of is no list of at most {_MOST_ITEMS} items.")
        for item in items:
            yield from self._hint({**seen, "item": item})

    def _hint(self, seen: Names) -> Iterator[ChangeHint]:
        for event in self._webhook.events:
            if event.when is None or holds(event.when, seen, what="Which change it is"):
                yield self._told_by(event, seen)
                return

    def _told_by(self, event: WebhookEvent, seen: Names) -> ChangeHint:
        external_id = read_id(told(event.id, seen, what="The record's id"), event.id, what="The record")
        # Fields that take the types which the app describes can only be read where it can be asked for them.
        is_readable = self._collection.dynamic_fields is None or not self._collection.coerce
        raw = told(event.record, seen, what="The record") if event.record is not None and is_readable else None
        if raw is not None and self._is_gone(raw):
            return ChangeHint(type=ChangeType.DELETED, external_id=external_id)
        record = RecordReader(self._collection, names=self._names).read_one(raw) if raw is not None else None
        if record is not None and record.external_id != external_id:
            raise UpstreamResponseError("The record that it holds is not the one that it tells of.")
        return ChangeHint(type=ChangeType(event.type.upper()), external_id=external_id, record=record)

    def _is_gone(self, raw: JsonValue) -> bool:
        gone = self._collection.gone
        return gone is not None and holds(gone, {**self._names, "item": raw}, what="Whether the record is deleted")


def _names_of(delivery: WebhookDelivery) -> Names:
    headers: JsonObject = readable_headers(delivery.headers)
    return {"headers": headers, "query": dict(delivery.query), "body": _body(delivery.body, delivery.headers)}


def _body(body: bytes, headers: Mapping[str, str]) -> JsonValue:
    """The JSON or the form of a body; null for an empty one. Raises UpstreamResponseError for another."""
    if not body.strip():
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        try:
            return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_ITEMS))
        except ValueError:
            raise UpstreamResponseError("Its form has too many fields.") from None
    return decode_json(body)


def _answer(answer: HandshakeAnswer, seen: Names) -> WebhookAnswer:
    headers = {name.lower(): _header(name, value, seen) for name, value in answer.headers.items()}
    if answer.body is not None:
        content = json.dumps(told(answer.body, seen, what="The answer")).encode()
        return WebhookAnswer(status=answer.status, headers={"content-type": "application/json", **headers}, body=content)
    content = _text(answer.text, seen, what="The answer").encode("utf-8", "replace") if answer.text is not None else b""
    return WebhookAnswer(status=answer.status, headers={"content-type": "text/plain; charset=utf-8", **headers}, body=content)


def _header(name: str, template: Template, seen: Names) -> str:
    text = _text(template, seen, what=f"Header {name!r} of the answer")
    if not is_header_value(text):
        raise UpstreamResponseError(f"Header {name!r} of the answer would hold a line break or another character that no header carries.")
    return text


def _text(template: Template, seen: Names, *, what: str) -> str:
    value = told(template, seen, what=what)
    return value if isinstance(value, str) else json.dumps(value)
