"""How a collection's fields and a universal data model translate into each other."""

from typing import Annotated, Any

from pydantic import Field, Tag

from gateway.connectors.format.base import Part, Value, one_of
from gateway.models import JsonValue


class FieldMapping(Part):
    """One field of the model, and where it stands in the collection's own fields."""

    field: str | None = None
    """The app's field, read and written; dots lead into objects."""
    from_: Value | None = Field(default=None, alias="from")
    """What the field of the model is, where that is more than the app's field; names: `fields`, `value` (that of `field`)."""
    to: Value | None = None
    """What the app's field is, where that is more than the value; names: `value`, `unified` (the fields given beside it)."""
    values: dict[str, JsonValue] = {}
    """By the app's value, the value of the model; others are as they are. Written is the first that fits."""
    fields: "dict[str, AnyFieldMapping]" = {}
    """Of an object, without another key: its parts, whose fields are looked for in all of the app's fields."""
    each: "dict[str, AnyFieldMapping]" = {}
    """Of a list of objects: the parts of each item, whose fields are looked for in the item of `field`."""


def _tag(value: Any) -> str:
    return "!field" if isinstance(value, str) else "!mapping"


AnyFieldMapping = Annotated[
    Annotated[str, Tag("!field")] | Annotated[FieldMapping, Tag("!mapping")],
    one_of(_tag, message="a mapping of a field is the name of the app's field, or a mapping with `field`, `from` or `to`"),
]
"""A mapping, or the name of the app's field where that is all there is to say."""


class ModelMapping(Part):
    """How the records of a collection are read and written as a model; the model's `id` is the record's id."""

    fields: dict[str, AnyFieldMapping] = {}


FieldMapping.model_rebuild()
