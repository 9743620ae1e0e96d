"""One type for each universal data model, made from the catalog that the gateway has."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from strawberry.annotation import StrawberryAnnotation
from strawberry.scalars import JSON
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gateway.graphql.context import Info
from gateway.graphql.fields import ASKS_APP, PICKS, TOGETHER, TYPE_NAME, Look, Resolver, looks_at
from gateway.graphql.sources import UnifiedSource, part_of
from gateway.graphql.types.unified import UnifiedRecord
from gateway.graphql.unified import all_referenced, referenced
from gateway.udm import Models, Picked
from gateway.udm.shapes import FieldKind, Shape, ShapeField, shapes

_INTERFACE: StrawberryObjectDefinition = vars(UnifiedRecord)["__strawberry_definition__"]
_WORDS: Mapping[FieldKind, str] = {
    FieldKind.TEXT: "The model's `{}`.",
    FieldKind.NUMBER: "The model's `{}`.",
    FieldKind.BOOLEAN: "Whether the model's `{}` holds.",
    FieldKind.TIME: "The time of the model's `{}`.",
    FieldKind.DATE: "The date of the model's `{}`, such as `2026-11-21`.",
    FieldKind.OBJECT: "The parts of the model's `{}`.",
    FieldKind.JSON: "The model's `{}`, in whatever shape the app has it.",
}
_TYPES: Mapping[FieldKind, Any] = {
    FieldKind.TEXT: str,
    # Whole numbers too: GraphQL's own reach to two thousand millions only, and files are larger.
    FieldKind.NUMBER: float,
    FieldKind.BOOLEAN: bool,
    FieldKind.TIME: datetime,
    FieldKind.DATE: str,
    FieldKind.JSON: JSON,
}
_LARGEST_EXACT = 2**53


def unified_types(models: Models) -> list[type]:
    """The types of the models and of what is nested in them. No two models have types of one name: their files are read so."""
    return _Types(models).all


class _Types:
    """The types by name: made empty first, because they refer to each other in circles."""

    def __init__(self, models: Models) -> None:
        self._shapes = shapes(models)
        self._made: dict[str, type] = {}
        for shape in self._shapes.values():
            self._declare(shape, is_model=True)
        for shape in self._shapes.values():
            self._fill(shape)

    @property
    def all(self) -> list[type]:
        return list(self._made.values())

    def _declare(self, shape: Shape, *, is_model: bool) -> None:
        if shape.name not in self._made:
            self._made[shape.name] = _declared(shape, is_model=is_model)
        for field in shape.fields:
            if field.shape is not None:
                self._declare(field.shape, is_model=False)

    def _fill(self, shape: Shape) -> None:
        definition: StrawberryObjectDefinition = vars(self._made[shape.name])["__strawberry_definition__"]
        if len(definition.fields) > len(definition.interfaces) * len(_INTERFACE.fields):
            # A part that several models share.
            return
        definition.fields += [made for field in shape.fields for made in self._fields(field)]
        for field in shape.fields:
            if field.shape is not None:
                self._fill(field.shape)

    def _fields(self, field: ShapeField) -> list[StrawberryField]:
        made = self._made[field.shape.name] if field.shape is not None else _TYPES[field.kind]
        resolver = _resolver(field)
        value = _field(field.name, made, is_list=field.is_list, description=_described(field), resolver=resolver, picks=_picked(field))
        if field.reference is None or field.sibling is None:
            return [value]
        target = self._made[self._shapes[field.reference].name]
        sibling = _references if field.is_list else _reference
        resolver = sibling(field.name, field.reference)
        described = _sibling_described(field)
        return [value, _field(field.sibling, target, is_list=field.is_list, description=described, resolver=resolver, asks_app=True)]


def _declared(shape: Shape, *, is_model: bool) -> type:
    made = type(shape.name, (UnifiedRecord,) if is_model else (), {"__module__": __name__})
    definition = StrawberryObjectDefinition(
        name=shape.name,
        is_input=False,
        is_interface=False,
        origin=made,
        description=_sentence(shape.description or f"A part of a record: {shape.name.removeprefix('Unified')}"),
        interfaces=[_INTERFACE] if is_model else [],
        extend=False,
        directives=(),
        is_type_of=_judge(shape.name) if is_model else None,
        resolve_type=None,
        fields=[*_INTERFACE.fields] if is_model else [],
    )
    setattr(made, "__strawberry_definition__", definition)  # noqa: B010 - a plain class has no such attribute for mypy.
    return made


def _judge(name: str) -> Callable[[Any, Any], bool]:
    """Tells whether a source is of the type of that name."""

    @looks_at(Look.TYPE_NAME)
    def is_type_of(source: UnifiedSource, info: Any) -> bool:
        return source.get(TYPE_NAME) == name

    return is_type_of


def _field(
    name: str,
    made: Any,
    *,
    is_list: bool,
    description: str,
    resolver: Resolver | None,
    asks_app: bool = False,
    picks: Picked | None = None,
) -> StrawberryField:
    return StrawberryField(
        # Not by `strawberry.type`: its fields are attributes of a class, and a model may call one `from`.
        python_name=name,
        graphql_name=name,
        type_annotation=StrawberryAnnotation((list[made] if is_list else made) | None),
        description=description,
        base_resolver=StrawberryResolver(resolver) if resolver is not None else None,
        metadata={ASKS_APP: asks_app, TOGETHER: asks_app, PICKS: picks},
    )


def _picked(field: ShapeField) -> Picked | None:
    """What a field shows of a record, where that is nothing but the value that the model has."""
    if field.kind is FieldKind.NUMBER:
        return Picked(field.name, _nearest) if not field.is_list else None
    if field.kind is FieldKind.OBJECT or (field.kind is FieldKind.JSON and field.is_list):
        return None
    return Picked(field.name)


def _resolver(field: ShapeField) -> Resolver | None:
    """What answers a field's value; null where it is answered as it is."""
    if field.kind is FieldKind.NUMBER:
        return _number(field.name)
    return _part(field.name) if field.shape is not None and _has_siblings(field.shape) else None


def _number(name: str) -> Resolver:
    """Answers a number as the nearest that GraphQL's Float has: the library refuses whole ones beyond 2^53, which the JSON fields hold."""

    def resolve(self: Mapping[str, Any]) -> Any:
        value = self.get(name)
        return [number for item in value if (number := _nearest(item)) is not None] if isinstance(value, list) else _nearest(value)

    return resolve


def _nearest(value: float | None) -> float | None:
    try:
        return float(value) if value is not None and abs(value) > _LARGEST_EXACT else value
    except OverflowError:
        return None


def _part(name: str) -> Resolver:
    """Answers an object that refers to other records: it must know where it came from."""

    def resolve(self: UnifiedSource) -> Any:
        return part_of(self, self.get(name))

    return resolve


def _reference(name: str, model: str) -> Resolver:
    def resolve(self: UnifiedSource, info: Info) -> Any:
        external_id = self.get(name)
        return referenced(info, self, external_id, model) if external_id is not None else None

    return resolve


def _references(name: str, model: str) -> Resolver:
    def resolve(self: UnifiedSource, info: Info) -> Any:
        external_ids = self.get(name)
        return all_referenced(info, self, external_ids, model) if external_ids is not None else None

    return resolve


def _has_siblings(shape: Shape) -> bool:
    return any(field.sibling is not None or (field.shape is not None and _has_siblings(field.shape)) for field in shape.fields)


def _described(field: ShapeField) -> str:
    if field.description is not None:
        return _sentence(field.description)
    if field.reference is not None:
        of = "The ids of records" if field.is_list else "The id of a record"
        return f"{of} of `{field.reference}`; `{field.sibling}` leads there."
    return _WORDS[field.kind].format(field.name)


def _sibling_described(field: ShapeField) -> str:
    if field.is_list:
        found = f"The records that `{field.name}` name, without those that the app does not have."
        return f"{found} Asks the external app. Null where there are no ids, or when it fails."
    return f"The record that `{field.name}` names. Asks the external app. Null where there is no id, when it has no such record, or fails."


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."
