"""The shape of a file of models."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ModelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""Plural, in lower case with hyphens, such as `deal-stages`."""
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*([ -][A-Za-z0-9]+)*$", max_length=60)]
"""In letters, digits, spaces and hyphens: types take their names from it."""
_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Additions(_Part):
    """What an existing model gets besides."""

    fields: dict[str, Any] = Field(min_length=1, max_length=300)
    """In the notation of `gateway/udm/fields.py`."""
    gaps: dict[str, str] = {}
    """By field or `object.part`, an expression over the model's fields that tells it where a record has none."""
    substitutes: dict[str, str] = {}
    """The same, for collections only that have no place for the field."""


class ModelEntry(Additions):
    """A model."""

    name: ModelName
    plural_name: ModelName
    description: _Text
    categories: list[_Text] = []
    audited: Literal[True, False, "times"] = True
    """Whether records tell who wrote them and when, or only when."""
    fallbacks: dict[str, dict[str, str]] = {}
    """The models to read records as where there is none of this one, and by field its name there where that differs."""


class ModelFile(_Part):
    """The whole file."""

    format: Literal["models/v1"]
    models: dict[ModelKey, ModelEntry] = {}
    extensions: dict[str, Additions] = {}
    """Further fields of models that other files describe, those of the gateway included."""
