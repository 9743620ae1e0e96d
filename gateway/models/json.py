"""Names for the shapes that the external app decides."""

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
