"""Whether a delivery comes from the app: by its signature over the bytes that came in, or by a secret that it sends along."""

import base64
import binascii
import hashlib
import hmac
import math
import re
from collections.abc import Iterable
from datetime import datetime

from gateway.connectors.format.webhooks import (
    BasicVerification,
    HmacVerification,
    SharedTokenVerification,
    StandardWebhooksVerification,
    Verification,
)
from gateway.errors import WebhookRefusedError
from gateway.models import WebhookDelivery

_MILLISECONDS = 1000
_STANDARD_PREFIX = "whsec_"
_STANDARD_VERSION = "v1,"
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_MOST_SIGNATURES = 20
"""How many a header may hold: while a secret is replaced there are two."""
_FORGED = "The webhook does not prove that it comes from the app."


def require_proof(verify: Verification, delivery: WebhookDelivery, *, secret: str, url: str) -> None:
    """Returns when the delivery comes from whoever knows the secret, and was sent not long before it came in.

    Raises WebhookRefusedError, which never tells what would have been right.
    """
    match verify:
        case HmacVerification():
            _require_signature(verify, delivery, secret=secret, url=url)
        case StandardWebhooksVerification():
            _require_standard_signature(verify, delivery, secret=secret)
        case SharedTokenVerification():
            _require_token(verify, delivery, secret=secret)
        case BasicVerification():
            expected = base64.b64encode(f"{verify.username}:{secret}".encode("utf-8", "surrogatepass")).decode()
            _require_any_equal([_after(delivery.headers.get("authorization", ""), "Basic ")], expected)


def _require_signature(verify: HmacVerification, delivery: WebhookDelivery, *, secret: str, url: str) -> None:
    header = delivery.headers.get(verify.header.lower(), "")
    given = [_after(text, verify.prefix) for text in (_parts(header, verify.part) if verify.part is not None else [header])]
    timestamp = _timestamp(verify, delivery) if verify.timestamp is not None else ""
    values = {"body": delivery.body, "timestamp": timestamp.encode(), "url": url.encode()}
    content = b"".join(_signed(verify.signed, values, delivery))
    digest = hmac.new(_key(secret, verify.key), content, verify.algorithm).digest()
    if verify.encoding == "hex":
        _require_any_equal([text.lower() for text in given], digest.hex())
    else:
        _require_any_equal(given, base64.b64encode(digest).decode())


def _signed(template: str, values: dict[str, bytes], delivery: WebhookDelivery) -> Iterable[bytes]:
    """The bytes that are signed. What stands between braces comes at odd places of the split."""
    for index, text in enumerate(re.split(r"\{([^{}]*)\}", template)):
        if index % 2 == 0:
            yield text.encode()
        elif text in values:
            yield values[text]
        else:
            yield delivery.headers.get(text.removeprefix("headers.").lower(), "").encode("latin-1", "replace")


def _timestamp(verify: HmacVerification, delivery: WebhookDelivery) -> str:
    """When the app says that it sent the delivery, as it wrote it, which is part of what is signed."""
    stamp = verify.timestamp
    assert stamp is not None  # noqa: S101 - The caller has looked.
    header = delivery.headers.get((stamp.header or verify.header).lower(), "")
    text = next(iter(_parts(header, stamp.part)), "") if stamp.part is not None else header
    _require_recent(text, delivery.received_at, unit=stamp.unit, tolerance_seconds=stamp.tolerance_seconds)
    return text


def _require_standard_signature(verify: StandardWebhooksVerification, delivery: WebhookDelivery, *, secret: str) -> None:
    identity, timestamp, header = (delivery.headers.get(f"{verify.prefix}-{name}", "") for name in ("id", "timestamp", "signature"))
    if not identity:
        raise WebhookRefusedError(_FORGED)
    _require_recent(timestamp, delivery.received_at, unit="s", tolerance_seconds=verify.tolerance_seconds)
    content = b".".join((identity.encode("latin-1", "replace"), timestamp.encode(), delivery.body))
    digest = hmac.new(_key(secret.removeprefix(_STANDARD_PREFIX), "base64"), content, hashlib.sha256).digest()
    given = [text.removeprefix(_STANDARD_VERSION) for text in header.split(" ") if text.startswith(_STANDARD_VERSION)]
    _require_any_equal(given, base64.b64encode(digest).decode())


def _require_token(verify: SharedTokenVerification, delivery: WebhookDelivery, *, secret: str) -> None:
    if verify.header is not None:
        given = _after(delivery.headers.get(verify.header.lower(), ""), verify.prefix)
    else:
        given = delivery.query.get(verify.query or "", "")
    _require_any_equal([given], secret)


def _require_any_equal(given: list[str], expected: str) -> None:
    """All are compared, each in the same time, so that the time tells nothing of what is right."""
    right = expected.encode("utf-8", "surrogatepass")
    equal = [hmac.compare_digest(text.encode("utf-8", "surrogatepass"), right) for text in given[:_MOST_SIGNATURES]]
    if not any(equal):
        raise WebhookRefusedError(_FORGED)


def _require_recent(text: str, received_at: datetime, *, unit: str, tolerance_seconds: int) -> None:
    seconds = float(text) / (_MILLISECONDS if unit == "ms" else 1) if _NUMBER.fullmatch(text) else math.nan
    if not abs(received_at.timestamp() - seconds) <= tolerance_seconds:
        raise WebhookRefusedError(f"The webhook does not say that it was sent within {tolerance_seconds} seconds. Compare the clocks.")


def _parts(header: str, name: str) -> list[str]:
    """The values of the parts of that name, in `t=1,v1=ab,v1=cd`."""
    pairs = (pair.strip().partition("=") for pair in header.split(","))
    return [value for key, _, value in pairs if key == name]


def _after(text: str, prefix: str) -> str:
    """What follows the prefix; nothing where it does not stand there."""
    return text[len(prefix) :] if text.startswith(prefix) else ""


def _key(secret: str, kind: str) -> bytes:
    """The bytes of the key. Raises WebhookRefusedError where the secret holds none: everybody could sign with an empty key."""
    try:
        key = {"text": str.encode, "hex": bytes.fromhex, "base64": _from_base64}[kind](secret)
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        raise WebhookRefusedError("The secret of the webhook is not what its connector says. Unsubscribe, and subscribe anew.")
    return key


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
