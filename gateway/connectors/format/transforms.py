"""Changes to the shape of records, one after another, before anything else is read from them."""

from typing import Annotated, Any, Literal

from pydantic import Tag

from gateway.connectors.format.base import Part, Value, one_of

FieldPath = str
"""A field; dots lead into objects."""


class AddFields(Part):
    """Sets fields, in place of those that are there; names: `record`, as the transforms before left it."""

    add: dict[FieldPath, Value]


class RemoveFields(Part):
    """Takes fields out."""

    remove: tuple[FieldPath, ...]


class RenameFields(Part):
    """Gives fields another name, or place; what a record lacks is not renamed, and what stands at the new place goes."""

    rename: dict[FieldPath, FieldPath]


class FlattenFields(Part):
    """Puts the members of an object in place of it, at the top of the record; members that stand there already stay."""

    flatten: FieldPath
    prefix: str = ""
    """Goes before the names of the members."""


class LowerKeys(Part):
    """Writes all names of fields in lower case, at any depth."""

    lower_keys: Literal[True]


_KEYS = ("add", "remove", "rename", "flatten", "lower_keys")


def _tag(value: Any) -> str | None:
    given = [key for key in _KEYS if isinstance(value, dict) and key in value]
    return f"!{given[0]}" if len(given) == 1 else None


Transform = Annotated[
    Annotated[AddFields, Tag("!add")]
    | Annotated[RemoveFields, Tag("!remove")]
    | Annotated[RenameFields, Tag("!rename")]
    | Annotated[FlattenFields, Tag("!flatten")]
    | Annotated[LowerKeys, Tag("!lower_keys")],
    one_of(_tag, message=f"a transform has one of {', '.join(_KEYS)}"),
]
