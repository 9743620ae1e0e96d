"""Every error the gateway raises on purpose.

GatewayError
├── UserError                     the caller can put it right              -> userErrors, or errors[].extensions.code in a query
│   ├── NotFoundError  InvalidError  AlreadyExistsError  ConflictError  UnsupportedError  AmbiguousError
│   └── AccessDeniedError  NotAuthenticatedError  NoCollectionSelectedError  CursorExpiredError  PersistedQueryNotFoundError
├── CombinedUserError             several of them at once, each with its field
├── UpstreamError                 the external app is at fault             -> errors[].extensions.code; a refused write -> userErrors
│   ├── UpstreamAuthError         the customer must reconnect (401, or a connector rule)
│   ├── UpstreamRejectedError     it refused this request (403 and the other 4xx)
│   ├── UpstreamRateLimitError    retriable, after a time it told
│   ├── UpstreamUnavailableError  retriable
│   └── UpstreamResponseError     not what its documentation promises
├── LimitError                    it is too much: tokens, depth, cost, upstream calls, sockets ...
├── ConfigurationError            the operator must act; the process does not start
└── InternalError                 a defect of the gateway; its text never leaves the process
"""

import traceback
from collections.abc import Mapping, Sequence
from typing import ClassVar


class GatewayError(Exception):
    """An error with a code that a client may branch on and a message that says what to do.

    The message reaches clients: it never holds a secret, a stack trace or a host inside the network.
    """

    code: ClassVar[str]
    is_retriable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UserError(GatewayError):
    """The caller can put it right; `field` is the path of the offending input, such as `input`, `pointer`, `path`."""

    def __init__(self, message: str, *, field: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.field = list(field) if field is not None else None


class CombinedUserError(GatewayError):
    """Several things that the caller can put right, one for each field at fault; its code and message are made of theirs."""

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors = tuple(errors)
        self.code = errors[0].code  # type: ignore[misc]  # Of the class where there is one error, of the first where there are several.


class NotFoundError(UserError):
    """It does not exist, or not for this caller: the two answer alike."""

    code = "NOT_FOUND"


class InvalidError(UserError):
    """The input breaks a rule that the message names."""

    code = "INVALID"


class NotJsonError(InvalidError):
    """What was sent is no JSON at all."""


class AlreadyExistsError(UserError):
    """Something of that key exists already."""

    code = "ALREADY_EXISTS"


class ConflictError(UserError):
    """It changed since the caller read it: read again, then repeat."""

    code = "CONFLICT"


class GenerationChangedError(ConflictError):
    """What was seen belongs to a generation of an instance that is over: start again with its present one."""


class FencedError(ConflictError):
    """Another worker has taken the task over: whoever held it stops, and commits nothing more."""


class UnsupportedError(UserError):
    """The app or its connector cannot do this; the message says what it can."""

    code = "UNSUPPORTED"


class MethodNotAllowedError(UnsupportedError):
    """The request must come by another HTTP method, one of those `allowed`."""

    def __init__(self, message: str, *, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class NotAcceptableError(UnsupportedError):
    """There is no answer of a type that the client accepts."""


class StreamNeededError(UnsupportedError):
    """The operation has many answers, where there is room for one."""


class AmbiguousError(UserError):
    """The selector fits several; select by id."""

    code = "AMBIGUOUS"


class AccessDeniedError(UserError):
    """The caller is known and may not do this."""

    code = "ACCESS_DENIED"


class IntrospectionDisabledError(AccessDeniedError):
    """The operator lets nobody ask for the schema."""

    code = "INTROSPECTION_DISABLED"


class WebhookRefusedError(UserError):
    """A webhook that came in does not come from the app it claims to, or came too late."""

    code = "ACCESS_DENIED"


class NotAuthenticatedError(UserError):
    """The caller must present a valid token."""

    code = "NOT_AUTHENTICATED"


class NoCollectionSelectedError(UserError):
    """The data source points at no collection yet."""

    code = "NO_COLLECTION_SELECTED"


class CursorExpiredError(UserError):
    """The cursor is older than what is kept: start again from a fresh one."""

    code = "CURSOR_EXPIRED"


class PersistedQueryNotFoundError(UserError):
    """No document of that hash is known here: send the document with it."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class UpstreamError(GatewayError):
    """The external app is at fault."""


class UpstreamAuthError(UpstreamError):
    """The app no longer accepts the connection's credentials: the customer must reconnect."""

    code = "UPSTREAM_AUTH"


class UpstreamRejectedError(UpstreamError):
    """The app refused this request; `status` is its HTTP status, `fields` what it says of single fields, by their own names."""

    code = "UPSTREAM_REJECTED"

    def __init__(self, message: str, *, status: int | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fields = dict(fields or {})


class UpstreamRateLimitError(UpstreamError):
    """The app asks us to slow down; `retry_after_seconds` says for how long."""

    code = "UPSTREAM_RATE_LIMIT"
    is_retriable = True

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class UpstreamUnavailableError(UpstreamError):
    """The app cannot be reached or failed; `may_have_been_received` tells whether it could have acted on the request.

    `is_apps_fault` is false where the gateway itself could not send, which tells nothing of the app. `retry_after_seconds` is what
    the app asks for, as one under maintenance does; null where it does not.
    """

    code = "UPSTREAM_UNAVAILABLE"
    is_retriable = True

    def __init__(
        self, message: str, *, may_have_been_received: bool, is_apps_fault: bool = True, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.may_have_been_received = may_have_been_received
        self.is_apps_fault = is_apps_fault
        self.retry_after_seconds = retry_after_seconds


class UpstreamResponseError(UpstreamError):
    """The app's answer is not what its documentation promises, or is too large to read.

    `may_have_been_received` is false where it answered something that came before the request, such as a login.
    """

    code = "UPSTREAM_RESPONSE"

    def __init__(self, message: str, *, may_have_been_received: bool = True) -> None:
        super().__init__(message)
        self.may_have_been_received = may_have_been_received


class LimitError(GatewayError):
    """The operation asks too much."""


class UpstreamCallsExceededError(LimitError):
    """The operation needs more requests to the app than one operation may make."""

    code = "UPSTREAM_CALLS_EXCEEDED"


class OperationTimeoutError(LimitError):
    """The operation did not end within its time."""

    code = "TIMEOUT"


class BodyTooLargeError(LimitError):
    """The request body is larger than the gateway reads."""

    code = "BODY_TOO_LARGE"


class BatchTooLargeError(LimitError):
    """The request holds more operations than one request may."""

    code = "BATCH_TOO_LARGE"


class PageTooLargeError(LimitError):
    """A page was asked for that is longer than pages may be."""

    code = "PAGE_TOO_LARGE"


class TokensExceededError(LimitError):
    """The document has too many tokens."""

    code = "TOKENS_EXCEEDED"


class DepthExceededError(LimitError):
    """The document is nested too deeply."""

    code = "DEPTH_EXCEEDED"


class AliasesExceededError(LimitError):
    """The document has too many aliases."""

    code = "ALIASES_EXCEEDED"


class RootFieldsExceededError(LimitError):
    """The document has too many root fields."""

    code = "ROOT_FIELDS_EXCEEDED"


class DirectivesExceededError(LimitError):
    """The document has too many directives."""

    code = "DIRECTIVES_EXCEEDED"


class CostExceededError(LimitError):
    """The operation costs more than one may; `requested` and `maximum` are told where it was refused before it ran."""

    code = "COST_EXCEEDED"

    def __init__(self, message: str, *, requested: int | None = None, maximum: int | None = None) -> None:
        super().__init__(message)
        self.requested = requested
        self.maximum = maximum


class RateLimitedError(LimitError):
    """The caller sends too many requests; `retry_after_seconds` says for how long to wait, where that is known."""

    code = "RATE_LIMITED"
    is_retriable = True

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SocketsExceededError(LimitError):
    """The caller has as many sockets open as it may; who opens one more sees it closed with 4429."""

    code = "SOCKETS_EXCEEDED"
    is_retriable = True


class SubscriptionsExceededError(LimitError):
    """The caller has as many subscriptions open as it may."""

    code = "SUBSCRIPTIONS_EXCEEDED"
    is_retriable = True


class OperationsExceededError(LimitError):
    """The socket runs as many operations as it may."""

    code = "OPERATIONS_EXCEEDED"
    is_retriable = True


class ConfigurationError(GatewayError):
    """The operator must act; the message names the setting, or the file with its line and key."""

    code = "CONFIGURATION"


class InternalError(GatewayError):
    """A defect of the gateway. Clients see only a reference to the log."""

    code = "INTERNAL"


def trace_of(error: BaseException) -> str:
    """Where an error came from, as text for the log.

    A logger is given this and never the error itself: depending on how it is configured, a log shows the values of the
    variables on the way, and with them credentials.
    """
    return "".join(traceback.format_exception(error))
