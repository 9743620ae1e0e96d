"""Fields that a caller writes, checked against the collection before its app is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.connectors.schemas import SchemaError, Violation
from gateway.errors import InvalidError, UnsupportedError, UpstreamResponseError, UserError
from gateway.models import CollectionOperation, CollectionSpec, Condition, FilterOperator, JsonObject, JsonSchema, JsonValue
from gateway.services import checks, pointers, record_filters
from gateway.services.selectors import FieldValues
from gateway.services.violations import Violations, at
from gateway.udm import Native, Translation

Place = Sequence[str]

_ACTIONS = {CollectionOperation.CREATE: "set at creation", CollectionOperation.UPDATE: "changed"}


@dataclass(frozen=True, kw_only=True)
class NativeValues:
    """The app's own fields to write; of unified ones also which field of the model each came from."""

    fields: JsonObject
    unified_names: Mapping[str, str] = field(default_factory=dict)
    """By the names of the app's fields."""


def read_given(values: FieldValues, *, place: Place) -> tuple[JsonObject, Place, bool]:
    """What a caller gave, where it stands, and whether it is unified. Raises InvalidError unless one of the two is a JSON object."""
    if (values.fields is None) == (values.unified_fields is None):
        raise InvalidError("Give either `fields` or `unifiedFields`, a JSON object.", field=place)
    if values.fields is not None:
        return checks.record_object(values.fields, field=[*place, "fields"]), [*place, "fields"], False
    return checks.record_object(values.unified_fields, field=[*place, "unifiedFields"]), [*place, "unifiedFields"], True


def native_values(
    values: FieldValues, *, spec: CollectionSpec, operation: CollectionOperation, translation: Translation | None, place: Place
) -> NativeValues:
    """The fields to write, all of them allowed and valid; `translation` is given where they are unified.

    Raises InvalidErrors, or a CombinedUserError, with everything that is wrong and where.
    """
    given, place, is_unified = read_given(values, place=place)
    if not given and operation is CollectionOperation.UPDATE:
        raise InvalidError("Name at least one field to change.", field=place)
    schema = spec.create_fields_schema if operation is CollectionOperation.CREATE else spec.update_fields_schema
    if not is_unified or translation is None:
        native = NativeValues(fields=given)
    else:
        native = _from_model(given, spec=spec, translation=translation, place=place)
    if schema is not None:
        _require_valid(native, schema, spec=spec, operation=operation, place=place, is_unified=is_unified)
    return native


def model_fields(given: JsonObject, *, spec: CollectionSpec, translation: Translation, place: Place) -> Native:
    """Fields of a model as the app's own. Raises InvalidErrors for values that the model or the app does not have, with their places."""
    violations = Violations()
    schema = translation.model.fields_schema
    for found in pointers.found_violations(schema, _without_nulls(given)):
        violations.add(InvalidError(f"{found.message}.", field=[*place, *map(str, found.path)]))
    violations.refuse()
    try:
        return translation.write(given, fields_schema=spec.fields_schema)
    except UserError as error:
        raise at(error, [*place, *(error.field or ())]) from None


def matched_fields(values: FieldValues, *, spec: CollectionSpec, translation: Translation | None) -> JsonObject:
    """The app's own fields that a record is looked for by. Raises UserErrors, or a CombinedUserError."""
    given, place, _ = read_given(values, place=["by"])
    if not given:
        raise InvalidError("Name at least one field to match by.", field=place)
    violations = Violations()
    matched: JsonObject = {}
    for name, value in given.items():
        condition = violations.collect(partial(_equality, name, value, spec, translation, [*place, name]))
        if condition is not None and matched.setdefault(condition.field, condition.value) != condition.value:
            violations.add(InvalidError(f"Two fields ask for different values of {condition.field!r}.", field=[*place, name]))
    violations.refuse()
    return matched


def _equality(name: str, value: JsonValue, spec: CollectionSpec, translation: Translation | None, place: Place) -> Condition:
    if value is None or isinstance(value, list | dict):
        raise InvalidError("A record is matched by texts, numbers and booleans.", field=place)
    condition = Condition(field=name, operator=FilterOperator.EQ, value=value)
    try:
        if translation is not None:
            condition = translation.condition(condition, fields_schema=spec.fields_schema)
        _require_matchable(condition, spec)
        record_filters.check_value(condition, spec)
    except UserError as error:
        raise at(error, place) from None
    return condition


def _require_matchable(condition: Condition, spec: CollectionSpec) -> None:
    if condition.operator is not FilterOperator.EQ:
        raise UnsupportedError("Several values of the app stand for this one, and a record is matched by one.")
    if condition.field in spec.match_fields and condition.field != record_filters.ANY_FIELD:
        return
    if record_filters.ANY_FIELD in spec.match_fields:
        record_filters.require_known(spec, condition.field)
        return
    fields = ", ".join(spec.match_fields) or "no field"
    raise UnsupportedError(f"Collection {spec.key!r} cannot be matched by {condition.field[:100]!r}. It can by {fields}.")


def _from_model(given: JsonObject, *, spec: CollectionSpec, translation: Translation, place: Place) -> NativeValues:
    native = model_fields(given, spec=spec, translation=translation, place=place)
    violations = Violations()
    for name in native.unmapped:
        violations.add(InvalidError(_unmapped(name, spec, translation), field=[*place, *name.split(".")]))
    violations.refuse()
    return NativeValues(fields=native.fields, unified_names=_origins(given, native.fields, translation, spec.fields_schema))


def _unmapped(name: str, spec: CollectionSpec, translation: Translation) -> str:
    model = translation.model
    known = model.fields_schema.get("properties", {}).get(name.split(".")[0])
    if known is None:
        return f"Model {model.key!r} has no field {name[:100]!r}."
    if known.get("readOnly"):
        return f"Field {name!r} of model {model.key!r} is read-only: the app sets it."
    return f"Field {name!r} of model {model.key!r} has no place in collection {spec.key!r}."


def _origins(given: JsonObject, native: JsonObject, translation: Translation, schema: JsonSchema | None) -> dict[str, str]:
    """Which field of the model each of the app's fields came from, found by writing them one by one."""
    origins: dict[str, str] = {}
    for name, value in given.items():
        try:
            written = translation.write({name: value}, fields_schema=schema)
        except UserError:
            # It is written from several fields together: none of them alone is where it came from.
            continue
        for native_name in written.fields.keys() & native.keys():
            origins.setdefault(native_name, name)
    return origins


def _require_valid(
    native: NativeValues,
    schema: JsonSchema,
    *,
    spec: CollectionSpec,
    operation: CollectionOperation,
    place: Place,
    is_unified: bool,
) -> None:
    violations = Violations()
    for found in _violations(schema, native.fields):
        for path, message in _told(found, schema, spec, operation):
            if not is_unified:
                violations.add(InvalidError(message, field=[*place, *path]))
            else:
                origin = native.unified_names.get(path[0]) if path else None
                where = [*place, origin] if origin is not None else place
                named = f"The app's own field {'.'.join(path)!r}: {message}" if path else message
                violations.add(InvalidError(named, field=where))
    violations.refuse()


def _violations(schema: JsonSchema, fields: JsonObject) -> list[Violation]:
    try:
        return pointers.found_violations(schema, fields)
    except SchemaError as error:
        # Only a schema that an app described may be broken: those of files are compiled when they are read.
        raise UpstreamResponseError(f"The app describes its fields in a way that cannot be used: {error}.") from None


def _told(found: Violation, schema: JsonSchema, spec: CollectionSpec, operation: CollectionOperation) -> Iterator[tuple[list[str], str]]:
    path = [str(part) for part in found.path]
    if found.missing is not None:
        yield [*path, found.missing], "The field is required."
    elif not found.unexpected:
        yield path, f"{found.message}."
    else:
        for name in found.unexpected:
            yield [*path, name], _unexpected(name, path, schema, spec, operation)


def _unexpected(name: str, path: list[str], schema: JsonSchema, spec: CollectionSpec, operation: CollectionOperation) -> str:
    if path:
        return f"The object has no field {name[:100]!r}."
    known = (spec.fields_schema or {}).get("properties", {}).get(name)
    if isinstance(known, dict) and known.get("readOnly"):
        return f"Field {name!r} is read-only: the app sets it."
    if known is not None:
        return f"Field {name!r} cannot be {_ACTIONS[operation]}."
    fields = ", ".join(list(schema.get("properties", {}))[:20])
    return f"Collection {spec.key!r} has no field {name[:100]!r}. It takes {fields}."


def _without_nulls(value: JsonValue) -> JsonValue:
    """The value without fields that are null: a model's fields may always be emptied, the items of its lists may not."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value
