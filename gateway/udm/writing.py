"""Writes a model's fields as an app's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import InvalidError
from gateway.expressions import ExpressionError
from gateway.models import JsonObject, JsonSchema, JsonValue
from gateway.udm.coercion import fitted
from gateway.udm.rules import FieldRule, is_name_of, is_same, native_values, schema_at

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Native:
    """Fields of a model as the app's own fields, and the names of those that have no place there."""

    fields: JsonObject
    unmapped: tuple[str, ...]
    """In the order in which they were given; a part of an object as `primaryAddress.zip`."""


def native_fields(
    unified: JsonObject, *, rules: Mapping[str, FieldRule], model_schema: JsonSchema, fields_schema: JsonSchema | None
) -> Native:
    """The app's own fields. Raises InvalidError with the field's path for a value that has no counterpart there."""
    writing = _Writing(fields_schema=fields_schema)
    writing.add_all(rules, unified, schema=model_schema, at=())
    return Native(fields=writing.fields, unmapped=tuple(writing.unmapped))


@dataclass
class _Writing:
    """One object that is being put together: all of the app's fields, or one item of a list."""

    fields_schema: JsonSchema | None
    fields: JsonObject = field(default_factory=dict)
    unmapped: dict[str, None] = field(default_factory=dict)

    def add_all(self, rules: Mapping[str, FieldRule], unified: JsonObject, *, schema: JsonSchema, at: Path) -> None:
        properties = schema.get("properties", {})
        for name, value in unified.items():
            rule, part, place = rules.get(name), properties.get(name, {}), (*at, name)
            if rule is None or part.get("readOnly") or not _has_place(rule):
                self.unmapped[_name(place)] = None
            elif rule.fields:
                self._add_object(rule, value, schema=part, at=place)
            elif rule.each and value is not None:
                self._set(rule, self._items(rule, value, schema=part.get("items", {}), at=place), at=place)
            else:
                self._set(rule, _native(rule, value, unified, at=place), at=place)

    def _add_object(self, rule: FieldRule, value: JsonValue, *, schema: JsonSchema, at: Path) -> None:
        if value is None:
            # Emptying the whole empties each part that can be written.
            value = {name: None for name, part in rule.fields.items() if _has_place(part)}
        if not isinstance(value, dict):
            raise InvalidError(f"{_name(at)} is an object, not {_kind(value)}.", field=at)
        self.add_all(rule.fields, value, schema=schema, at=at)

    def _items(self, rule: FieldRule, value: JsonValue, *, schema: JsonSchema, at: Path) -> JsonValue:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise InvalidError(f"{_name(at)} is a list of objects.", field=at)
        items: list[JsonValue] = []
        for item in value:
            writing = _Writing(fields_schema=schema_at(self.fields_schema, rule.path or "").get("items"), unmapped=self.unmapped)
            writing.add_all(rule.each, item, schema=schema, at=at)
            items.append(writing.fields)
        return items

    def _set(self, rule: FieldRule, value: JsonValue, *, at: Path) -> None:
        path = rule.path or ""
        value = fitted(value, schema_at(self.fields_schema, path))
        keys = [path] if is_name_of(self.fields_schema, path) else path.split(".")
        target = self.fields
        for key in keys[:-1]:
            below = target.get(key, {})
            if not isinstance(below, dict):
                raise _contradiction(at, path)
            # What another field gave whole is the caller's own object.
            part = {**below}
            target[key] = part
            target = part
        if keys[-1] in target and not is_same(target[keys[-1]], value):
            raise _contradiction(at, path)
        target[keys[-1]] = value


def _native(rule: FieldRule, value: JsonValue, unified: JsonObject, *, at: Path) -> JsonValue:
    if value is None:
        return None
    if rule.values:
        value = [_counterpart(rule, item, at) for item in value] if isinstance(value, list) else _counterpart(rule, value, at)
    if rule.to is None:
        return value
    try:
        written: JsonValue = rule.to.render({"value": value, "unified": unified})
    except ExpressionError as error:
        raise InvalidError(f"{_name(at)} cannot be written as the app's field {rule.path!r}: {error}.", field=at) from None
    return written


def _counterpart(rule: FieldRule, value: JsonValue, at: Path) -> JsonValue:
    found = native_values(rule, value)
    if not found:
        known = ", ".join(repr(known) for known in dict.fromkeys(map(str, rule.values.values())))
        raise InvalidError(f"{_name(at)} cannot be {str(value)[:100]!r} in this app. It can be {known}.", field=at)
    return found[0]


def _has_place(rule: FieldRule) -> bool:
    return rule.path is not None or any(map(_has_place, rule.fields.values()))


def _contradiction(at: Path, path: str) -> InvalidError:
    return InvalidError(f"{_name(at)} and another field are both the app's field {path!r}, with different values. Give one.", field=at)


def _name(at: Path) -> str:
    return ".".join(at)


def _kind(value: JsonValue) -> str:
    return "a list" if isinstance(value, list) else "a single value"
