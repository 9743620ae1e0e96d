"""Reads an app's fields as a model's. Rules are compiled once, to one function: a page has a thousand records."""

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from gateway.expressions import ExpressionError, Template, times
from gateway.expressions.source import Source
from gateway.models import JsonObject, JsonSchema, JsonValue, Record
from gateway.models.answer_objects import answer_class
from gateway.models.read_fields import ReadFields, attribute_of, object_of
from gateway.udm.coercion import LEFT_AS_THEY_ARE, LEFT_IF_TOLD_SO, MADE_BY_TYPE, TEXTS, Coercion, ListCoercion, coercion
from gateway.udm.filling import Gap, fillable, filling
from gateway.udm.model import UniversalDataModel
from gateway.udm.page_readers import KnownTypes, PageReader, PageReaders
from gateway.udm.rules import FieldRule, unified_value
from gateway.udm.shapes import type_name

ObjectReader = Callable[[Any], JsonObject]
ModelReader = Callable[[Record], JsonObject]
_ValueReader = Callable[[Any], JsonValue]

_TIMES: Mapping[str, str] = {"createdTime": "created_at", "updatedTime": "updated_at"}
"""The fields of models that tell what an app tells of every record, and where it stands in a record."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A value of what is picked of a model."""

    name: str | None
    """The field; null for the name of the model's type."""
    made: Callable[[Any], Any] | None = None
    """What is made of a value that is there; null where it stays as it is."""


def object_reader(rules: Mapping[str, FieldRule], schema: JsonSchema) -> ObjectReader:
    """What reads an app's fields as an object of the schema; fields of which the app has nothing are left out."""
    writer = _Writer()
    return writer.compiled("fields", *writer.fields(rules, schema), "found = {}", *writer.found(), "return found")


def model_reader(
    rules: Mapping[str, FieldRule], model: UniversalDataModel, *, mapped: Collection[str], through: ModelReader | None = None
) -> ModelReader:
    """What reads a record as a model: its id and fields, its times where the fields do not tell them, and what fills its gaps.

    The rules speak of the record's own fields, or of those that it has `through` another model, its times among them.
    `mapped` are the fields that the app has a place for.
    """
    writer, told = _Writer(), _told(rules, model, through)
    return writer.compiled(
        "record",
        *writer.values(rules, model, through),
        "found = {'id': external_id}",
        *writer.found(),
        *writer.gaps(model, mapped=mapped, told=told),
        "return found",
    )


def picking_reader(
    picked: Mapping[str, Picked],
    rules: Mapping[str, FieldRule],
    model: UniversalDataModel,
    *,
    mapped: Collection[str],
    whole: ModelReader,
    through: ModelReader | None = None,
) -> PageReader | None:
    """What reads of each record what `whole` would, but only what is picked, by the names and in the order of `picked`; else nulls.

    Null where the rules of a connector that is not checked give parts of what the model has as one value.
    """
    names = {each.name for each in picked.values()}
    if any(name in names and not _gives_kind(rule, model.properties.get(name, {})) for name, rule in rules.items()):
        return None
    writer, told = _Writer(), _told(rules, model, through)
    if any(gap.path[0] in names for gap in fillable(model.gaps, mapped=mapped, told=told)):
        return writer.page(f"found = {writer.name(whole)}(record)", writer.picked(picked, model, is_found=True))
    wanted = {name: rule for name, rule in rules.items() if name in names}

    def reader(types: KnownTypes | None = None) -> PageReader:
        writer = _Writer(types=types)
        return writer.page(*writer.values(wanted, model, through, only=names), writer.picked(picked, model, is_found=False))

    return PageReaders(reader) if through is None and all(map(_is_plain, wanted.values())) else reader()


def _told(rules: Mapping[str, FieldRule], model: UniversalDataModel, through: ModelReader | None) -> set[str]:
    """The fields that a record may have before any gap is filled."""
    return {"id", *rules, *_times_of(model, through)}


def _times_of(model: UniversalDataModel, through: ModelReader | None) -> Mapping[str, str]:
    return {name: part for name, part in _TIMES.items() if name in model.properties and through is None}


def _gives_kind(rule: FieldRule, schema: JsonSchema) -> bool:
    """Whether what the rule gives is of the kind that the schema says."""
    return not (rule.fields or rule.each) or schema.get("type", "object") == "object"


class _Writer:
    """Writes one reader, which gives a name to each value that it finds in `fields`: an object, or `ReadFields` with such `types`."""

    def __init__(self, *, types: KnownTypes | None = None) -> None:
        self._types = types
        self._source = Source(
            "compiled mapping",
            dict=dict,
            list=list,
            str=str,
            type=type,
            isinstance=isinstance,
            mapping_of=_mapping_of,
            text_of_time=times.to_text,
        )
        self._values: dict[str, str] = {}
        """What the function calls the values of fields."""
        self.name = self._source.name

    def compiled(self, parameter: str, *lines: str) -> Callable[[Any], JsonObject]:
        """The reader of these lines."""
        name = self._source.function(parameter, *lines)
        return self._source.compiled()(name)

    def page(self, *lines: str) -> PageReader:
        """The reader of all records of a page, each by these lines."""
        each = (f"    {line}" for line in lines)
        name = self._source.function("records", "page = []", "for record in records:", *each, "return page", is_loop=True)
        return self._source.compiled()(name)

    def values(
        self,
        rules: Mapping[str, FieldRule],
        model: UniversalDataModel,
        through: ModelReader | None,
        *,
        only: Container[str | None] | None = None,
    ) -> Iterator[str]:
        """Finds what a record has for the rules of a model, and its times; `only` some of these, where it is given."""
        parts = {"external_id": "id", "fields": None, **{part: name for name, part in _times_of(model, through).items()}}
        for part, name in parts.items():
            if only is None or name is None or name in only:
                yield f"{part} = record.{part}"
        if through is not None:
            yield f"fields = {self.name(through)}(record)"
        yield from self.fields({name: rule for name, rule in rules.items() if name != "id"}, model.fields_schema)
        for field, part in _times_of(model, through).items():
            if only is None or field in only:
                value = self._values.get(field)
                known = f"{value} if {value} is not None else " if value is not None else ""
                # What tells the field may be an attribute of the record's own, which stays as it is.
                yield f"{part} = {known}None if {part} is None else text_of_time({part})"
                self._values[field] = part

    def fields(self, rules: Mapping[str, FieldRule], schema: JsonSchema) -> Iterator[str]:
        """Finds the value of each rule. One that stands under one name takes no call where it is of the right type already."""
        if self._types is None:
            yield "if type(fields) is not dict: fields = mapping_of(fields)"
        properties = schema.get("properties", {})
        for name, rule in rules.items():
            described, path = properties.get(name, {}), rule.path or ""
            if (path, _type_left(coercion(described))) in (self._types or ()):
                self._values[name] = f"fields.{attribute_of(path)}"
            else:
                yield from self._field(self._value(name), rule, described)

    def found(self) -> Iterator[str]:
        """Adds to `found` the values that there are."""
        for field, value in self._values.items():
            yield f"if {value} is not None: found[{self.name(field)}] = {value}"

    def picked(self, picked: Mapping[str, Picked], model: UniversalDataModel, *, is_found: bool) -> str:
        """Adds what is picked, of what was `found` or of the values, to the page."""
        value = self._got if is_found else self._known
        members = (self._made(each, value, model) for each in picked.values())
        return f"page.append({self.name(answer_class(picked))}({', '.join(members)}))"

    def _made(self, picked: Picked, value: Callable[[str], str], model: UniversalDataModel) -> str:
        if picked.name is None:
            return self.name(type_name(model))
        if picked.made is None:
            return value(picked.name)
        return f"(None if (v := {value(picked.name)}) is None else {self.name(picked.made)}(v))"

    def _got(self, field: str) -> str:
        return f"found.get({self.name(field)})"

    def _known(self, field: str) -> str:
        return "external_id" if field == "id" else self._values.get(field, "None")

    def _value(self, field: str) -> str:
        """What the function calls the value of a field."""
        return self._values.setdefault(field, f"v{len(self._values)}")

    def _field(self, value: str, rule: FieldRule, schema: JsonSchema) -> Iterator[str]:
        if not _is_plain(rule):
            yield f"{value} = {self.name(_value_reader(rule, schema))}(fields)"
            return
        make = coercion(schema)
        path = rule.path or ""
        is_read = self._types is not None
        yield f"{value} = fields.{attribute_of(path)}" if is_read else f"{value} = fields.get({self.name(path)})"
        made = f"{self.name(make)}({value})"
        for kind, other in MADE_BY_TYPE.get(make, {}).items():
            made = f"{self.name(other)}({value}) if type({value}) is {self.name(kind)} else {made}"
        if isinstance(make, ListCoercion):
            # Most lists are short: to go through them here takes less than to begin anything that goes through them.
            yield f"if type({value}) is list:"
            yield f"    for item in {value}:"
            yield f"        if type(item) is not {self.name(make.kind)}:"
            yield f"            {value} = {made}"
            yield "            break"
            yield f"elif {value} is not None: {value} = {made}"
            return
        yield f"if not ({self._is_left(value, make)}) and {value} is not None: {value} = {made}"

    def _is_left(self, value: str, make: Coercion) -> str:
        """An expression of whether the value stays as it is; where it is not told so, `make` has to be asked."""
        if make in LEFT_IF_TOLD_SO:
            known, is_left = map(self.name, LEFT_IF_TOLD_SO[make])
            return f"type({value}) is str and ({value} in {known} or {is_left}({value}))"
        return f"type({value}) is {self.name(LEFT_AS_THEY_ARE.get(make))}"

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


def _type_left(make: Coercion) -> Any:
    """The type of which it leaves all values as they are; null where no type tells that."""
    if isinstance(make, ListCoercion):
        return list[str] if make.kind is str else None
    return LEFT_AS_THEY_ARE.get(make)


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
    if isinstance(fields, ReadFields):
        return object_of(fields)
    if isinstance(fields, Raw):
        raise TypeError("These fields were to be shown only: nobody read them.")
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
