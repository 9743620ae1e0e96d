"""What models must satisfy together: what they name exists, and no two things have one name."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from gateway.documents import Place
from gateway.udm.drafts import Draft, Origin
from gateway.udm.model import Models, UniversalDataModel
from gateway.udm.notation import is_name
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
    names = [field.name for field in shape.fields]
    names += [field.sibling for field in shape.fields if field.sibling is not None]
    for field in shape.fields:
        top = way or field.name
        if field.reference is not None:
            yield from ((top, text) for text in _reference_problems(field, models, names))
        if field.shape is not None:
            yield from _field_problems(field.shape, models, way=top)


def _reference_problems(field: ShapeField, models: Models, names: list[str]) -> Iterator[str]:
    if field.reference not in models:
        yield f"{field.name!r} refers to {field.reference!r}, which is no universal data model{_near(field.reference or '', models)}"
    if field.sibling is None:
        yield f"{field.name!r} does not say how the record itself is called; write `-> {field.reference} as someName`"
    elif names.count(field.sibling) > 1 or field.sibling in ("id", "externalId", "record"):
        yield f"the record of {field.name!r} would be called {field.sibling!r}, as another field is; write `as` and another name"
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
    """Types of one name that are not equal; to blame is what was read later."""
    taken: dict[str, tuple[Shape | None, str]] = dict.fromkeys(_OF_THE_SCHEMA, (None, "the schema"))
    for key, draft in drafts.items():
        whole = shape_of(models[key])
        for shape, origin, place in ((whole, draft.origins[0][0], ("name",)), *_parts_with_origins(whole, draft)):
            other, owner = taken.setdefault(shape.name, (shape, f"model {key!r}"))
            if other != shape:
                yield origin, place, f"the type {shape.name} stands for something else in {owner} already; use another name"


def _parts_with_origins(whole: Shape, draft: Draft) -> Iterator[tuple[Shape, Origin, Place]]:
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
