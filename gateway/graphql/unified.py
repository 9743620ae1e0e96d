"""Records as universal data models: what the fields of a record and of its references answer with."""

import asyncio
from collections.abc import Sequence

from gateway.graphql.context import Info
from gateway.graphql.place_records import note_log_end, record_of_home
from gateway.graphql.record_loaders import FieldKey, ReferenceKey
from gateway.graphql.sources import READ_FROM, RecordSource, UnifiedSource
from gateway.services import references


async def referenced(info: Info, source: UnifiedSource, external_id: str, model: str) -> UnifiedSource | None:
    """The record of another model that a field names, in the same connection; null when the app has none of that id."""
    found = await all_referenced(info, source, [external_id], model)
    return found[0] if found else None


async def all_referenced(info: Info, source: UnifiedSource, external_ids: Sequence[str], model: str) -> list[UnifiedSource]:
    """The records of another model that a field names, in the order of their ids; those that the app does not have are left out."""
    context = info.context
    # Before they are read: an app may name any number of records in one.
    context.budget.spend(len(external_ids))
    await note_log_end(info)
    load, (_, _, home) = context.loaders.records.unified_by_reference.load, source[READ_FROM]
    answers = await asyncio.gather(*(load(ReferenceKey.of(home, model, external_id)) for external_id in external_ids))
    return [answer for answer in answers if answer is not None]


async def native_reference(info: Info, record: RecordSource, field: str) -> RecordSource | None:
    """The record that one of a record's own fields names; null where the field is empty, or the app has no such record."""
    context = info.context
    read, _, home = record
    target = await context.loaders.records.target_by_field.load(FieldKey.of(home, field))
    found = references.native_reference(context.runtime, place=home, record=read, field=field, target=target)
    return await record_of_home(info, found.place, found.external_id) if found is not None else None
