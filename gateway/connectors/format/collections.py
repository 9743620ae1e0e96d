"""Tables of records."""

from functools import cached_property
from typing import Literal

from pydantic import Field

from gateway.connectors.format.base import Condition, Key, Part, Value
from gateway.connectors.format.mappings import ModelMapping
from gateway.connectors.format.operations import Operations
from gateway.connectors.format.requests import Request
from gateway.connectors.format.sync import Sync
from gateway.connectors.format.transforms import Transform
from gateway.models import JsonSchema


class Envelope(Part):
    """What the gateway reads of every record; names: `record` and `parameters`."""

    id: Value
    id_pattern: str | None = None
    """A regular expression that every id of the app fits; others are asked for as ids that it does not have."""
    name: Value | None = None
    url: Value | None = None
    version: Value | None = None
    created_at: Value | None = None
    updated_at: Value | None = None
    times: Literal["auto", "epoch_s", "epoch_ms"] = "auto"
    """How times are written: `auto` reads RFC 3339 and dates, with a space or without a zone (then UTC) too."""

    @property
    def id_schema(self) -> JsonSchema:
        """The JSON Schema of ids: the whole of each fits the pattern. Schemas match in linear time, whatever the pattern."""
        return {"type": "string", **({"pattern": f"^(?:{self.id_pattern})$"} if self.id_pattern is not None else {})}


class DynamicFields(Part):
    """Fields that the app describes; names of `schema`: `body`, `parameters`."""

    request: Request
    fields_schema: Value = Field(alias="schema")


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
    transforms: tuple[Transform, ...] = ()
    """Changes to the record's shape, in this order; all that follows sees it as they leave it."""
    from_api: Value | None = None
    """The record's `fields`, from `record`; by default the record as it came."""
    coerce: bool = False
    """Makes the fields fit the types of the fields schema where that can be told: numbers from text, text from numbers."""
    to_api: Value | None = None
    """What a creation or update sees as `fields`, from the `fields` that the caller gives; by default just those."""
    operations: Operations = Operations()
    sync: Sync | None = None
    """How changes of its records are learned of; by default by comparing the whole list."""
    webhook: Key | None = None
    """The key under `webhooks` of what the app sends when its records change."""
    universal_data_models: dict[Key, ModelMapping] = {}

    @cached_property
    def gone(self) -> Condition | None:
        """Holds for a record that the app still shows although it is gone; name: `item`. Null where the file tells of none."""
        deleted = self.sync.deleted if self.sync is not None else None
        return deleted.when if deleted is not None and deleted.id is None else None
