"""Tables of records."""

from typing import Literal

from pydantic import Field

from gateway.connectors.format.base import Key, Part, Value
from gateway.connectors.format.requests import PaginationRef, Request
from gateway.models import JsonSchema


class Envelope(Part):
    """What the gateway reads of every record; names: `record` and `parameters`."""

    id: Value
    name: Value | None = None
    url: Value | None = None
    version: Value | None = None
    created_at: Value | None = None
    updated_at: Value | None = None
    times: Literal["auto", "epoch_s", "epoch_ms"] = "auto"
    """How times are written: `auto` reads RFC 3339 and dates, with a space or without a zone (then UTC) too."""


class DynamicFields(Part):
    """Fields that the app describes; names of `schema`: `body`, `parameters`."""

    request: Request
    fields_schema: Value = Field(alias="schema")


class ListOperation(Part):
    """Reads the records page by page; `records` selects them from `body`."""

    request: Request
    pagination: PaginationRef = "none"
    records: Value


class Operations(Part):
    """What can be done with the records; what is not named is not supported."""

    list: ListOperation | None = None


class Collection(Part):
    """A table of records."""

    name: str
    description: str | None = None
    location_name: Value | None = None
    """What the app calls this collection with these parameters; by default its name."""
    parameters: JsonSchema = {"type": "object", "additionalProperties": False}
    fields: JsonSchema | None = None
    """The JSON Schema of a record's fields, as far as it is the same for every connection."""
    dynamic_fields: DynamicFields | None = None
    record: Envelope
    from_api: Value | None = None
    """The record's `fields`, from `record`; by default the record as it came."""
    operations: Operations = Operations()
    universal_data_models: tuple[Key, ...] = ()
