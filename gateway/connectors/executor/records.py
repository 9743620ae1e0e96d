"""Records out of what an app answers."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from gateway.connectors.executor.known_fields import SCHEMA
from gateway.connectors.executor.names import Names, kind_of, told
from gateway.connectors.executor.transforms import transformed
from gateway.connectors.format.collections import Collection
from gateway.errors import UpstreamResponseError
from gateway.expressions import Template, times
from gateway.models import JsonObject, JsonSchema, JsonValue, Record
from gateway.udm.coercion import fitted

_MILLISECONDS = 1000
_PARTS = ("id", "name", "url", "version", "created_at", "updated_at")


class RecordReader:
    """Reads records of one collection; `names` are those of its expressions beside `record`."""

    def __init__(self, collection: Collection, *, names: Names) -> None:
        self._collection = collection
        self._names = names

    def read(self, raw: JsonValue, number: int) -> Record:
        """The record that an item stands for, the `number`th of its page.

        A time that cannot be read is null. Raises UpstreamResponseError when the item is no object or has no id.
        """
        found = self._plain(raw)
        return found if found is not None else self._read(raw, f"Record {number} of the page")

    def read_one(self, raw: JsonValue) -> Record:
        """The record that an answer for one record stands for. Raises UpstreamResponseError as `read` does."""
        return self._read(raw, "The record")

    def _plain(self, raw: JsonValue) -> Record | None:
        """The record of an item that says all by fields of its own, as most do, in few steps: a page has a thousand.

        None where it takes more, and where anything is amiss.
        """
        keys = self._keys
        if keys is None or not isinstance(raw, dict):
            return None
        id_key, name, url, version, created_at, updated_at = keys
        given = raw.get(id_key)
        external_id = _as_text(given)
        if external_id is None or isinstance(given, bool):
            return None
        times_are = self._collection.record.times
        return Record(
            external_id=external_id,
            fields=raw,
            name=_as_text(raw.get(name)) if name else None,
            url=_as_text(raw.get(url)) if url else None,
            version=_as_text(raw.get(version)) if version else None,
            created_at=read_time(raw.get(created_at), times_are=times_are) if created_at else None,
            updated_at=read_time(raw.get(updated_at), times_are=times_are) if updated_at else None,
        )

    @cached_property
    def _keys(self) -> list[str] | None:
        """The fields of an item that say what its record is, one for each of `_PARTS`; none where they do not say it as they are."""
        if self._is_reshaped:
            return None
        found = [_key(getattr(self._collection.record, part)) for part in _PARTS]
        keys = [key for key in found if key is not None]
        return keys if keys == found and keys[0] else None

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
        record, envelope = names["record"], self._collection.record
        return Record(
            external_id=self.id_in(names, what=what),
            fields=self._fields(record, names, what=what),
            raw_fields=raw if self._is_reshaped and isinstance(raw, dict) else None,
            name=_text(envelope.name, names, what=what),
            url=_text(envelope.url, names, what=what),
            version=_text(envelope.version, names, what=what),
            created_at=self._time(envelope.created_at, names, what=what),
            updated_at=self._time(envelope.updated_at, names, what=what),
        )

    @cached_property
    def _is_reshaped(self) -> bool:
        collection = self._collection
        return collection.from_api is not None or bool(collection.transforms) or self._types is not None

    @cached_property
    def _types(self) -> JsonSchema | None:
        """The schema whose types the fields take; null where they stay as they are."""
        described = self._names.get(SCHEMA)
        if not self._collection.coerce:
            return None
        return described if isinstance(described, dict) else self._collection.fields

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


def _text(template: Template | None, names: Mapping[str, JsonValue], *, what: str) -> str | None:
    return _as_text(told(template, names, what=what)) if template is not None else None


def _as_text(value: JsonValue) -> str | None:
    if isinstance(value, str):
        return value or None
    return _number_text(value) if isinstance(value, int | float) else None


def _number_text(value: int | float) -> str:
    """A number as JSON writes it; of whole ones, which most ids are, Python's own text is that."""
    return str(value) if value.__class__ is int else json.dumps(value)


def _key(template: Template | None) -> str | None:
    """The field of an item that a template is; an empty name without a template; none where it is more than a field."""
    if template is None:
        return ""
    path = template.path
    return path[1] if path is not None and len(path) == 2 and path[0] == "record" else None
