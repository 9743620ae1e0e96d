"""Whatever has an identity."""

from typing import Any

import strawberry

from gateway.graphql import ids
from gateway.graphql.fields import Look, field, looks_at


@strawberry.interface(description="Whatever has an identity of its own, and can be read again by its `id`.")
class Node:
    @field("The id among everything that this gateway knows; opaque, and the same for ever.", type=strawberry.ID)
    def id(self: ids.Row) -> str:
        return ids.global_id(self)

    @classmethod
    def resolve_type(cls, source: object, info: object, type_: object) -> str:
        return _type_name(source)

    @classmethod
    @looks_at(Look.CLASS)
    def is_type_of(cls, source: object, info: object) -> bool:
        return _type_name(source) == cls.__name__


def _type_name(source: Any) -> str:
    # Records are in plain tuples; the classes of rows have the names of their types.
    return ids.RECORD if isinstance(source, tuple) else type(source).__name__
