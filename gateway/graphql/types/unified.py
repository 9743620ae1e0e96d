"""What all records that are read as universal data models have in common in the schema."""

from typing import Any

import strawberry

from gateway import models
from gateway.graphql.fields import RECORD, TYPE_NAME, Look, field, looks_at
from gateway.graphql.sources import READ_FROM, RecordSource, UnifiedSource


@strawberry.interface(description="A record in the words of a universal data model. Each model has a type of its own, with typed fields.")
class UnifiedRecord:
    @field("What the app calls the record.")
    def external_id(self: UnifiedSource) -> str:
        record: models.Record = self[READ_FROM][0]
        return record.external_id

    @field("The record in the app's own words.", type=RECORD)
    def record(self: UnifiedSource) -> RecordSource:
        record: RecordSource = self[READ_FROM]
        return record

    @classmethod
    @looks_at(Look.TYPE_NAME)
    def resolve_type(cls, source: UnifiedSource, info: Any, type_: object) -> str:
        name: str = source[TYPE_NAME]
        return name
