"""A mapping of each kind of rule, and records for it."""

from typing import Any

from gateway.expressions import Template
from gateway.models import Record
from gateway.udm import MODELS, FieldRule, UnifiedMapping


def rule(path: str | None = None, *, from_: str | None = None, to: str | None = None, **more: Any) -> FieldRule:
    """A rule with its expressions compiled."""
    return FieldRule(
        path=path,
        from_=None if from_ is None else Template.compile(from_),
        to=None if to is None else Template.compile(to),
        **more,
    )


def mapping(model: str, **rules: FieldRule | str) -> UnifiedMapping:
    """A mapping of a model; a text is a rule of that path alone."""
    return UnifiedMapping(MODELS[model], {name: rule(each) if isinstance(each, str) else each for name, each in rules.items()})


def record(external_id: str = "7", **fields: Any) -> Record:
    """A record of these fields."""
    return Record(external_id=external_id, fields=fields)
