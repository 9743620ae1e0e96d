"""What a webhook's row keeps sealed: the token of its address, the secret that the app proves itself with, and what the app said."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from urllib.parse import quote

from gateway.models import JsonObject, Pointer, Webhook, WebhookTarget
from gateway.storage.encryption import Cipher

SECRETS = "webhook.secrets"
"""The column that they are sealed for."""
DELIVERY = "webhook_inbox.delivery"
"""The column that deliveries are sealed for."""
_RANDOM_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class WebhookSecrets:
    """All that is secret of a webhook, with what belongs to it. Its `repr` shows none of it."""

    pointer: JsonObject
    """The collection that it tells of."""
    public_url: str
    """Where the gateway was when the app was told."""
    app: str
    """Stands for the app that was told: another one knows nothing of the webhook."""
    is_by_hand: bool = False
    """Whether somebody tells the app of the address by hand."""
    secret_parameter: str | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_RANDOM_BYTES), repr=False)
    # In hexadecimal it can be part of an address, and it is base64 as well, as Standard Webhooks wants it.
    secret: str = field(default_factory=lambda: secrets.token_hex(_RANDOM_BYTES), repr=False)
    state: JsonObject = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, cipher: Cipher, webhook: Webhook) -> "WebhookSecrets":
        """Those of a row."""
        return cls(**cipher.open_json(webhook.secrets, row=webhook.id, column=SECRETS))

    def sealed_for(self, cipher: Cipher, webhook: Webhook) -> bytes:
        """What the row keeps."""
        return cipher.encrypt(json.dumps(asdict(self)).encode(), row=webhook.id, column=SECRETS)

    @property
    def collection(self) -> Pointer:
        """The collection that it tells of."""
        return Pointer.from_json(self.pointer)

    @property
    def target(self) -> WebhookTarget:
        """Where the app sends to, and how it proves itself."""
        query = f"?{quote(self.secret_parameter, safe='')}={quote(self.secret, safe='')}" if self.secret_parameter is not None else ""
        return WebhookTarget(url=f"{self.public_url}/webhooks/{self.token}{query}", secret=self.secret)


def hash_of(token: str) -> bytes:
    """What is stored of a token to find its webhook by: nobody can send who only reads the database."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
