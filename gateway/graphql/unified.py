"""Records as universal data models: what the fields of a record and of its references answer with."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.graphql.context import Context
from gateway.graphql.place_records import record_of_home
from gateway.graphql.record_loaders import ModelKey, RecordKey
from gateway.graphql.sources import RecordSource, records_of
from gateway.models import JsonObject
from gateway.services import references
from gateway.services.record_places import RecordPlace


class UnifiedSource(dict[str, Any]):
    """A record as a model: its fields by the model's names. A part of one, such as a line item, is one too."""

    __slots__ = ("record", "type_name")

    def __init__(self, values: Mapping[str, Any], *, type_name: str, record: RecordSource) -> None:
        super().__init__(values)
        self.type_name = type_name
        """The name of the model's type."""
        self.record = record

    @property
    def home(self) -> RecordPlace:
        """Where the record is."""
        home: RecordPlace = self.record["home"]
        return home

    def part(self, value: Any) -> Any:
        """A nested value, or each of a list of them, as a source of its own."""
        if isinstance(value, list):
            return [self.part(each) for each in value]
        return UnifiedSource(value, type_name=self.type_name, record=self.record) if isinstance(value, dict) else None


def unified_of(context: Context, record: RecordSource, udm: str | None) -> UnifiedSource:
    """A record as a model: the named one, the data source's, or the collection's only one. Raises as `unified.translation_of` does."""
    translation = context.loaders.records.translation(record["home"], udm)
    type_name = context.loaders.records.type_name(translation.model)
    return UnifiedSource(translation.read(record["source"]), type_name=type_name, record=record)


def unified_fields_of(context: Context, record: RecordSource, udm: str | None) -> JsonObject:
    """The fields of a record as a model, as JSON."""
    return context.loaders.records.translation(record["home"], udm).read(record["source"])


async def referenced(context: Context, source: UnifiedSource, external_id: str, model: str) -> UnifiedSource | None:
    """The record of another model that a field names, in the same connection; null when the app has none of that id."""
    found = await all_referenced(context, source, [external_id], model)
    return found[0] if found else None


async def all_referenced(context: Context, source: UnifiedSource, external_ids: Sequence[str], model: str) -> list[UnifiedSource]:
    """The records of another model that a field names, in the order of their ids; those that the app does not have are left out."""
    loaders = context.loaders.records
    place = await loaders.place_by_model.load(ModelKey.of(source.home, model))
    loading = [loaders.record_by_key.load(RecordKey.of(place, external_id)) for external_id in external_ids]
    show = records_of(loaders.collection_of(place), place)
    found = [record for record in [await each for each in loading] if record is not None]
    context.budget.spend(len(found))
    return [unified_of(context, show(record), model) for record in found]


async def native_reference(context: Context, record: RecordSource, field: str) -> RecordSource | None:
    """The record that one of a record's own fields names; null where the field is empty, or the app has no such record."""
    found = await references.native_reference(*context.caller, place=record["home"], record=record["source"], field=field)
    return await record_of_home(context, found.place, found.external_id) if found is not None else None
