"""Records out of what an app answers."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Any, cast

from gateway.connectors.executor.known_fields import SCHEMA
from gateway.connectors.executor.names import Names, kind_of, told
from gateway.connectors.executor.transforms import transformed
from gateway.connectors.format.collections import Collection
from gateway.connectors.http import JsonPage
from gateway.errors import UpstreamResponseError
from gateway.expressions import ExpressionError, Template, times
from gateway.models import JsonObject, JsonSchema, JsonValue, Record
from gateway.models.read_fields import attribute_of
from gateway.models.records import RECORD_PARTS, TOLD_PARTS
from gateway.udm.coercion import fitted

ITEMS_IN_A_TURN = 50
"""How many items are read without a pause, where what each takes depends on what is in it."""

_MILLISECONDS = 1000
_MADE_AS_TUPLE = cast(Callable[..., Record], tuple.__new__)
# Without a step in Python for each record.
_ID_OF: dict[type, Callable[[Any], str]] = {float: json.dumps}
"""How ids are written that are neither texts nor integers. All else is no id, an empty text too."""
_ONLY_TEXTS = frozenset({str}).issuperset
_ODD = (AttributeError, KeyError, TypeError, ValueError, ExpressionError)
"""What an item raises that is no object, whose id is none, or of which something cannot be told."""


class RecordReader:
    """Reads records of one collection; `names` are those of its expressions beside `record`, `parts` the parts that are wanted."""

    def __init__(self, collection: Collection, *, names: Names, parts: frozenset[str] = RECORD_PARTS) -> None:
        self._collection = collection
        self.parts = parts
        self._names = names
        self._id_key = _key(collection.record.id)
        self._types = _types(collection, names)
        self.is_reshaped = collection.from_api is not None or bool(collection.transforms) or self._types is not None
        """Whether fields are other than the app sent them, which may depend on what it has described."""

    def read(self, raw: JsonValue, number: int) -> Record:
        """The record that an item stands for, the `number`th of its page.

        A time that cannot be read is null. Raises UpstreamResponseError when the item is no object or has no id.
        """
        return self._read(raw, f"Record {number} of the page")

    def read_one(self, raw: JsonValue) -> Record:
        """The record that an answer for one record stands for. Raises UpstreamResponseError as `read` does."""
        return self._read(raw, "The record")

    def read_plain(self, items: list[JsonValue]) -> list[Record] | None:
        """The records of items that are their fields as they came, as most are: column by column, because a page has a thousand.

        Null where they are to be reshaped, where they are too many for the expressions to be read in one go, and where anything is
        amiss with any of them: `read` tells what.
        """
        if self.is_reshaped or not self._id_key or (len(items) > ITEMS_IN_A_TURN and not self._is_walked()):
            return None
        try:
            return self._in_columns(_ids(list(map(itemgetter(self._id_key), items))), items, partial(self._values, items))
        except _ODD:
            return None

    @property
    def keys(self) -> frozenset[str] | None:
        """The fields of items that tell all that is wanted of records beside their fields; null where that takes more."""
        told = map(self._template, TOLD_PARTS)
        keys = {_key(template) for template in (self._collection.record.id, *told) if template is not None}
        return frozenset(key for key in keys if key is not None) if None not in keys else None

    def read_unread(self, page: JsonPage) -> list[Record] | None:
        """The records of a page of which only some fields were read, `keys` among them. Null where anything is amiss with any.

        Their fields are texts of JSON where the page has these, else those that were read.
        """

        def values(template: Template) -> list[Any]:
            return list(map(attrgetter(attribute_of(_key(template) or "")), page.items))

        try:
            return self._in_columns(_ids(values(self._collection.record.id)), page.texts or page.items, values)
        except _ODD:
            return None

    def _in_columns(self, ids: list[str], fields: Sequence[Any], values: Callable[[Template], list[Any]]) -> list[Record]:
        """Records of their ids, their fields, and the values that templates have for them."""
        columns = (
            ids,
            fields,
            repeat(None),
            self._texts("name", values),
            self._texts("url", values),
            self._texts("version", values),
            self._times("created_at", values),
            self._times("updated_at", values),
        )
        return list(map(_MADE_AS_TUPLE, repeat(Record), zip(*columns)))  # noqa: B905 - some have no end.

    def _template(self, part: str) -> Template | None:
        """What tells a part of records; null where nothing does, or nobody wants it."""
        template: Template | None = getattr(self._collection.record, part) if part in self.parts else None
        return template

    def _is_walked(self) -> bool:
        return all(template is None or template.is_walked for template in map(self._template, TOLD_PARTS))

    def _texts(self, part: str, values_of: Callable[[Template], list[Any]]) -> Iterable[str | None]:
        template = self._template(part)
        if template is None:
            return repeat(None)
        values = values_of(template)
        return values if _are_texts(values) else [value if type(value) is str and value else _as_text(value) for value in values]

    def _times(self, part: str, values_of: Callable[[Template], list[Any]]) -> Iterable[datetime | None]:
        template = self._template(part)
        if template is None:
            return repeat(None)
        times_are = self._collection.record.times
        return [read_time(value, times_are=times_are) for value in values_of(template)]

    def _values(self, items: list[Any], template: Template) -> list[Any]:
        key = _key(template)
        if key is not None:
            return [item.get(key) for item in items]
        return [template.render({**self._names, "record": item}) for item in items]

    def _read(self, raw: JsonValue, what: str) -> Record:
        return self.record_in(self.names_of(raw, what=what), raw, what=what)

    def names_of(self, raw: JsonValue, *, what: str) -> Names:
        """What the expressions of a record see of the item. Raises UpstreamResponseError when it is no object."""
        if not isinstance(raw, dict):
            raise UpstreamResponseError(f"{what} is {kind_of(raw)}, not an object.")
        return {**self._names, "record": transformed(raw, self._collection.transforms, names=self._names, what=what)}

    def id_in(self, names: Names, *, what: str, template: Template | None = None) -> str:
        """The id that stands among the names of an item, by another template than the record's where one is given."""
        wanted = template if template is not None else self._collection.record.id
        return read_id(told(wanted, names, what=f"{what}: its id"), wanted, what=what)

    def record_in(self, names: Names, raw: JsonValue, *, what: str) -> Record:
        """The record that stands among the names of an item. Raises UpstreamResponseError as `read` does."""
        return Record(
            external_id=self.id_in(names, what=what),
            fields=self._fields(names["record"], names, what=what),
            raw_fields=raw if self.is_reshaped and isinstance(raw, dict) else None,
            name=_text(self._template("name"), names, what=what),
            url=_text(self._template("url"), names, what=what),
            version=_text(self._template("version"), names, what=what),
            created_at=self._time(self._template("created_at"), names, what=what),
            updated_at=self._time(self._template("updated_at"), names, what=what),
        )

    def _fields(self, record: JsonValue, names: Names, *, what: str) -> JsonObject:
        fields = record
        if self._collection.from_api is not None:
            fields = told(self._collection.from_api, names, what=f"{what}: its fields")
        if self._types is not None:
            fields = fitted(fields, self._types)
        if not isinstance(fields, dict):
            raise UpstreamResponseError(f"{what} becomes {kind_of(fields)} by `from_api` of its connector, not an object.")
        return fields

    def _time(self, template: Template | None, names: Names, *, what: str) -> datetime | None:
        if template is None:
            return None
        value = told(template, names, what=f"{what}: a time")
        return read_time(value, times_are=self._collection.record.times)


def read_time(value: JsonValue, *, times_are: str) -> datetime | None:
    """The time in UTC that a value stands for, written in RFC 3339 or alike (`auto`) or as a number since 1970; null for others."""
    if times_are == "auto":
        return times.parse(value) if isinstance(value, str) else None
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        if number is None:
            return None
        # Zero is a time too: from_epoch takes only null for none.
        return times.from_epoch(number / _MILLISECONDS if times_are == "epoch_ms" else number)
    except (ValueError, OverflowError):
        return None


def read_id(value: JsonValue, template: Template, *, what: str) -> str:
    """The id as text, whatever the app uses. Raises UpstreamResponseError when `template` gave none."""
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    raise UpstreamResponseError(f"{what} has no id: {template.source!r} gives {kind_of(value) if value != '' else 'an empty text'}.")


def _types(collection: Collection, names: Names) -> JsonSchema | None:
    """The schema whose types the fields take; null where they stay as they are."""
    if not collection.coerce:
        return None
    described = names.get(SCHEMA)
    return described if isinstance(described, dict) else collection.fields


def _text(template: Template | None, names: Mapping[str, JsonValue], *, what: str) -> str | None:
    return _as_text(told(template, names, what=what)) if template is not None else None


def _as_text(value: JsonValue) -> str | None:
    if isinstance(value, str):
        return value or None
    return _number_text(value) if isinstance(value, int | float) else None


def _number_text(value: int | float) -> str:
    """A number as JSON writes it; of whole ones, which most ids are, Python's own text is that."""
    return str(value) if value.__class__ is int else json.dumps(value)


def _ids(values: list[Any]) -> list[str]:
    """The ids that values are. Raises one of `_ODD` where one is none."""
    if _are_texts(values):
        return values
    return [str(value) if type(value) is int else value if type(value) is str and value else _ID_OF[type(value)](value) for value in values]


def _are_texts(values: list[Any]) -> bool:
    """Whether all are texts and none is empty."""
    return _ONLY_TEXTS(map(type, values)) and all(values)


def _key(template: Template) -> str | None:
    """The field of an item that a template is; none where it is more than a field."""
    path = template.path
    return path[1] if path is not None and len(path) == 2 and path[0] == "record" else None
