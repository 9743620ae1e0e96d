"""What can be done with the records of a collection, and the requests that do it.

Every request sees `parameters` beside `connection` and `integration`; what else it sees is said of each operation. What reads an
answer sees all that its request saw, and `body`, `headers` and `status`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from gateway.connectors.format.base import Condition, Key, Part, Value, one_of
from gateway.connectors.format.requests import PaginationRef, Request
from gateway.models import JsonSchema

OperatorKey = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "starts_with"]


class QueryTerm(Part):
    """A condition told in the query; names: `field`, `value`."""

    query: Value
    """The name of the query parameter."""
    value: Value | None = None
    """By default the value itself."""


class TextTerm(Part):
    """A condition told as one of the `terms` that the request puts together, text or any JSON; names: `field`, `value`."""

    term: Value


def _tag(value: Any) -> str | None:
    return next((f"!{kind}" for kind in ("query", "term") if isinstance(value, dict) and kind in value), None)


Term = Annotated[
    Annotated[QueryTerm, Tag("!query")] | Annotated[TextTerm, Tag("!term")],
    one_of(_tag, message="a condition is told by `query`, the name of a query parameter, or by `term`"),
]


class Order(Part):
    """What the app can order by: the request sees `order`, with `field` and `direction` (asc or desc), null for the app's own order."""

    fields: tuple[str, ...] = Field(min_length=1)
    """Names of fields; `*` stands for any."""


class Partition(Part):
    """Further lists that make up one list: it is read once for each of the values, as `partition.<as>`.

    The values are given by `values`, or items that the app lists; names: `partition`, with those of the partitions before.
    """

    as_: Key = Field(alias="as")
    values: Value | None = None
    """A list."""
    request: Request | None = None
    pagination: PaginationRef = "none"
    items: Value | None = None
    """Selects the items from `body`."""
    where: Condition | None = None
    """Leaves out the values for which it does not hold; name: `item`."""
    batch: int | None = Field(default=None, ge=2, le=1000)
    """Up to so many values at once: `partition.<as>` is then a list of them."""

    @model_validator(mode="after")
    def _has_one_source(self) -> "Partition":
        if (self.values is None) == (self.request is None):
            raise ValueError("a partition has `values`, or a `request` with `items`, not both or neither")
        if self.request is not None and self.items is None:
            raise ValueError("the `request` of a partition needs `items`, which selects its values from `body`")
        return self


class ListOperation(Part):
    """Reads the records page by page; `records` selects them from `body`.

    The request sees `page`, `terms` (a list of the conditions told as text, empty for none), `order`, `search` (the text, else
    null) and `partition`.
    """

    request: Request
    pagination: PaginationRef = "none"
    records: Value
    where: Condition | None = None
    """Leaves out the items for which it does not hold; name: `item`."""
    filters: dict[str, dict[OperatorKey, Term]] = {}
    """By field, `*` for any field, and by operator: how the app is told."""
    field_pattern: str | None = None
    """A regular expression that a whole name fits which `*` stands for, in filters and in the order; the app takes no others there."""
    order: Order | None = None
    is_searchable: bool = False
    """Whether the request tells the app of `search`."""
    partitions: tuple[Partition, ...] = Field(default=(), max_length=3)
    """Several multiply: the list is read for each combination, those of the last one fastest."""
    drilldowns: Value | None = None
    """Selects from `body` a list of `{parameters: {...}}`: the same collection with those parameters holds further records of the list."""

    @property
    def name_schema(self) -> JsonSchema:
        """The JSON Schema of the names that `*` stands for."""
        return {"type": "string", **({"pattern": f"^(?:{self.field_pattern})$"} if self.field_pattern is not None else {})}


class GetOperation(Part):
    """Reads one record by its id; the request sees `id`. A 404 or 410, or an error rule `empty`, means that there is none."""

    request: Request
    record: Value
    """Selects the record from `body`."""


class GetManyOperation(Part):
    """Reads several records with one request, which sees `ids`, a list of texts; `records` selects them from `body`, in any order."""

    request: Request
    records: Value
    max: int = Field(default=50, ge=2, le=1000)
    """How many ids one request takes."""


class MatchOperation(Part):
    """Finds one record by equal fields.

    Without a request of its own it is the first record of `list` with those filters. Its request sees `fields`.
    """

    fields: tuple[str, ...] = Field(min_length=1)
    request: Request | None = None
    record: Value | None = None
    """Selects the record from `body`; null when there is none."""


class WriteOperation(Part):
    """What creation and update have in common: which fields they take, and what they answer."""

    request: Request
    record: Value | None = None
    """Selects the record from `body`, as the app has it now; without it the record is read again by its id."""
    id: Value | None = None
    """Where the record's id stands in `body`; for an answer that holds no record."""
    required: tuple[str, ...] = ()
    """Fields that must be given; `*` stands for those that the fields schema requires."""
    excluded: tuple[str, ...] = ()
    """Fields that cannot be given, beside those that are `readOnly`."""
    included: tuple[str, ...] = ()
    """Fields that can be given although they are `readOnly`."""


class CreateOperation(WriteOperation):
    """Creates a record. The request sees `fields`, as `to_api` makes them, and `idempotency_key`.

    A request that names the key may be sent again with it: the app knows the repetition.
    """


class UpdateOperation(WriteOperation):
    """Changes a record. The request sees `id`, `fields` and `version`: one that names the version is made only if it still holds."""


class DeleteOperation(Part):
    """Deletes a record. The request sees `id` and `version`, as an update does."""

    request: Request


class Operations(Part):
    """What can be done with the records; what is not named is not supported."""

    list: ListOperation | None = None
    search: ListOperation | None = None
    """A list of its own for free text, where the app has one; its request sees `search`."""
    get: GetOperation | None = None
    get_many: GetManyOperation | None = None
    match: MatchOperation | None = None
    create: CreateOperation | None = None
    update: UpdateOperation | None = None
    delete: DeleteOperation | None = None
