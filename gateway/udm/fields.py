"""The short notation of fields in the catalog's files, and the JSON Schema that it stands for.

`string`, `number`, `integer`, `boolean`   a value of that type
`time`, `date`                  a date with or without its time, in RFC 3339
`anything`                      a value of any type
`-> users`                      the external id of a record of that model; the record itself is the field's sibling
`-> users as author`            the same, where the name of the sibling does not follow from that of the field
`open | won`                    one of these texts
`address`, `labelled value`     one of the shared shapes below
`[x]`                           a list of `x`
a mapping                       an object with these fields
`x, read-only`                  the same as `x`, but only the app sets it; `["x, read-only"]` for a list
"""

from collections.abc import Mapping
from typing import Any, Literal

from gateway.models import JsonSchema
from gateway.models.json import REFERENCE

SIBLING = "as"
"""The key beside `udm` that names the field of the record itself, where it does not follow from the field's own name."""

READ_ONLY = ", read-only"
REFERENCE_SIGN = "-> "
SIBLING_SIGN = " as "
CHOICE_SIGN = " | "
WORDS: Mapping[str, JsonSchema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "anything": {},
}
SHAPES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "address": ("Address", dict.fromkeys(("type", "full", "street", "city", "state", "country", "zip"), "string")),
    "labelled value": ("Labelled value", {"value": "string", "type": "string"}),
}
"""By their words: a title, from which a type takes its name, and the fields."""
_IDENTITY = {"id": "string, read-only"}
_TIMES = {"createdTime": "time, read-only", "updatedTime": "time, read-only"}
_AUDIT = {
    "createdTime": "time, read-only",
    "createdBy": "-> users as createdByUser, read-only",
    "updatedTime": "time, read-only",
    "updatedBy": "-> users as updatedByUser, read-only",
}
AUDITED = frozenset(_AUDIT)
"""The fields of who wrote a record and when."""


def fields_schema(fields: Mapping[str, Any], *, audited: bool | Literal["times"]) -> JsonSchema:
    """The JSON Schema of a model's fields: its id first, then its own, then who wrote it and when if `audited`."""
    audit = _TIMES if audited == "times" else _AUDIT if audited else {}
    return _schema({**_IDENTITY, **fields, **audit})


def sibling_of(name: str, *, is_list: bool) -> str | None:
    """What the field of the record itself is called, by the name of the field that holds its id; null where that does not tell.

    `assigneeId` gives assignee, `followerIds` followers, `companyIds` companies.
    """
    stem = name.removesuffix("Ids" if is_list else "Id")
    if stem in (name, ""):
        return None
    return stem if not is_list or stem.endswith("s") else stem[:-1] + "ies" if stem.endswith("y") else stem + "s"


def _schema(notation: Any) -> JsonSchema:
    if isinstance(notation, str):
        return _schema_of_text(notation)
    if isinstance(notation, Mapping):
        return {"type": "object", "properties": {name: _schema(field) for name, field in notation.items()}}
    (item,) = notation
    items = _schema(item)
    # No item alone is set by the app: it is the list.
    read_only = {"readOnly": True} if items.pop("readOnly", False) else {}
    return {"type": "array", "items": items, **read_only}


def _schema_of_text(notation: str) -> JsonSchema:
    if notation.endswith(READ_ONLY):
        return {**_schema_of_text(notation.removesuffix(READ_ONLY)), "readOnly": True}
    if notation.startswith(REFERENCE_SIGN):
        model, _, sibling = notation.removeprefix(REFERENCE_SIGN).partition(SIBLING_SIGN)
        return {"type": "string", REFERENCE: {"udm": model, SIBLING: sibling} if sibling else {"udm": model}}
    if CHOICE_SIGN in notation:
        return {"type": "string", "enum": notation.split(CHOICE_SIGN)}
    if notation in SHAPES:
        title, fields = SHAPES[notation]
        return {"title": title, **_schema(fields)}
    return dict(WORDS[notation])
