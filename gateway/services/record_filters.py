"""Which records a list holds: what callers write, as conditions that the collection's app can be told."""

from collections.abc import Iterator, Sequence
from functools import partial

from gateway.connectors.schemas import property_types
from gateway.errors import InvalidError, UnsupportedError, UserError
from gateway.models import CollectionSpec, Condition, FilterOperator, JsonValue, RecordOrder, RecordQuery
from gateway.models.collections import CollectionOperation
from gateway.services import checks, record_specs
from gateway.services.fields_schemas import is_known
from gateway.services.selectors import RecordListQuery
from gateway.services.violations import Violations, at
from gateway.udm import Translation

MAXIMUM_CONDITIONS = 100
MAXIMUM_VALUES = 1000
MAXIMUM_FILTER_BYTES = 65_536
MAXIMUM_SEARCH = 1000
ANY_FIELD = "*"

Place = Sequence[str]

_OPERATORS = {operator.replace("_", ""): operator for operator in FilterOperator}
_NO_TEXT = "{} takes a text that is not empty."
_TEXT = (FilterOperator.CONTAINS, FilterOperator.STARTS_WITH)
_ORDERED = (FilterOperator.LT, FilterOperator.LTE, FilterOperator.GT, FilterOperator.GTE)


def record_query(asked: RecordListQuery, *, spec: CollectionSpec, translation: Translation | None) -> RecordQuery:
    """What the app is asked for. `translation` is given where there is a unified filter.

    Raises UserErrors, or a CombinedUserError, with everything that is wrong and where.
    """
    violations = Violations()
    own = violations.collect(partial(_own_conditions, asked.filter, spec))
    unified = violations.collect(partial(_unified_conditions, asked.unified_filter, spec, translation))
    search = violations.collect(partial(_search, asked.search))
    order = violations.collect(partial(_order, asked.order, spec))
    violations.collect(
        partial(record_specs.require_operation, spec, CollectionOperation.LIST if search is None else CollectionOperation.SEARCH)
    )
    violations.refuse()
    return RecordQuery(conditions=(*(own or ()), *(unified or ())), search=search, order=order)


def read_conditions(given: JsonValue, *, field: Place) -> list[tuple[Condition, Place]]:
    """The conditions that a filter writes, each with its place in it. Raises InvalidError where it breaks the grammar or a bound."""
    if given is None:
        return []
    conditions = checks.record_object(given, field=field, maximum=MAXIMUM_FILTER_BYTES)
    count = sum(len(value) if isinstance(value, dict) else 1 for value in conditions.values())
    if count > MAXIMUM_CONDITIONS:
        raise InvalidError(f"The filter has {count} conditions; at most {MAXIMUM_CONDITIONS} are taken.", field=field)
    violations = Violations()
    read = [pair for name, value in conditions.items() for pair in _of_field(name, value, violations, field)]
    violations.refuse()
    return read


def check_condition(condition: Condition, spec: CollectionSpec) -> None:
    """Returns when the app can be told of a condition.

    Raises UnsupportedError that names the fields or operators which it can, InvalidError for an unknown field or a value of a wrong type.
    """
    exact = [entry.operators for entry in spec.filters if entry.field == condition.field != ANY_FIELD]
    operators = exact or [entry.operators for entry in spec.filters if entry.field == ANY_FIELD]
    if not operators or not operators[0]:
        fields = ", ".join(entry.field for entry in spec.filters if entry.operators)
        can = f"It can by {fields}." if fields else "It can by no field."
        raise UnsupportedError(f"Collection {spec.key!r} cannot be filtered by {condition.field[:100]!r}. {can}")
    if not exact:
        require_known(spec, condition.field)
    if condition.operator not in operators[0]:
        raise UnsupportedError(
            f"Field {condition.field[:100]!r} cannot be filtered by {condition.operator}. It can by {', '.join(operators[0])}."
        )
    check_value(condition, spec)


def require_known(spec: CollectionSpec, name: str) -> None:
    """Returns when the collection has a field, or may have it. Raises InvalidError that names some which it has."""
    if name == ANY_FIELD:
        raise InvalidError(f"{ANY_FIELD!r} stands for any field of collection {spec.key!r} and is none itself. Name one.")
    if not is_known(spec.fields_schema, name):
        known = ", ".join(list((spec.fields_schema or {}).get("properties", {}))[:20])
        raise InvalidError(f"Collection {spec.key!r} has no field {name[:100]!r}. It has {known}.")


def _of_field(name: str, value: JsonValue, violations: Violations, field: Place) -> Iterator[tuple[Condition, Place]]:
    if not name:
        violations.add(InvalidError("A field's name must not be empty.", field=field))
    elif not isinstance(value, dict):
        yield Condition(field=name, operator=FilterOperator.EQ, value=value), [*field, name]
    elif not value:
        violations.add(InvalidError(f"Field {name[:100]!r} has no operator. Write {{field: {{GTE: 5}}}}.", field=[*field, name]))
    else:
        for key, operand in value.items():
            operator = _OPERATORS.get(key.replace("_", "").upper())
            if operator is None:
                known = ", ".join(FilterOperator)
                violations.add(InvalidError(f"{key[:100]!r} is no operator. There are {known}.", field=[*field, name, key]))
            else:
                yield Condition(field=name, operator=operator, value=operand), [*field, name, key]


def _own_conditions(given: JsonValue, spec: CollectionSpec) -> tuple[Condition, ...]:
    read = read_conditions(given, field=["filter"])
    violations = Violations()
    for condition, place in read:
        violations.collect(partial(_checked, condition, spec, place))
    violations.refuse()
    return tuple(condition for condition, _ in read)


def _unified_conditions(given: JsonValue, spec: CollectionSpec, translation: Translation | None) -> tuple[Condition, ...]:
    if given is None or translation is None:
        return ()
    violations = Violations()
    read = read_conditions(given, field=["unifiedFilter"])
    found = [violations.collect(partial(_translated, condition, spec, translation, place)) for condition, place in read]
    violations.refuse()
    return tuple(condition for condition in found if condition is not None)


def _translated(condition: Condition, spec: CollectionSpec, translation: Translation, place: Place) -> Condition:
    _check_shape(condition, place)
    try:
        native = translation.condition(condition, fields_schema=spec.fields_schema)
    except UserError as error:
        raise at(error, place) from None
    return _checked(native, spec, place)


def _checked(condition: Condition, spec: CollectionSpec, place: Place) -> Condition:
    _check_shape(condition, place)
    try:
        check_condition(condition, spec)
    except UserError as error:
        raise at(error, place) from None
    return condition


def _check_shape(condition: Condition, place: Place) -> None:
    """What an operator takes, whatever the field."""
    operator, value = condition.operator, condition.value
    if operator is FilterOperator.IN:
        if not isinstance(value, list) or not value:
            raise InvalidError("IN takes a list of at least one value.", field=place)
        if len(value) > MAXIMUM_VALUES:
            raise InvalidError(f"IN has {len(value)} values; at most {MAXIMUM_VALUES} are taken.", field=place)
        if any(isinstance(item, list | dict) for item in value):
            raise InvalidError("IN takes texts, numbers, booleans and null.", field=place)
    elif operator is FilterOperator.CONTAINS and isinstance(value, bool | int | float):
        return  # What a list may hold; `check_value` sees whether the field is one.
    elif operator in _TEXT and not (isinstance(value, str) and value):
        raise InvalidError(_NO_TEXT.format(operator), field=place)
    elif operator in _ORDERED and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise InvalidError(f"{operator} takes a number, a time or another text.", field=place)


def check_value(condition: Condition, spec: CollectionSpec) -> None:
    """Returns when records can have the value that a field is compared with. Raises InvalidError for one of a wrong type.

    An app would answer it with an empty list, or with all records.
    """
    types = property_types(spec.fields_schema, condition.field) if spec.fields_schema is not None else frozenset()
    if condition.operator in _TEXT and types and "array" not in types and not isinstance(condition.value, str):
        raise InvalidError(_NO_TEXT.format(condition.operator))
    if not types or "array" in types or condition.operator in _TEXT:
        return
    values = condition.value if isinstance(condition.value, list) and condition.operator is FilterOperator.IN else [condition.value]
    for value in values:
        if value is not None and not types & _types_of(value):
            expected = " or ".join(sorted(types - {"null"}))
            raise InvalidError(f"Field {condition.field[:100]!r} is compared with {str(value)[:100]!r}, which is no {expected}.")


def _types_of(value: JsonValue) -> frozenset[str]:
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return frozenset({"integer", "number"})
    if isinstance(value, float):
        return frozenset({"number"})
    return frozenset({"string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"})


def _search(given: str | None) -> str | None:
    if given is None or not given.strip():
        return None
    if len(given) > MAXIMUM_SEARCH:
        raise InvalidError(f"The search has {len(given)} characters; at most {MAXIMUM_SEARCH} are taken.", field=["search"])
    return checks.text(given, field=["search"], maximum=MAXIMUM_SEARCH)


def _order(given: RecordOrder | None, spec: CollectionSpec) -> RecordOrder | None:
    if given is None:
        return None
    if given.field not in spec.order_fields or given.field == ANY_FIELD:
        if ANY_FIELD not in spec.order_fields:
            fields = ", ".join(spec.order_fields)
            can = f"It can by {fields}." if fields else "It can by no field."
            raise UnsupportedError(f"Collection {spec.key!r} cannot be ordered by {given.field[:100]!r}. {can}", field=["orderBy", "field"])
        try:
            require_known(spec, given.field)
        except UserError as error:
            raise at(error, ["orderBy", "field"]) from None
    return given
