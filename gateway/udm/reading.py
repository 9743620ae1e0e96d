"""Reads an app's fields as a model's. Rules are compiled once, to one function: a page has a thousand records."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from gateway.expressions import ExpressionError, Template, times
from gateway.expressions.source import Source
from gateway.models import JsonObject, JsonSchema, JsonValue, Record
from gateway.udm.coercion import LEFT_AS_THEY_ARE, LEFT_IF_TOLD_SO, MADE_BY_TYPE, TEXTS, Coercion, ListCoercion, coercion
from gateway.udm.filling import Gap, fillable, filling
from gateway.udm.model import UniversalDataModel
from gateway.udm.rules import FieldRule, unified_value

ObjectReader = Callable[[Any], JsonObject]
ModelReader = Callable[[Record], JsonObject]
_ValueReader = Callable[[Any], JsonValue]

_TIMES: Mapping[str, str] = {"createdTime": "created_at", "updatedTime": "updated_at"}
"""The fields of models that tell what an app tells of every record, and where it stands in a record."""


def object_reader(rules: Mapping[str, FieldRule], schema: JsonSchema) -> ObjectReader:
    """What reads an app's fields as an object of the schema; fields of which the app has nothing are left out."""
    writer = _Writer()
    return writer.compiled("fields", "found = {}", *writer.fields(rules, schema), "return found")


def model_reader(
    rules: Mapping[str, FieldRule], model: UniversalDataModel, *, mapped: Collection[str], through: ModelReader | None = None
) -> ModelReader:
    """What reads a record as a model: its id and fields, its times where the fields do not tell them, and what fills its gaps.

    The rules speak of the record's own fields, or of those that it has `through` another model, its times among them.
    `mapped` are the fields that the app has a place for.
    """
    writer = _Writer()
    times_of = {name: part for name, part in _TIMES.items() if name in model.properties and through is None}
    rules = {name: rule for name, rule in rules.items() if name != "id"}
    return writer.compiled(
        "record",
        f"{', '.join(Record._fields)} = record",
        *([f"fields = {writer.name(through)}(record)"] if through is not None else []),
        "found = {'id': external_id}",
        *writer.fields(rules, model.fields_schema),
        *writer.times(times_of),
        *writer.gaps(model, mapped=mapped, told={"id", *rules, *times_of}),
        "return found",
    )


class _Writer:
    """Writes one reader, which adds to `found` what it finds in `fields`."""

    def __init__(self) -> None:
        self._source = Source(
            "compiled mapping",
            dict=dict,
            list=list,
            map=map,
            str=str,
            type=type,
            isinstance=isinstance,
            mapping_of=_mapping_of,
            text_of_time=times.to_text,
        )
        self._values: dict[str, str] = {}
        """What the function calls the values of fields."""
        self.name = self._source.name

    def compiled(self, parameters: str, *lines: str) -> Callable[..., JsonObject]:
        """The reader of these lines."""
        name = self._source.function(parameters, *lines)
        return self._source.compiled()(name)

    def fields(self, rules: Mapping[str, FieldRule], schema: JsonSchema) -> Iterator[str]:
        """Finds the value of each rule. One that stands under one name takes no call where it is of the right type already."""
        yield "get = (fields if fields.__class__ is dict else mapping_of(fields)).get"
        properties = schema.get("properties", {})
        for name, rule in rules.items():
            value = self._values[name] = f"v{len(self._values)}"
            yield from self._field(value, rule, properties.get(name, {}), f"found[{self.name(name)}]")

    def _field(self, value: str, rule: FieldRule, schema: JsonSchema, place: str) -> Iterator[str]:
        if not _is_plain(rule):
            yield f"{value} = {self.name(_value_reader(rule, schema))}(fields)"
            yield f"if {value} is not None: {place} = {value}"
            return
        make = coercion(schema)
        yield f"{value} = get({self.name(rule.path)})"
        yield f"if {self._is_left(value, make)}: {place} = {value}"
        for kind, made in MADE_BY_TYPE.get(make, {}).items():
            yield f"elif {value}.__class__ is {self.name(kind)}: {place} = {value} = {self.name(made)}({value})"
        yield f"elif {value} is not None and ({value} := {self.name(make)}({value})) is not None: {place} = {value}"

    def _is_left(self, value: str, make: Coercion) -> str:
        """An expression of whether the value stays as it is; where it is not told so, `make` has to be asked."""
        if isinstance(make, ListCoercion):
            return f"{value}.__class__ is list and {self.name(make.leaves_items)}(map(type, {value}))"
        if make in LEFT_IF_TOLD_SO:
            return f"{value}.__class__ is str and {self.name(LEFT_IF_TOLD_SO[make])}({value})"
        return f"{value}.__class__ is {self.name(LEFT_AS_THEY_ARE.get(make))}"

    def times(self, times_of: Mapping[str, str]) -> Iterator[str]:
        """Adds the times of the record that no rule has found."""
        for field, part in times_of.items():
            name = self.name(field)
            yield f"if {part} is not None and {name} not in found: found[{name}] = text_of_time({part})"

    def gaps(self, model: UniversalDataModel, *, mapped: Collection[str], told: Collection[str]) -> Iterator[str]:
        """Fills the gaps; most fields are there and true, and none of these is one."""
        for gap in fillable(model.gaps, mapped=mapped, told=told):
            if (source := _copied(gap, model)) is not None:
                name = self.name(gap.path[0])
                # Connectors that are not checked may have given it parts.
                is_text = f"(text := found.get({self.name(source)})) and isinstance(text, str)"
                yield f"if not found.get({name}) and {is_text}: found[{name}] = text"
                continue
            fill = f"{self.name(filling(gap, model.fields_schema))}(found)"
            value = self._values.get(".".join(gap.path))
            yield f"if not {value}: {fill}" if value is not None else fill


def _copied(gap: Gap, model: UniversalDataModel) -> str | None:
    """The field whose text fills the gap as it is: of texts only an empty one is nothing. Null for other gaps."""
    if gap.value.path is None or len(gap.path) != 1 or len(gap.value.path) != 1:
        return None
    make, other = (coercion(model.properties.get(name, {})) for name in (*gap.path, *gap.value.path))
    return gap.value.path[0] if make is other and make in TEXTS else None


def _is_plain(rule: FieldRule) -> bool:
    """Whether it is a field of the app's, as it is."""
    return rule.path is not None and "." not in rule.path and not (rule.from_ or rule.values or rule.fields or rule.each)


def _mapping_of(fields: Any) -> Mapping[str, Any]:
    return fields if isinstance(fields, Mapping) else {}


def _value_reader(rule: FieldRule, schema: JsonSchema) -> _ValueReader:
    if rule.fields:
        parts = object_reader(rule.fields, schema)
        return lambda fields: parts(fields) or None
    raw = _raw_reader(rule)
    if rule.each:
        return _items_reader(raw, object_reader(rule.each, schema.get("items", {})))
    coerce = coercion(schema)
    return lambda fields: coerce(raw(fields))


def _items_reader(raw: _ValueReader, item: ObjectReader) -> _ValueReader:
    def read(fields: Any) -> JsonValue:
        value = raw(fields)
        if value is None:
            return None
        items = value if isinstance(value, list) else [value]
        return [found for found in map(item, items) if found]

    return read


def _raw_reader(rule: FieldRule) -> _ValueReader:
    read = _nothing if rule.path is None else _path_reader(rule.path)
    if rule.from_ is not None:
        read = _template_reader(rule.from_, read)
    if not rule.values:
        return read
    return lambda fields: unified_value(rule, read(fields))


def _path_reader(path: str) -> _ValueReader:
    first, *rest = path.split(".")

    def read(fields: Any) -> JsonValue:
        # A plain object is told at once, without a look at what is registered as a mapping.
        if not isinstance(fields, (dict, Mapping)):
            return None
        if path in fields:
            return _value(fields[path])
        value = fields.get(first)
        for name in rest:
            value = value.get(name) if isinstance(value, Mapping) else None
        return _value(value)

    return read


def _template_reader(template: Template, value: _ValueReader) -> _ValueReader:
    def read(fields: Any) -> JsonValue:
        try:
            return _value(template.render({"fields": fields, "value": value(fields)}))
        except ExpressionError:
            # One odd value of one record is nothing to lose all its other fields for.
            return None

    return read


def _nothing(_: Any) -> JsonValue:
    return None


def _value(value: Any) -> JsonValue:
    checked: JsonValue = value
    return checked
