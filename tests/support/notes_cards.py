"""What the notes app does with cards and people: records that can be written, filtered, ordered, searched and matched."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gateway.errors import ConflictError, NotFoundError, UnsupportedError, UpstreamRejectedError
from gateway.models import (
    CollectionFilter,
    CollectionOperation,
    CollectionSpec,
    Condition,
    FilterOperator,
    JsonObject,
    JsonSchema,
    OrderDirection,
    Record,
    RecordQuery,
)
from gateway.udm import MODELS, FieldRule, UnifiedMapping

PEOPLE_AT_ONCE = 3
"""How many people the app finds by id with one request; cards it finds one by one."""

CARD_FIELDS: JsonSchema = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "body": {"type": ["string", "null"]},
        "points": {"type": ["integer", "null"], "minimum": 0},
        "done": {"type": "boolean"},
        "state": {"type": "string", "enum": ["1", "2"]},
        "personId": {"type": ["integer", "null"], "x-reference": {"collection": "people"}},
        "watcherIds": {"type": "array", "items": {"type": "integer", "x-reference": {"collection": "people"}}},
        "scrap": {"type": "object", "properties": {"id": {"type": "string", "x-reference": {"collection": "scraps"}}}},
        "place": {"type": "object", "properties": {"city": {"type": "string"}}},
        "due": {"type": ["string", "null"], "format": "date-time"},
        "createdAt": {"type": "string", "format": "date-time", "readOnly": True},
        "number": {"type": "integer", "description": "Counted by the app."},
    },
}
_WRITABLE = {name: part for name, part in CARD_FIELDS["properties"].items() if name not in ("createdAt", "number")}
_COMPARED = (FilterOperator.EQ, FilterOperator.NE, FilterOperator.IN)
_TEXTUAL = (*_COMPARED, FilterOperator.CONTAINS, FilterOperator.STARTS_WITH)
_NUMERIC = (*_COMPARED, FilterOperator.LT, FilterOperator.LTE, FilterOperator.GT, FilterOperator.GTE)

CARDS = CollectionSpec(
    key="cards",
    name="Cards",
    fields_schema=CARD_FIELDS,
    parameters_schema={
        "type": "object",
        "additionalProperties": False,
        "properties": {"box": {"type": "integer"}},
    },
    operations=tuple(CollectionOperation),
    filters=(
        CollectionFilter(field="title", operators=_TEXTUAL),
        CollectionFilter(field="points", operators=_NUMERIC),
        CollectionFilter(field="done", operators=(FilterOperator.EQ,)),
        CollectionFilter(field="state", operators=_COMPARED),
        CollectionFilter(field="due", operators=_NUMERIC),
    ),
    order_fields=("title", "points"),
    match_fields=("title", "state", "points"),
    create_fields_schema={"type": "object", "properties": _WRITABLE, "required": ["title"], "additionalProperties": False},
    update_fields_schema={"type": "object", "properties": _WRITABLE, "additionalProperties": False},
    universal_data_models=("tasks",),
    takes_version=True,
    takes_idempotency_key=True,
)
PEOPLE = CollectionSpec(
    key="people",
    name="People",
    fields_schema={"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string"}}},
    parameters_schema={"type": "object", "additionalProperties": False},
    operations=(CollectionOperation.LIST, CollectionOperation.FIND_BY_ID, CollectionOperation.MATCH),
    filters=(CollectionFilter(field="*", operators=(FilterOperator.EQ,)),),
    order_fields=("*",),
    match_fields=("*",),
    universal_data_models=("users",),
    find_by_ids_maximum=PEOPLE_AT_ONCE,
)

MAPPINGS: Mapping[tuple[str, str], UnifiedMapping] = {
    ("cards", "tasks"): UnifiedMapping(
        MODELS["tasks"],
        {
            "subject": FieldRule(path="title"),
            "content": FieldRule(path="body"),
            "status": FieldRule(path="state", values={"1": "open", "2": "closed"}),
            "assigneeId": FieldRule(path="personId"),
            "followerIds": FieldRule(path="watcherIds"),
            "dueTime": FieldRule(path="due"),
            "createdTime": FieldRule(path="createdAt"),
        },
    ),
    ("people", "users"): UnifiedMapping(MODELS["users"], {"fullName": FieldRule(path="name"), "primaryEmail": FieldRule(path="email")}),
    ("notes", "notes"): UnifiedMapping(MODELS["notes"], {"content": FieldRule(path="text")}),
}

_HOLDS: Mapping[FilterOperator, Callable[[Any, Any], bool]] = {
    FilterOperator.EQ: lambda found, asked: found == asked,
    FilterOperator.NE: lambda found, asked: found != asked,
    FilterOperator.IN: lambda found, asked: found in asked,
    FilterOperator.LT: lambda found, asked: found is not None and found < asked,
    FilterOperator.LTE: lambda found, asked: found is not None and found <= asked,
    FilterOperator.GT: lambda found, asked: found is not None and found > asked,
    FilterOperator.GTE: lambda found, asked: found is not None and found >= asked,
    FilterOperator.CONTAINS: lambda found, asked: asked in (found or ""),
    FilterOperator.STARTS_WITH: lambda found, asked: (found or "").startswith(asked),
}


@dataclass
class Table:
    """Records by id, each with its version, which every write counts up."""

    fields: dict[str, JsonObject]
    versions: dict[str, int] = field(default_factory=dict)
    ids_by_key: dict[str, str] = field(default_factory=dict)
    """The records that were created with an idempotency key."""

    def record(self, external_id: str) -> Record | None:
        """The record as the app tells it; null when there is none."""
        if external_id not in self.fields:
            return None
        fields = dict(self.fields[external_id])
        return Record(external_id=external_id, fields=fields, version=self.version(external_id), name=fields.get("title"))

    def version(self, external_id: str) -> str:
        """What the version of a record is now."""
        return str(self.versions.get(external_id, 1))

    def select(self, query: RecordQuery) -> list[Record]:
        """The records that fit, in the order that is asked for."""
        found = [key for key, fields in self.fields.items() if _fits(fields, query)]
        if query.order is not None:
            by = query.order.field
            found.sort(key=lambda key: self.fields[key].get(by), reverse=query.order.direction is OrderDirection.DESC)  # type: ignore[arg-type, return-value]
        return [record for key in found if (record := self.record(key)) is not None]

    def first(self, fields: JsonObject) -> Record | None:
        """The first record with all of these."""
        conditions = tuple(Condition(field=name, operator=FilterOperator.EQ, value=value) for name, value in fields.items())
        return next(iter(self.select(RecordQuery(conditions=conditions))), None)

    def some(self, external_ids: Sequence[str]) -> dict[str, Record]:
        """The records of these ids that there are."""
        return {key: record for key in external_ids if (record := self.record(key)) is not None}

    def create(self, fields: JsonObject, key: str | None) -> str:
        """The id of the new record, or of the one that was created with the same key."""
        if key is not None and key in self.ids_by_key:
            return self.ids_by_key[key]
        _refuse_forbidden(fields)
        external_id = str(max(map(int, self.fields), default=0) + 1)
        self.fields[external_id] = {**fields, "number": int(external_id), "createdAt": "2026-01-02T03:04:05Z"}
        if key is not None:
            self.ids_by_key[key] = external_id
        return external_id

    def update(self, external_id: str, fields: JsonObject, if_version: str | None) -> None:
        """Changes a record."""
        self._require(external_id, if_version)
        _refuse_forbidden(fields)
        self.fields[external_id] = {**self.fields[external_id], **fields}
        self.versions[external_id] = self.versions.get(external_id, 1) + 1

    def delete(self, external_id: str, if_version: str | None) -> None:
        """Removes a record."""
        self._require(external_id, if_version)
        del self.fields[external_id]

    def _require(self, external_id: str, if_version: str | None) -> None:
        if external_id not in self.fields:
            raise NotFoundError(f"Notes has no card {external_id!r}.")
        if if_version not in (None, self.version(external_id)):
            raise ConflictError(f"Card {external_id!r} has version {self.version(external_id)}, not {if_version}.")


def cards() -> Table:
    """Five cards, the first three with a person."""
    return Table(
        {
            str(number): {
                "title": f"card {number}",
                "body": None,
                "points": number,
                "done": number % 2 == 0,
                "state": "1" if number < 4 else "2",
                "personId": 100 + number if number < 4 else None,
                "watcherIds": [101, 102],
                "createdAt": datetime(2026, 1, number, tzinfo=UTC).isoformat(),
                "number": number,
            }
            for number in range(1, 6)
        }
    )


def people() -> Table:
    """Seven people."""
    names = ("Ada", "Grace", "Edsger", "Barbara", "Donald", "Hedy", "Alan")
    return Table({str(101 + place): {"name": name, "email": f"{name.lower()}@example.com"} for place, name in enumerate(names)})


def require_plain(query: RecordQuery) -> None:
    """Raises UnsupportedError for what collections of mere texts cannot do."""
    if query != RecordQuery():
        raise UnsupportedError("Notes lists notes and scraps as they are.")


def _refuse_forbidden(fields: JsonObject) -> None:
    if fields.get("title") == "forbidden":
        raise UpstreamRejectedError("Notes refused the card: no such titles.", status=422, fields={"title": "Notes allows no such title."})


def _fits(fields: JsonObject, query: RecordQuery) -> bool:
    texts: Iterable[object] = fields.values()
    is_found = query.search is None or any(query.search in text for text in texts if isinstance(text, str))
    return is_found and all(_HOLDS[each.operator](fields.get(each.field), each.value) for each in query.conditions)
