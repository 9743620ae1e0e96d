"""Universal data models."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.models import JsonSchema
from gateway.udm.filling import Gap


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
