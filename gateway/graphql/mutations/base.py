"""How mutations are declared."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry

from gateway.graphql.errors import Payload, PayloadType, refusals


def mutation(description: str, *, payload: type[PayloadType]) -> Callable[[Callable[..., Awaitable[Payload]]], Any]:
    """Makes a mutation of a method: its refusals are data, and its payload, named after it, has the fields of `payload`.

    The payload is nullable, so that a mutation that fails leaves its neighbours' results.
    """

    def decorate(resolver: Callable[..., Awaitable[Payload]]) -> Any:
        name = "".join(word.capitalize() for word in resolver.__name__.split("_"))
        members = {"__doc__": payload.__doc__, "__module__": payload.__module__}
        made = strawberry.type(type(f"{name}Payload", (payload,), members), description=f"What `{name[0].lower()}{name[1:]}` gives back.")
        field = strawberry.mutation(resolver=refusals(resolver), description=description, graphql_type=made | None)
        for argument in field.arguments:
            argument.description = "What the mutation takes."
        return field

    return decorate
