"""Records out of what an app answers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from gateway.connectors.executor.known_fields import SCHEMA
from gateway.connectors.executor.names import Names, kind_of, told
from gateway.connectors.executor.record_columns import RecordColumns, key_of, told_by
from gateway.connectors.executor.record_values import ODD, ids_of, read_id, read_time, text_or_none
from gateway.connectors.executor.transforms import transformed
from gateway.connectors.format.collections import Collection
from gateway.errors import UpstreamResponseError
from gateway.expressions import Template
from gateway.models import JsonObject, JsonSchema, JsonValue, Record
from gateway.models.records import RECORD_PARTS, TOLD_PARTS
from gateway.udm.coercion import fitted

ITEMS_IN_A_TURN = 50
"""How many items are read without a pause, where what each takes depends on what is in it."""


class RecordReader:
    """Reads records of one collection; `names` are those of its expressions beside `record`, `parts` the parts that are wanted."""

    def __init__(self, collection: Collection, *, names: Names, parts: frozenset[str] = RECORD_PARTS) -> None:
        self._collection = collection
        self.parts = parts
        self._names = names
        self._types = _types(collection, names) if collection.coerce else None
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
        id_key = key_of(self._collection.record.id)
        if self.is_reshaped or not id_key or (len(items) > ITEMS_IN_A_TURN and not self._is_walked()):
            return None
        columns = RecordColumns(self._collection.record, self.parts, values_of=self._values_of)
        try:
            return columns.records(ids_of(list(map(itemgetter(id_key), items))), items, items)
        except ODD:
            return None

    def _template(self, part: str) -> Template | None:
        return told_by(self._collection.record, part, wanted=self.parts)

    def _is_walked(self) -> bool:
        return all(template is None or template.is_walked for template in map(self._template, TOLD_PARTS))

    def _values_of(self, template: Template) -> Callable[[Sequence[Any]], list[Any]]:
        key = key_of(template)
        if key is not None:
            return lambda items: [item.get(key) for item in items]
        return lambda items: [template.render({**self._names, "record": item}) for item in items]

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


def _types(collection: Collection, names: Names) -> JsonSchema | None:
    """The schema whose types the fields take, where the collection has them fitted; null where there is none."""
    described = names.get(SCHEMA)
    return described if isinstance(described, dict) else collection.fields


def _text(template: Template | None, names: Mapping[str, JsonValue], *, what: str) -> str | None:
    return text_or_none(told(template, names, what=what)) if template is not None else None
