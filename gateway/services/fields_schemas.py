"""What the JSON Schema of a collection's fields says of single fields."""

from gateway.models import JsonSchema


def is_known(schema: JsonSchema | None, name: str) -> bool:
    """Whether a collection has a field, or may have it: a schema that names no fields, or allows others, leaves it open.

    A name with dots is known where its first part is.
    """
    properties = (schema or {}).get("properties")
    if schema is None or not properties or "patternProperties" in schema or schema.get("additionalProperties", False) is not False:
        return True
    return name in properties or name.split(".", 1)[0] in properties
