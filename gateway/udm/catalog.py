"""The universal data models that come with the gateway."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from gateway.models import JsonObject, JsonSchema
from gateway.udm.fields import fields_schema
from gateway.udm.filling import Filling, Gap, filling, read_gaps


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
    fallbacks: tuple[str, ...] = ()
    """The models to read an app's records as where it has none of this one, the best first; one level only."""
    fallback_fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By fallback, what fields of this model are called there, where that is something else."""
    gaps: tuple[Gap, ...] = ()
    """What fields are that an app has nothing for, from those that it has."""

    @property
    def properties(self) -> Mapping[str, JsonSchema]:
        """The schemas of the fields, by name."""
        properties: Mapping[str, JsonSchema] = self.fields_schema["properties"]
        return properties

    def fill_gaps(self, unified: JsonObject) -> None:
        """Adds what can be told from the other fields to fields of the model, in place."""
        self._filling(unified)

    @cached_property
    def _filling(self) -> Filling:
        return filling(self.gaps, self.fields_schema)


class Models(Mapping[str, UniversalDataModel]):
    """Models by key, in the order of the keys. They do not change while the process runs."""

    def __init__(self, models: Iterable[UniversalDataModel]) -> None:
        self._models = {model.key: model for model in sorted(models, key=lambda model: model.key)}

    def __getitem__(self, key: str) -> UniversalDataModel:
        return self._models[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _read() -> Iterator[UniversalDataModel]:
    yaml = YAML(typ="safe", pure=True)
    for file in sorted(files("gateway.udm").joinpath("models").iterdir(), key=lambda file: file.name):
        for key, entry in yaml.load(file.read_text(encoding="utf-8")).items():
            yield _model(key, entry)


def _model(key: str, entry: Mapping[str, Any]) -> UniversalDataModel:
    fallbacks: Mapping[str, Mapping[str, str]] = entry.get("fallbacks", {})
    return UniversalDataModel(
        key=key,
        name=entry["name"],
        plural_name=entry["plural_name"],
        description=entry["description"],
        categories=tuple(entry["categories"]),
        fields_schema=fields_schema(entry["fields"], audited=entry.get("audited", True)),
        fallbacks=tuple(fallbacks),
        fallback_fields=fallbacks,
        gaps=tuple(read_gaps(entry.get("gaps", {}))),
    )


MODELS = Models(_read())
"""The catalog by key, in the order of the keys."""
