"""Models as files describe them, and which file says what of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.documents import Document, Place, Problem
from gateway.expressions import Expression, ExpressionError
from gateway.udm.fields import fields_schema
from gateway.udm.file import Additions, ModelEntry
from gateway.udm.filling import Gap
from gateway.udm.model import UniversalDataModel
from gateway.udm.notation import notation_problems


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a model stands, or what is added to it."""

    document: Document
    place: Place


@dataclass
class Draft:
    """A model with all that files add to it."""

    entry: ModelEntry
    origins: list[tuple[Origin, Additions]] = field(default_factory=list)
    """The model's own first."""

    def origin_of(self, field: str) -> Origin:
        """Where a field is described; where the model is for what all models have."""
        return next((origin for origin, additions in self.origins if field in additions.fields), self.origins[0][0])

    def clashes(self, additions: Additions) -> Iterator[tuple[Place, str]]:
        """What an extension says that was said already."""
        schema = fields_schema({}, audited=self.entry.audited)["properties"]
        for name in additions.fields:
            said = next((origin for origin, others in self.origins if name in others.fields), None)
            if said is not None or name in schema:
                where = f" (in {said.document.name})" if said is not None else ""
                yield ("fields", name), f"the model has a field {name!r} already{where}; give this one another name"
        for part in ("gaps", "substitutes"):
            for name in getattr(additions, part):
                if any(name in getattr(others, part) for _, others in self.origins):
                    yield (part, name), "the model says already what this is where an app has nothing for it"

    def model(self, key: str) -> UniversalDataModel:
        """The model, once everything that it says was found right."""
        entry = self.entry
        return UniversalDataModel(
            key=key,
            name=entry.name,
            plural_name=entry.plural_name,
            description=entry.description,
            categories=tuple(entry.categories),
            fields_schema=fields_schema(self._merged("fields"), audited=entry.audited),
            fallbacks=tuple(entry.fallbacks),
            fallback_fields=entry.fallbacks,
            gaps=(*_gaps(self._merged("gaps"), is_substitute=False), *_gaps(self._merged("substitutes"), is_substitute=True)),
        )

    def _merged(self, part: str) -> dict[str, Any]:
        return {name: value for _, additions in self.origins for name, value in getattr(additions, part).items()}


def own_problems(place: Place, additions: Additions) -> Iterator[Problem]:
    """What is wrong with the fields and expressions of a model or an extension, whatever other models there are."""
    yield from notation_problems((*place, "fields"), additions.fields)
    for part in ("gaps", "substitutes"):
        for name, source in getattr(additions, part).items():
            try:
                Expression.compile(source)
            except ExpressionError as error:
                yield (*place, part, name), str(error)


def _gaps(sources: Mapping[str, str], *, is_substitute: bool) -> Iterator[Gap]:
    for path, source in sources.items():
        yield Gap(path=tuple(path.split(".")), value=Expression.compile(source), is_substitute=is_substitute)
