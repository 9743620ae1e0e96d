"""Documents of a schema, within the limits that a gateway has by default."""

from typing import Any

from strawberry import Schema

from gateway.config import LimitSettings
from gateway.graphql.documents import Documents


def documents_of(schema: Schema, **changed: Any) -> Documents:
    """The documents of a schema; what is given are settings, such as `max_depth=3`."""
    return Documents(schema, limits=LimitSettings(**changed))
