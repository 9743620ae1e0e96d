"""The short notation of fields in the catalog's files, and the JSON Schema that it stands for.

`string`, `number`, `boolean`   a value of that type
`time`                          a date with its time, in RFC 3339
`-> users`                      the external id of a record of that model
`open | won`                    one of these texts
`address`, `labelled value`     one of the shared shapes below
`[x]`                           a list of `x`
a mapping                       an object with these fields
`x, read-only`                  the same as `x`, but only the app sets it
"""

from collections.abc import Mapping
from typing import Any

from gateway.models import JsonSchema

REFERENCE = "x-reference"
"""The keyword that names the model whose record a field holds the id of: `{"udm": "users"}`."""

_READ_ONLY = ", read-only"
_REFERENCE_SIGN = "-> "
_CHOICE_SIGN = " | "
_WORDS: Mapping[str, JsonSchema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
}
_SHAPES: Mapping[str, Mapping[str, str]] = {
    "address": dict.fromkeys(("type", "full", "street", "city", "state", "country", "zip"), "string"),
    "labelled value": {"value": "string", "type": "string"},
}
_IDENTITY = {"id": "string, read-only"}
_AUDIT = {
    "createdTime": "time, read-only",
    "createdBy": "-> users, read-only",
    "updatedTime": "time, read-only",
    "updatedBy": "-> users, read-only",
}


def fields_schema(fields: Mapping[str, Any], *, audited: bool) -> JsonSchema:
    """The JSON Schema of a model's fields: its id first, then its own, then who wrote it and when if `audited`."""
    return _schema({**_IDENTITY, **fields, **(_AUDIT if audited else {})})


def _schema(notation: Any) -> JsonSchema:
    if isinstance(notation, str):
        return _schema_of_text(notation)
    if isinstance(notation, Mapping):
        return {"type": "object", "properties": {name: _schema(field) for name, field in notation.items()}}
    (item,) = notation
    return {"type": "array", "items": _schema(item)}


def _schema_of_text(notation: str) -> JsonSchema:
    if notation.endswith(_READ_ONLY):
        return {**_schema_of_text(notation.removesuffix(_READ_ONLY)), "readOnly": True}
    if notation.startswith(_REFERENCE_SIGN):
        return {"type": "string", REFERENCE: {"udm": notation.removeprefix(_REFERENCE_SIGN)}}
    if _CHOICE_SIGN in notation:
        return {"type": "string", "enum": notation.split(_CHOICE_SIGN)}
    if notation in _SHAPES:
        return _schema(_SHAPES[notation])
    return dict(_WORDS[notation])
