"""The fields of models with their types, as a typed schema needs them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from gateway.models import JsonSchema
from gateway.models.json import REFERENCE
from gateway.udm.fields import SIBLING, sibling_of
from gateway.udm.model import Models, UniversalDataModel

PREFIX = "Unified"
"""What the names of all types of models begin with: a tenant is a customer too, and a person of the gateway a user."""


class FieldKind(StrEnum):
    """The type of a field's value, or of its items."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    BOOLEAN = "BOOLEAN"
    TIME = "TIME"
    """A text in RFC 3339, always UTC."""
    DATE = "DATE"
    """A text such as 2026-11-21."""
    OBJECT = "OBJECT"
    JSON = "JSON"
    """Anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeField:
    """One field."""

    name: str
    kind: FieldKind
    is_list: bool = False
    """Whether the value is a list, none of whose items is null."""
    shape: "Shape | None" = None
    """Of an object."""
    reference: str | None = None
    """The key of the model whose record's id it holds, or the ids of several in a list."""
    sibling: str | None = None
    """The name of the field that holds the record itself, or the records; only where there is a reference."""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The type of a model or of an object within one. Shapes of the same name are equal."""

    name: str
    fields: tuple[ShapeField, ...]
    """Of a model: those of its own, without the `id`, which every record has in another place."""
    description: str | None = None


def shapes(models: Models) -> Mapping[str, Shape]:
    """The shapes of all models by key, in the order of the keys. Where two have the same name they are equal: loading saw to it."""
    return {key: shape_of(model) for key, model in models.items()}


def shape_of(model: UniversalDataModel) -> Shape:
    """The shape of one model."""
    own = {name: schema for name, schema in model.properties.items() if name != "id"}
    name = type_name(model)
    return Shape(name=name, description=model.description, fields=tuple(_fields(own, owner=name)))


def type_name(model: UniversalDataModel) -> str:
    """The name of a model's type."""
    return PREFIX + _pascal(model.name)


def _fields(properties: Mapping[str, JsonSchema], *, owner: str) -> Iterator[ShapeField]:
    for name, schema in properties.items():
        is_list = schema.get("type") == "array"
        item: JsonSchema = schema.get("items", {}) if is_list else schema
        kind = _kind(item)
        reference = item.get(REFERENCE, {})
        yield ShapeField(
            name=name,
            kind=kind,
            is_list=is_list,
            shape=_part(name, item, owner=owner, is_list=is_list) if kind is FieldKind.OBJECT else None,
            reference=reference.get("udm"),
            sibling=reference.get(SIBLING) or (sibling_of(name, is_list=is_list) if reference else None),
            description=schema.get("description"),
        )


def _part(name: str, schema: JsonSchema, *, owner: str, is_list: bool) -> Shape:
    title = schema.get("title")
    shape = PREFIX + _pascal(title) if title else owner + _pascal(_singular(name) if is_list else name)
    return Shape(name=shape, fields=tuple(_fields(schema["properties"], owner=shape)), description=schema.get("description"))


def _kind(schema: JsonSchema) -> FieldKind:
    match schema:
        case {"type": "string", "format": "date-time"}:
            return FieldKind.TIME
        case {"type": "string", "format": "date"}:
            return FieldKind.DATE
        case {"type": "string"}:
            return FieldKind.TEXT
        case {"type": "number" | "integer"}:
            return FieldKind.NUMBER
        case {"type": "boolean"}:
            return FieldKind.BOOLEAN
        case {"type": "object", "properties": properties} if properties:
            return FieldKind.OBJECT
    return FieldKind.JSON


@cache
def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.replace("-", " ").split())


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-2] if name.endswith("sses") else name.removesuffix("s")
