"""Requests, and what their answers mean."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from gateway.connectors.format.base import Condition, Key, Part, Value, one_of
from gateway.connectors.format.graphql_body import GraphqlBody
from gateway.connectors.format.scopes import ANSWER, names_read

MAX_PAGE_SIZE = 100_000
_PAGE_SIZE = 100


class Request(Part):
    """One HTTP request. Each `${...}` of a path is encoded as one segment; a list that it spells out, `[a, b]`, as several.

    Null query values and headers are left out.
    """

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """With `graphql` it is POST unless said otherwise."""
    path: Value
    path_keeps: str = Field(default="", pattern=r"^[,;:@!$&'()*+=]*$")
    """Signs that are not encoded in what `${...}` gives to the path: those by which the app tells the parts of a segment."""
    query: dict[str, Value] = {}
    headers: dict[str, Value] = {}
    body: Value | None = Field(default=None, alias="json")
    form: dict[str, Value] | None = None
    """A body of names and values as HTML forms send them; null values are left out, of a list each item is sent."""
    text: Value | None = None
    """A body of plain text, in UTF-8."""
    graphql: GraphqlBody | None = None
    read: bool | None = None
    """Whether it may be repeated safely; by default true for GET, HEAD and GraphQL queries only."""

    @cached_property
    def is_safe(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        if self.read is not None:
            return self.read
        return self.method in ("GET", "HEAD") or (self.graphql is not None and self.graphql.is_read)

    @cached_property
    def body_key(self) -> str | None:
        """The key under which its body stands; null where it has none."""
        return next((key for key, value in self._bodies.items() if value is not None), None)

    @property
    def _bodies(self) -> dict[str, object]:
        return {"json": self.body, "form": self.form, "text": self.text, "graphql": self.graphql}

    @model_validator(mode="before")
    @classmethod
    def _posts_graphql(cls, value: Any) -> Any:
        return {"method": "POST", **value} if isinstance(value, dict) and "graphql" in value else value

    @model_validator(mode="after")
    def _has_one_body(self) -> "Request":
        given = [key for key, value in self._bodies.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"a request has one body, not {' and '.join(given)}")
        return self


class Check(Part):
    """The request that proves that a connection works: by a 2xx answer, of JSON or empty, for which `when` holds if it is given."""

    request: Request
    when: Condition | None = None


class ErrorAction(StrEnum):
    """What an answer means to the gateway."""

    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    REAUTH = "reauth"
    REJECTED = "rejected"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    EMPTY = "empty"
    GONE = "gone"
    """The app no longer knows the token that it gave out for changes."""
    FAIL = "fail"


class When(Part):
    """Conditions on an answer; all that are given must hold."""

    status: tuple[int, ...] = ()
    header_present: str | None = None
    header: dict[str, str] = {}
    body: Condition | None = None
    """Names: `body`, `headers`, `status`."""

    @model_validator(mode="after")
    def _has_condition(self) -> "When":
        if not (self.status or self.header_present or self.header or self.body):
            raise ValueError("a rule needs a condition: status, header_present, header or body")
        return self


class Wait(Part):
    """How long to wait before the next try."""

    header: str | None = None
    """A header with seconds, an HTTP-date, epoch seconds or milliseconds, or RFC 3339; which one is seen by its value."""
    seconds: float | None = Field(default=None, ge=0, le=3600)


class ErrorRule(Part):
    """What to do when an answer fits; the first rule that fits wins, then the standard table."""

    when: When
    action: ErrorAction
    message: Value | None = None
    wait: Wait | None = None


class Backoff(Part):
    """Retries of safe requests, with full jitter."""

    max_attempts: int = Field(default=4, ge=1, le=10)
    base_seconds: float = Field(default=0.5, gt=0, le=60)
    max_seconds: float = Field(default=20, gt=0, le=300)


class RateLimit(Part):
    """How many requests the app takes from one connection in how many seconds, as each gateway counts them."""

    requests: int = Field(ge=1, le=1_000_000)
    seconds: float = Field(default=1, gt=0, le=86_400)


class Background(Part):
    """What is left to those who wait for an answer, while the gateway reads changes that nobody waits for."""

    concurrency: int | None = Field(default=None, ge=1, le=64)
    """How many requests of such reading are under way at once; by default half of all."""
    reserve: float = Field(default=0.2, ge=0, lt=1)
    """The part of what the app allows, by `rate_limit` or by its answers, which such reading leaves alone."""


class Http(Part):
    """How the app is reached."""

    base_url: Value
    allowed_hosts: tuple[str, ...] = ()
    """Hosts, beside the base URL's origin, that next links, redirects and credentials may go to; nothing goes elsewhere."""
    headers: dict[str, Value] = {}
    timeout_seconds: float | None = Field(default=None, gt=0, le=600)
    max_response_bytes: int | None = Field(default=None, ge=1024)
    concurrency: int = Field(default=4, ge=1, le=64)
    """Requests under way at once for one connection."""
    conditional: Literal["auto", "none"] = "auto"
    """Whether the app is asked to confirm an answer it gave a tag or a time, instead of sending it again."""
    rate_limit: RateLimit | None = None
    background: Background = Background()
    pauses: Literal["auto", "none"] = "auto"
    """Whether the app is left alone when an answer of success asks for it: by `Backoff`, or by telling that no requests are left."""
    retry: Backoff = Backoff()
    errors: tuple[ErrorRule, ...] = ()
    error_message: Value | None = None
    """Where the app's own error text stands in a refusal's `body`."""
    field_errors: Value | None = None
    """What a refusal's `body` says of single fields of a write: a list of `{field, message}`."""

    @cached_property
    def names_of_rules(self) -> tuple[str, ...]:
        """The names that the rules for answers read beside the answer."""
        return tuple(sorted(names_read((self.errors, self.error_message, self.field_errors)) - ANSWER.keys()))

    @property
    def background_concurrency(self) -> int:
        """How many requests are under way at once for which nobody waits."""
        return self.background.concurrency or max(self.concurrency // 2, 1)


Placement = Literal["query", "header", "body", "request"]
"""Where a request says which page it wants: in its query, a header or its body, or where its own values read it from `page`."""


class PageSize(Part):
    """How many items a page holds: as many as the caller wants, up to `max`, said in `name`; without `name` the app's own `default`."""

    name: str | None = None
    in_: Placement = Field(default="query", alias="in")
    """In a JSON body, dots in the name lead into objects; in a GraphQL body it names a variable."""
    default: int | None = Field(default=None, ge=1, le=MAX_PAGE_SIZE)
    max: int = Field(default=_PAGE_SIZE, ge=1, le=MAX_PAGE_SIZE)

    @cached_property
    def usual(self) -> int:
        """How many items the app gives when it is not told how many to give."""
        return self.default if self.default is not None else min(_PAGE_SIZE, self.max)

    @cached_property
    def is_told(self) -> bool:
        """Whether the app is told how many items to give."""
        return self.name is not None or self.in_ == "request"

    @model_validator(mode="after")
    def _default_fits(self) -> "PageSize":
        if self.usual > self.max:
            raise ValueError(f"the default of {self.default} is larger than the max of {self.max}")
        if self.name is None and self.in_ in ("header", "body"):
            raise ValueError(f"a size in the {self.in_} needs a `name` there")
        if self.name is not None and self.in_ == "request":
            raise ValueError("a size that the request reads from `page.size` has no `name`")
        return self


class Stop(StrEnum):
    """When the pages end."""

    SHORT_PAGE = "short_page"
    EMPTY_PAGE = "empty_page"


class _Pagination(Part):
    size: PageSize = PageSize()
    stop: Stop | None = None
    has_more: Condition | None = None
    """Holds while there are more pages; names: `body`, `headers`, `page`."""
    max_pages: int = Field(default=10_000, ge=1)


class NoPagination(_Pagination):
    """One answer holds everything."""

    type: Literal["none"]


class _Counted(_Pagination):
    in_: Placement = Field(default="query", alias="in")
    """As in `size`; `request` where the request reads `page.number`, `page.offset` or `page.token`."""


class PagePagination(_Counted):
    """Page numbers. Ends by `has_more`, else by `stop` (an empty page, unless said otherwise)."""

    type: Literal["page"]
    name: str = "page"
    start: int = Field(default=1, ge=0)


class OffsetPagination(_Counted):
    """The number of items to skip. Ends by `has_more`, else by `stop` (an empty page, unless said otherwise)."""

    type: Literal["offset"]
    name: str = "offset"
    start: int = Field(default=0, ge=0)


class CursorPagination(_Counted):
    """A token that the answer gives for the next page; ends when it gives none."""

    type: Literal["cursor"]
    name: str = "cursor"
    next: Value
    """Names: `body`, `headers`, `page`, `last` (the last item)."""


class NextUrlPagination(_Pagination):
    """The next page's address, in the body or a header (`headers.link.next` is the Link header's); ends when there is none."""

    type: Literal["next_url"]
    next: Value


def _tag(value: Any) -> str | None:
    tag = f"!{value.get('type')}" if isinstance(value, dict) else None
    return tag if tag in ("!none", "!page", "!offset", "!cursor", "!next_url") else None


def _tag_or_key(value: Any) -> str | None:
    return "!key" if isinstance(value, str) else "!pagination"


Pagination = Annotated[
    Annotated[NoPagination, Tag("!none")]
    | Annotated[PagePagination, Tag("!page")]
    | Annotated[OffsetPagination, Tag("!offset")]
    | Annotated[CursorPagination, Tag("!cursor")]
    | Annotated[NextUrlPagination, Tag("!next_url")],
    one_of(_tag, message="the type must be none, page, offset, cursor or next_url"),
]
PaginationRef = Annotated[
    Annotated[Key, Tag("!key")] | Annotated[Pagination, Tag("!pagination")],
    one_of(_tag_or_key, message="a pagination is a key of `pagination`, or a mapping with a `type`"),
]
"""A pagination, or the key of one under `pagination`."""
