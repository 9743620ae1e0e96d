"""Names for the shapes that the external app decides, and when two values of them are the same."""

import json
from typing import Any

JsonValue = Any
"""Any JSON value, as the standard library reads it."""
JsonObject = dict[str, Any]
"""A JSON object, such as a record's fields or a collection's parameters."""
JsonSchema = dict[str, Any]
"""A JSON Schema (draft 2020-12)."""
REFERENCE = "x-reference"
"""The keyword of a schema whose value is the id of a record: of a collection (`{collection: users, parameters: {...}}`) or of a model
(`{udm: users}`)."""


def is_same_json(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are written alike. To Python true, 1 and 1.0 are equal, and so are 0.0 and -0.0."""
    return bool(one == other) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
