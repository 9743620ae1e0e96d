"""Conditions on a model's fields as conditions on an app's own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gateway.errors import UnsupportedError
from gateway.expressions import ExpressionError
from gateway.models import Condition, FilterOperator, JsonSchema, JsonValue
from gateway.udm.coercion import fitted
from gateway.udm.comparisons import EQUALITY, checked, in_order
from gateway.udm.rules import FieldRule, native_values, schema_at


def native_condition(
    condition: Condition, *, rules: Mapping[str, FieldRule], model_schema: JsonSchema, fields_schema: JsonSchema | None
) -> Condition:
    """The condition on the app's field.

    Raises UnsupportedError, with the field's name, where it cannot be one, and InvalidError for a value that the model's field never has.
    """
    rule = _rule_of(rules, condition.field)
    if rule is None or not _is_comparable(rule):
        known = ", ".join(comparable_fields(rules)) or "none"
        raise _refused(condition, f"{condition.field} cannot be filtered through the model here. Fields that can: {known}.")
    if (rule.to is not None or rule.values) and condition.operator not in EQUALITY:
        raise _refused(condition, f"{condition.field} can be compared by EQ, NE and IN only: its values differ from the app's.")
    own, schema = schema_at(model_schema, condition.field), schema_at(fields_schema, rule.path or "")
    condition = in_order(checked(condition, own), schema=own, native=schema)
    if condition.operator is FilterOperator.CONTAINS:
        schema = _schema_of_parts(schema)
    if condition.operator is FilterOperator.IN and isinstance(condition.value, list):
        values = [native for item in condition.value for native in _natives(rule, item, condition)]
    elif condition.value is None or condition.operator not in EQUALITY:
        values = [condition.value]
    else:
        values = _natives(rule, condition.value, condition)
    fit = [fitted(value, schema) for value in values]
    return _told(replace(condition, field=rule.path or ""), fit, refused=lambda message: _refused(condition, message))


def comparable_fields(rules: Mapping[str, FieldRule], prefix: str = "") -> Iterator[str]:
    """The names of the model's fields that a condition can name, parts of objects with dots."""
    for name, rule in rules.items():
        if rule.fields:
            yield from comparable_fields(rule.fields, f"{prefix}{name}.")
        elif _is_comparable(rule):
            yield prefix + name


def _told(condition: Condition, values: list[JsonValue], *, refused: Callable[[str], UnsupportedError]) -> Condition:
    if condition.operator is FilterOperator.IN:
        return replace(condition, value=values)
    if len(values) == 1:
        return replace(condition, value=values[0])
    if condition.operator is FilterOperator.EQ:
        return replace(condition, operator=FilterOperator.IN, value=values)
    raise refused(
        f"Several values of the app's field {condition.field!r} stand for this one, and an app cannot be told to leave out several."
    )


def _rule_of(rules: Mapping[str, FieldRule], name: str) -> FieldRule | None:
    if name in rules:
        return rules[name]
    head, _, rest = name.partition(".")
    return _rule_of(rules[head].fields, rest) if rest and head in rules else None


def _is_comparable(rule: FieldRule) -> bool:
    return rule.path is not None and not rule.is_computed and not rule.each and not rule.fields


def _natives(rule: FieldRule, value: JsonValue, condition: Condition) -> list[JsonValue]:
    if value is None:
        return [None]
    if rule.values and isinstance(value, list):
        raise _refused(
            condition, f"{condition.field} cannot be compared with a list: the app's values differ. Compare it with one of them."
        )
    natives = native_values(rule, value) if rule.values else [value]
    if not natives:
        known = ", ".join(repr(known) for known in dict.fromkeys(map(str, rule.values.values())))
        raise _refused(condition, f"{condition.field} is never {str(value)[:100]!r} in this app. It can be {known}.")
    if rule.to is None:
        return natives
    try:
        return [rule.to.render({"value": native, "unified": {condition.field: value}}) for native in natives]
    except ExpressionError as error:
        raise _refused(condition, f"{condition.field} cannot be compared with this value: {error}.") from None


def _schema_of_parts(schema: JsonSchema) -> JsonSchema:
    """What a field that holds the value holds: a list its items, a text texts."""
    items = schema.get("items")
    return items if isinstance(items, dict) else schema


def _refused(condition: Condition, message: str) -> UnsupportedError:
    return UnsupportedError(message, field=[condition.field])
