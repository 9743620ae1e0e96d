"""The universal data models that come with the gateway."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML

from gateway.models import JsonSchema
from gateway.udm.fields import fields_schema


@dataclass(frozen=True, kw_only=True)
class UniversalDataModel:
    """One vocabulary for the same thing in many apps, such as a task."""

    key: str
    name: str
    plural_name: str
    description: str
    categories: tuple[str, ...]
    fields_schema: JsonSchema
    """JSON Schema of an object. No field is required: no app has them all. `x-reference` names the model of an id."""
    fallbacks: tuple[str, ...]
    """The models to read an app's records as where it has none of this one, the best first; one level only."""


def _read() -> Iterator[UniversalDataModel]:
    yaml = YAML(typ="safe", pure=True)
    for file in sorted(files("gateway.udm").joinpath("models").iterdir(), key=lambda file: file.name):
        for key, entry in yaml.load(file.read_text(encoding="utf-8")).items():
            yield _model(key, entry)


def _model(key: str, entry: Mapping[str, Any]) -> UniversalDataModel:
    return UniversalDataModel(
        key=key,
        name=entry["name"],
        plural_name=entry["plural_name"],
        description=entry["description"],
        categories=tuple(entry["categories"]),
        fields_schema=fields_schema(entry["fields"], audited=entry.get("audited", True)),
        fallbacks=tuple(entry.get("fallbacks", ())),
    )


Models = Mapping[str, UniversalDataModel]
"""Models by key, in the order of the keys."""

MODELS: Models = MappingProxyType({model.key: model for model in sorted(_read(), key=lambda model: model.key)})
"""The catalog by key, in the order of the keys."""
