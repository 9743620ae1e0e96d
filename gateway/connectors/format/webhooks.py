"""How an app tells by itself what changed: where it is told to, how it proves itself, and what its deliveries say.

Every expression sees `parameters` and `collection`, the key of the collection that is followed, beside `connection` and `integration`.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from gateway.connectors.format.base import Condition, Part, Value, one_of
from gateway.connectors.format.requests import Request
from gateway.expressions import Template

_SECRET = Template.compile("${webhook.secret}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class WebhookLife(Part):
    """How the app is asked to send, and for how long it does."""

    request: Request
    """Sees `webhook`, with the `url` to send to and a `secret` to prove itself with."""
    state: dict[str, Value] = {}
    """What of the answer it takes to renew and remove the webhook; `state` there."""
    expires_at: Value | None = None
    """When the app stops, as a time or seconds since 1970."""
    expires_in: Value | None = None
    """After how many seconds it stops."""

    @model_validator(mode="after")
    def _has_one_end(self) -> "WebhookLife":
        if self.expires_at is not None and self.expires_in is not None:
            raise ValueError("say either `expires_at` or `expires_in`")
        return self

    @property
    def ends(self) -> bool:
        """Whether the app stops by itself."""
        return self.expires_at is not None or self.expires_in is not None


class Registration(WebhookLife):
    """Registers the webhook."""

    secret: Value | None = None
    """Where the answer tells the secret, in an app that chooses it itself."""


class Renewal(WebhookLife):
    """Makes the app go on; its request sees `state` too. What it does not say stays as it was."""


class Removal(Part):
    """Ends the webhook; the request sees `webhook` and `state`. A 404 or 410 means that the app has forgotten it already."""

    request: Request


class Timestamp(Part):
    """When the app sent a delivery, which it must have signed: older ones are refused, as anybody may have kept them."""

    header: str | None = None
    """By default the header of the signature."""
    part: str | None = None
    """Its name in a header of `name=value` parts."""
    unit: Literal["s", "ms"] = "s"
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400)


class _Verification(Part):
    secret: Value | None = None
    """What both know; names: `webhook`, `credentials`, `connection`, `integration`. By default `webhook.secret`."""

    @property
    def known_secret(self) -> Template:
        """What both know."""
        return self.secret if self.secret is not None else _SECRET


class HmacVerification(_Verification):
    """The app signs what it sends with the secret."""

    type: Literal["hmac"]
    header: str
    """The header that holds the signature."""
    part: str | None = None
    """The name of the signature in a header of parts such as `t=1,v1=ab`, where it may stand several times."""
    prefix: str = ""
    """What stands before it."""
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    signed: str = "{body}"
    """What is signed: text with `{body}`, `{timestamp}`, `{url}` and `{headers.<name>}`."""
    timestamp: Timestamp | None = None
    key: Literal["text", "hex", "base64"] = "text"
    """How the secret stands for the bytes of the key."""

    @property
    def placeholders(self) -> tuple[str, ...]:
        """What stands in braces in `signed`."""
        return tuple(_PLACEHOLDER.findall(self.signed))


class StandardWebhooksVerification(_Verification):
    """The app signs as Standard Webhooks says: by HMAC-SHA256, in headers that begin with `prefix`."""

    type: Literal["standard_webhooks"]
    prefix: Literal["webhook", "svix"] = "webhook"
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400)


class SharedTokenVerification(_Verification):
    """The app sends the secret along, in a header or in a parameter of the address."""

    type: Literal["shared_token"]
    header: str | None = None
    query: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.~-]{1,100}$")
    """The address that the app is given holds it then."""
    prefix: str = ""
    """What stands before it in the header, such as `Bearer ` with its space."""

    @model_validator(mode="after")
    def _has_one_place(self) -> "SharedTokenVerification":
        if (self.header is None) == (self.query is None):
            raise ValueError("a shared token stands in a `header` or in the `query`, one of them")
        return self


class BasicVerification(_Verification):
    """The app sends a user name, with the secret as its password."""

    type: Literal["basic"]
    username: str = "gateway"


def _tag(value: Any) -> str | None:
    tag = f"!{value.get('type')}" if isinstance(value, dict) else None
    return tag if tag in ("!hmac", "!standard_webhooks", "!shared_token", "!basic") else None


Verification = Annotated[
    Annotated[HmacVerification, Tag("!hmac")]
    | Annotated[StandardWebhooksVerification, Tag("!standard_webhooks")]
    | Annotated[SharedTokenVerification, Tag("!shared_token")]
    | Annotated[BasicVerification, Tag("!basic")],
    one_of(_tag, message="the type must be hmac, standard_webhooks, shared_token or basic"),
]


class HandshakeAnswer(Part):
    """What the app waits for; names: those of events."""

    status: int = Field(default=200, ge=200, le=299)
    headers: dict[str, Value] = {}
    body: Value | None = Field(default=None, alias="json")
    text: Value | None = None

    @model_validator(mode="after")
    def _has_one_body(self) -> "HandshakeAnswer":
        if self.body is not None and self.text is not None:
            raise ValueError("an answer has one body, `json` or `text`")
        return self


class Handshake(Part):
    """A delivery by which the app only tries whether somebody is there; the first that fits is answered."""

    when: Condition
    is_verified: bool = True
    """Whether the app proves itself in it as in every delivery."""
    answer: HandshakeAnswer = HandshakeAnswer()


class WebhookEvent(Part):
    """A change that a delivery may tell of; names: `body`, `headers`, `query`, and `item` where a delivery tells of several."""

    when: Condition | None = None
    type: Literal["created", "updated", "deleted"]
    id: Value
    """The record's id."""
    record: Value | None = None
    """The record, where the app sends it whole, as it stands in lists; where this is or gives null, it is read again by its id."""


class WebhookPart(Part):
    """What an app sends to an address that it is given."""

    register_: Registration | None = Field(default=None, alias="register")
    """Without it somebody tells the app of the address by hand."""
    renew: Renewal | None = None
    """By default an app that stops is told anew as it was at first."""
    remove: Removal | None = None
    verify: Verification
    dedupe: Value | None = None
    """What is the same in a delivery that is sent again."""
    handshakes: tuple[Handshake, ...] = ()
    items: Value | None = None
    """Selects a list of all that a delivery tells of; without it a delivery tells of one change."""
    events: tuple[WebhookEvent, ...]
    """Of each delivery, or of each of its items, the first that fits counts; where none does, it says nothing of the collection."""
