"""Refusals: what the caller can put right, as data."""

import functools
from collections.abc import Awaitable, Callable
from enum import StrEnum
from inspect import getdoc
from typing import Any, Protocol, cast

import strawberry

from gateway import errors
from gateway.errors import CombinedUserError, GatewayError, UpstreamAuthError, UpstreamRejectedError, UserError
from gateway.graphql.context import Info
from gateway.graphql.enums import described

Payload = dict[str, object]
"""What a mutation gives back, by the Python names of its payload's fields; `refusals` adds `user_errors`."""
REFUSALS = (UserError, CombinedUserError, UpstreamAuthError, UpstreamRejectedError)
"""What the caller of a mutation can put right. Any other fault of the app says nothing of the input: it is a top-level error."""

_CLASS_BY_CODE: dict[str, type[GatewayError]] = {}
for _error in vars(errors).values():
    if isinstance(_error, type) and issubclass(_error, GatewayError) and hasattr(_error, "code"):
        # Where several classes have a code, the first one is what clients are told of it.
        _CLASS_BY_CODE.setdefault(_error.code, _error)


def _first_sentence(error: type[GatewayError]) -> str:
    return (getdoc(error) or "").split("\n")[0].split(";")[0].rstrip(".") + "."


ErrorCode: Any = described(
    # Made of the error classes, so that the two cannot differ.
    cast(type[StrEnum], StrEnum("ErrorCode", {code: code for code in _CLASS_BY_CODE})),
    "What went wrong, for programs; the same codes stand in `userErrors`, in `errors` of elements and in `errors[].extensions.code`.",
    {code: _first_sentence(error) for code, error in _CLASS_BY_CODE.items()},
)


@strawberry.type(name="UserError", description="Something that the caller can put right; where there is one, nothing has changed.")
class UserErrorType:
    """A refusal, as a payload shows it."""

    code: str = strawberry.field(description="What went wrong, for programs.", graphql_type=ErrorCode)
    message: str = strawberry.field(description="What went wrong and what to do about it, for people.")

    field: list[str] | None = strawberry.field(
        description="The path to the input at fault, beginning with `input`. Null when no single input is."
    )


@strawberry.type(description="What every mutation gives back.")
class PayloadType:
    """What every payload has; the class of a mutation's payload is made from it by `mutations.base`."""

    user_errors: list[UserErrorType] = strawberry.field(
        description="What the caller can put right; empty when the mutation was done. Where there are any, nothing has changed."
    )


class Values(Protocol):
    """The fields of a record in the input of a mutation, below `input.values`."""

    def path_of(self, name: str) -> list[str]:
        """Where the value of a field stands."""


def told(error: GatewayError, *, values: Values | None = None) -> list[Payload]:
    """A refusal as `userErrors` shows it: each thing that is wrong by itself, and what the app says of single fields after the whole."""
    if isinstance(error, CombinedUserError):
        return [_told(each.code, each.message, each.field) for each in error.errors]
    field = error.field if isinstance(error, UserError) else None
    whole = _told(error.code, error.message, field)
    if values is None or not isinstance(error, UpstreamRejectedError):
        return [whole]
    return [
        whole,
        *(_told(error.code, text, ["input", "values", *values.path_of(name)]) for name, text in error.fields.items()),
    ]


def _told(code: str, message: str, field: list[str] | None) -> Payload:
    return {"code": code, "message": message, "field": field}


def refusals(resolver: Callable[..., Awaitable[Payload]]) -> Callable[..., Awaitable[Payload]]:
    """Turns what the caller can put right into `user_errors`, and lets everything else pass.

    What was loaded before the mutation is forgotten: mutations of one request run one after the other, and each shows
    the state that it leaves.
    """

    @functools.wraps(resolver)
    async def refusing(self: object, info: Info, **arguments: Any) -> Payload:
        try:
            info.context.require_caller()
            payload = await resolver(self, info, **arguments)
        except REFUSALS as error:
            return {"user_errors": told(error, values=getattr(arguments["input"], "values", None))}
        finally:
            info.context.renew()
        return {"user_errors": [], **payload}

    return refusing
