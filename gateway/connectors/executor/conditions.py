"""What a list tells the app of the records that are wanted."""

from collections.abc import Collection, Mapping
from functools import lru_cache

from gateway.connectors.executor.names import Names, asked
from gateway.connectors.format.operations import ListOperation, OperatorKey, QueryTerm, TextTerm
from gateway.connectors.schemas import CompiledSchema
from gateway.errors import UnsupportedError
from gateway.expressions import ExpressionError, Template
from gateway.models import Condition, FilterOperator, JsonObject, JsonValue, RecordOrder, RecordQuery
from gateway.values import value

ANY_FIELD = "*"
_UNKNOWN = object()


@value(kw_only=True)
class Told:
    """Conditions and order as the app is told of them."""

    query: Mapping[str, JsonValue]
    """Values of the request's query, by name."""
    names: JsonObject
    """What the request sees: `terms`, `order` and `search`."""


def told_query(operation: ListOperation, wanted: RecordQuery, *, names: Names, taken: Collection[str] = ()) -> Told:
    """How an operation asks for what is wanted; `taken` are names of the query that no condition may use.

    Raises UnsupportedError that names what the app can do instead.
    """
    query: dict[str, JsonValue] = {}
    terms: list[JsonValue] = []
    for condition in wanted.conditions:
        term = term_of(operation, condition)
        seen: Names = {**names, "field": condition.field, "value": condition.value}
        if isinstance(term, TextTerm):
            terms.append(_text_term(term, seen, condition))
        else:
            _add(query, _name(term, seen, condition, taken=taken), _value(term, seen, condition), condition)
    if query:
        _require_free(operation, query, names=names)
    order = _order(operation, wanted.order) if wanted.order is not None else None
    return Told(query=query, names={"terms": terms, "order": order, "search": wanted.search})


def term_of(operation: ListOperation, condition: Condition) -> QueryTerm | TextTerm:
    """How the app is told of a condition. Raises UnsupportedError that names what can be told instead."""
    operators = operation.filters.get(_name_among(operation.filters, condition.field, operation) or "", {})
    term = operators.get(_key(condition.operator))
    if term is not None:
        return term
    if operators:
        raise UnsupportedError(
            f"Field {condition.field!r} cannot be filtered by {condition.operator.value}; it can by {', '.join(sorted(operators)).upper()}."
        )
    fields = sorted(field for field, terms in operation.filters.items() if terms)
    raise UnsupportedError(f"Records cannot be filtered by {condition.field!r}; {_choice(fields, 'filtered by')}.")


def _key(operator: FilterOperator) -> OperatorKey:
    key: OperatorKey = operator.value.lower()  # type: ignore[assignment]  # The two are held equal by a test.
    return key


def _text_term(term: TextTerm, names: Names, condition: Condition) -> JsonValue:
    value = _rendered(term.term, names, condition)
    if value is False:
        raise _untold(condition)
    return value


def _name(term: QueryTerm, names: Names, condition: Condition, *, taken: Collection[str]) -> str:
    name = _rendered(term.query, names, condition)
    if not isinstance(name, str) or name in taken:
        raise UnsupportedError(f"Records cannot be filtered by {condition.field!r}.")
    return name


def _value(term: QueryTerm, names: Names, condition: Condition) -> JsonValue:
    return _rendered(term.value, names, condition) if term.value is not None else _checked(condition.value, condition)


def _rendered(template: Template, names: Names, condition: Condition) -> JsonValue:
    try:
        return _checked(template.render(names), condition)
    except ExpressionError:
        # Why does not matter to whoever asks, and the text could show the value at length.
        raise _untold(condition) from None


def _checked(value: JsonValue, condition: Condition) -> JsonValue:
    """The value. What stands for nothing would leave the condition out of the request, and the list would hold all records."""
    is_nothing = value is None or value == [] or (value == "" and condition.value != "") or (isinstance(value, list) and None in value)
    if is_nothing:
        raise _untold(condition)
    return value


def _untold(condition: Condition) -> UnsupportedError:
    return UnsupportedError(f"Records cannot be filtered by {condition.field!r} with {condition.operator.value} and this value.")


def _add(query: dict[str, JsonValue], name: str, value: JsonValue, condition: Condition) -> None:
    if name in query and query[name] != value:
        raise UnsupportedError(f"The app takes one such condition on {condition.field!r} at a time.")
    query[name] = value


def _require_free(operation: ListOperation, query: Mapping[str, JsonValue], *, names: Names) -> None:
    """Raises UnsupportedError where a condition would take the place of what the request says for another reason."""
    for name in query.keys() & operation.request.query.keys():
        template = operation.request.query[name]
        said = asked(template, names, what=f"Query parameter {name!r}") if template.names <= names.keys() else _UNKNOWN
        if said is not None and said != query[name]:
            raise UnsupportedError(
                f"The records that are read have their own {name!r} already, of another value than the filter's. "
                "Take the filter out, or read a collection that is not narrowed by it."
            )


def _order(operation: ListOperation, wanted: RecordOrder) -> JsonValue:
    fields = operation.order.fields if operation.order is not None else ()
    if _name_among(fields, wanted.field, operation) is None:
        raise UnsupportedError(f"Records cannot be ordered by {wanted.field!r}; {_choice(fields, 'ordered by')}.")
    return {"field": wanted.field, "direction": wanted.direction.value.lower()}


def _name_among(names: Collection[str], field: str, operation: ListOperation) -> str | None:
    """The name that stands for the field: its own, or `*` where that stands for any of such a name; null where none does."""
    if field in names and field != ANY_FIELD:
        return field
    is_any = operation.field_pattern is None or not _compiled(operation.name_schema["pattern"]).violations(field)
    return ANY_FIELD if ANY_FIELD in names and is_any else None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> CompiledSchema:
    return CompiledSchema.compile({"pattern": pattern}, at="field_pattern")


def _choice(fields: Collection[str], what: str) -> str:
    return f"they can be {what} {', '.join(fields)}" if fields else f"they cannot be {what} any field"
