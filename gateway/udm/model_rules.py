"""What models must satisfy together: what they name exists, and no two things have one name."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from gateway.documents import Place
from gateway.udm.drafts import Draft, Origin
from gateway.udm.fields import AUDITED
from gateway.udm.model import Models, UniversalDataModel
from gateway.udm.notation import RESERVED, is_name
from gateway.udm.shapes import PREFIX, Shape, ShapeField, shape_of

_OF_THE_SCHEMA = frozenset({f"{PREFIX}Record", f"{PREFIX}FieldsToNativeInput", f"{PREFIX}FieldsToNativePayload"})
"""Types of the schema that models cannot be called as."""

Finding = tuple[Origin, Place, str]


def problems(models: Models, drafts: Mapping[str, Draft]) -> Iterator[Finding]:
    """What is wrong, each with the origin that has to change and the place there."""
    for key, model in models.items():
        draft, shape = drafts[key], shape_of(model)
        for name, text in _field_problems(shape, models, way=""):
            yield draft.origin_of(name), ("fields", name), text
        for place, text in (*_fallback_problems(model, models), *_gap_problems(model)):
            yield _origin_of_place(draft, place), place, text
    yield from _clashes(models, drafts)


def _field_problems(shape: Shape, models: Models, *, way: str) -> Iterator[tuple[str, str]]:
    """The names of the model's fields with what is wrong with them, or with a part of them."""
    yield from ((way or name, text) for name, text in _taken_names(shape))
    for field in shape.fields:
        top = way or field.name
        if field.reference is not None:
            yield from ((top, text) for text in _reference_problems(field, models))
        if field.shape is not None:
            yield from _field_problems(field.shape, models, way=top)


def _taken_names(shape: Shape) -> Iterator[tuple[str, str]]:
    """The fields that would share a name, of two the one that was added later."""
    owners = dict.fromkeys(RESERVED, "")
    for field in sorted(shape.fields, key=lambda field: field.name not in AUDITED):
        if field.sibling is not None and field.sibling in (*owners, field.name):
            yield (
                field.name,
                f"the record of {field.name!r} would be called {field.sibling!r}, as another field is; write `as` and another name",
            )
        owner = owners.get(field.name)
        if owner:
            yield field.name, f"the record of {owner!r} is called {field.name!r}; give this field another name"
        owners |= {field.name: ""} | ({field.sibling: field.name} if field.sibling is not None else {})


def _reference_problems(field: ShapeField, models: Models) -> Iterator[str]:
    if field.reference not in models:
        yield f"{field.name!r} refers to {field.reference!r}, which is no universal data model{_near(field.reference or '', models)}"
    if field.sibling is None:
        yield f"{field.name!r} does not say how the record itself is called; write `-> {field.reference} as someName`"
    elif not is_name(field.sibling):
        yield f"the record of {field.name!r} would be called {field.sibling!r}, which is no name; write `as` and another one"


def _fallback_problems(model: UniversalDataModel, models: Models) -> Iterator[tuple[Place, str]]:
    for key, renamed in model.fallback_fields.items():
        other = models.get(key)
        if other is None or key == model.key:
            yield ("fallbacks", key), f"{key[:100]!r} is no other universal data model{_near(key, models)}"
            continue
        for name, there in renamed.items():
            if name not in model.properties:
                yield ("fallbacks", key, name), "the model has no such field"
            if there not in other.properties:
                yield ("fallbacks", key, name), f"{key!r} has no field {there[:100]!r}"
        if len(set(renamed.values())) < len(renamed):
            yield ("fallbacks", key), "two fields are the same one there"


def _gap_problems(model: UniversalDataModel) -> Iterator[tuple[Place, str]]:
    for gap in model.gaps:
        place: Place = ("substitutes" if gap.is_substitute else "gaps", ".".join(gap.path))
        schema = model.fields_schema
        for part in gap.path:
            schema = schema.get("properties", {}).get(part)
            if schema is None:
                yield place, f"the model has no field {'.'.join(gap.path)[:100]!r}"
                break
        for name in sorted(gap.value.names - {*model.properties}):
            yield place, f"the expression reads {name[:100]!r}, which the model does not have"


def _origin_of_place(draft: Draft, place: Place) -> Origin:
    part, name = place[0], place[1]
    return next((origin for origin, additions in draft.origins if name in getattr(additions, str(part), {})), draft.origins[0][0])


def _clashes(models: Models, drafts: Mapping[str, Draft]) -> Iterator[Finding]:
    """Types of one name that are not equal; to blame is what was read later, extensions after all models."""
    taken: dict[str, tuple[Shape | None, str]] = dict.fromkeys(_OF_THE_SCHEMA, (None, "the schema"))
    found = [(key, *part) for key, draft in drafts.items() for part in _types(shape_of(models[key]), draft)]
    for key, shape, origin, place in sorted(found, key=lambda each: each[2].place[0] == "extensions"):
        other, owner = taken.setdefault(shape.name, (shape, f"model {key!r}"))
        if other != shape:
            yield origin, place, f"the type {shape.name} stands for something else in {owner} already; use another name"


def _types(whole: Shape, draft: Draft) -> Iterator[tuple[Shape, Origin, Place]]:
    yield whole, draft.origins[0][0], ("name",)
    for field in whole.fields:
        if field.shape is not None:
            for part in _with_parts(field.shape):
                yield part, draft.origin_of(field.name), ("fields", field.name)


def _with_parts(shape: Shape) -> Iterator[Shape]:
    yield shape
    for field in shape.fields:
        if field.shape is not None:
            yield from _with_parts(field.shape)


def _near(key: str, models: Models) -> str:
    near = get_close_matches(key[:100], models, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(models)}"
