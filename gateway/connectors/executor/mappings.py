"""What a connector file says of universal data models, as mappings that translate."""

from collections.abc import Mapping

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.mappings import FieldMapping, ModelMapping
from gateway.udm import FieldRule, Models, UnifiedMapping, UniversalDataModel


def unified_mapping(mapping: ModelMapping, model: UniversalDataModel) -> UnifiedMapping:
    """The translation that a collection's mapping declares. Keep it: it compiles its rules when first used."""
    return UnifiedMapping(model, _rules(mapping.fields))


def unified_mappings(file: ConnectorFile, models: Models) -> Mapping[tuple[str, str], UnifiedMapping]:
    """The translations of all collections of a file, by the keys of collection and model."""
    return {
        (key, name): unified_mapping(mapping, models[name])
        for key, collection in file.collections.items()
        for name, mapping in collection.universal_data_models.items()
        if name in models
    }


def _rules(fields: Mapping[str, str | FieldMapping]) -> dict[str, FieldRule]:
    return {name: _rule(field) for name, field in fields.items()}


def _rule(field: str | FieldMapping) -> FieldRule:
    if isinstance(field, str):
        return FieldRule(path=field)
    return FieldRule(
        path=field.field,
        from_=field.from_,
        to=field.to,
        values=field.values,
        fields=_rules(field.fields),
        each=_rules(field.each),
    )
