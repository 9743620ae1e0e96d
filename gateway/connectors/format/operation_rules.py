"""Rules for what can be done with the records of a collection."""

from collections.abc import Iterator, Mapping

from gateway.connectors.format.collections import Collection
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.exchanges import list_problems, request_problems
from gateway.connectors.format.operations import ListOperation, MatchOperation, Operations, TextTerm, WriteOperation
from gateway.connectors.format.requests import Request
from gateway.connectors.format.schema_rules import schema_problems
from gateway.connectors.format.scopes import ANSWER, QUERY, Scope, keys_of, misuses, names_read, selector_problems
from gateway.documents import Place, Problem
from gateway.expressions import Template

_PLAIN: frozenset[str] = frozenset()
"""The keys of a text."""


def operation_problems(place: Place, collection: Collection, file: ConnectorFile, scope: Scope) -> Iterator[Problem]:
    """What is wrong with the operations of a collection; `scope` holds the names that all its expressions see."""
    yield from misuses((*place, "to_api"), collection.to_api, {**scope, "fields": _field_keys(collection)})
    rules = _Operations((*place, "operations"), collection, scope)
    operations = collection.operations
    for key, listing in (("list", operations.list), ("search", operations.search)):
        if listing is not None:
            yield from list_problems((*rules.place, key), listing, "records", file.pagination, {**scope, **QUERY})
            yield from rules.of_list(key, listing)
    yield from rules.of_finding(operations)
    yield from rules.of_match(operations.match, operations.list)
    yield from rules.of_writes(operations)


class _Operations:
    """The rules for one collection's operations beside the list's own."""

    def __init__(self, place: Place, collection: Collection, scope: Scope) -> None:
        self.place = place
        self._collection = collection
        self._scope = scope

    def of_list(self, key: str, listing: ListOperation) -> Iterator[Problem]:
        """What is wrong with the conditions and the order of a list: the app must be told of all that it is said to know."""
        place, seen = (*self.place, key), names_read(listing.request)
        of_term: Scope = {**self._scope, "field": _PLAIN, "value": None}
        for field, operators in listing.filters.items():
            for operator, term in operators.items():
                at = (*place, "filters", field, operator)
                if isinstance(term, TextTerm):
                    yield from misuses((*at, "term"), term.term, of_term)
                    if "terms" not in seen:
                        yield at, "the request does not say `terms`, so that the app would not hear of this condition"
                else:
                    yield from misuses((*at, "query"), term.query, of_term)
                    yield from misuses((*at, "value"), term.value, of_term)
        yield from schema_problems((*place, "field_pattern"), listing.name_schema, is_object=False)
        if listing.field_pattern is not None and "*" not in listing.filters and "*" not in (listing.order.fields if listing.order else ()):
            yield (*place, "field_pattern"), "neither `filters` nor `order` say `*`, for which these names would stand; take it out"
        if listing.order is not None and "order" not in seen:
            yield (*place, "order"), "the request does not say `order`, so that the app would not hear of it"
        if listing.order is None and "order" in seen:
            yield (*place, "request"), "the request says `order`, which is always null: name the fields to order by under `order`"
        is_searched = listing.is_searchable or key == "search"
        if is_searched != ("search" in seen):
            yield (*place, "request"), _search_problem(key, is_searched=is_searched)

    def of_finding(self, operations: Operations) -> Iterator[Problem]:
        """What is wrong with the requests for single records."""
        if operations.get is not None:
            selectors = {"record": operations.get.record}
            yield from self._exchange("get", operations.get.request, selectors, {"id": _PLAIN}, needed=("id",))
        if operations.get_many is not None:
            selectors = {"records": operations.get_many.records}
            yield from self._exchange("get_many", operations.get_many.request, selectors, {"ids": None}, needed=("ids",))

    def of_match(self, match: MatchOperation | None, listing: ListOperation | None) -> Iterator[Problem]:
        """What is wrong with the search for one record by its fields."""
        if match is None:
            return
        if match.request is not None:
            keys = None if "*" in match.fields else frozenset(match.fields)
            yield from self._exchange("match", match.request, {"record": match.record}, {"fields": keys}, needed=("fields",))
            if match.record is None:
                yield (*self.place, "match"), "a request needs `record`, which says where the record stands in its answer"
            return
        if match.record is not None:
            yield (*self.place, "match", "record"), "without a `request` the record is the first one of `list`; take this out"
        for index, field in enumerate(match.fields):
            filters = listing.filters if listing is not None else {}
            if "eq" not in filters.get(field, filters.get("*", {})):
                yield (*self.place, "match", "fields", index), f"`list` has no filter `eq` for {field!r}; give it one, or match a `request`"

    def of_writes(self, operations: Operations) -> Iterator[Problem]:
        """What is wrong with creation, update and deletion."""
        if operations.create is not None:
            scope: Scope = {"fields": self._sent_keys(), "idempotency_key": _PLAIN}
            yield from self._write("create", operations.create, scope, needed=("fields",))
            if operations.create.record is None and operations.create.id is None:
                yield (*self.place, "create"), "say by `record`, or else by `id`, where the answer tells of the new record"
        of_one: Scope = {"id": _PLAIN, "version": _PLAIN}
        if operations.update is not None:
            yield from self._write("update", operations.update, {**of_one, "fields": self._sent_keys()}, needed=("id", "fields"))
        if operations.delete is not None:
            yield from self._exchange("delete", operations.delete.request, {}, of_one, needed=("id",))
            yield from self._effect_problems("delete", operations.delete.request)

    def _write(self, key: str, operation: WriteOperation, scope: Scope, *, needed: tuple[str, ...]) -> Iterator[Problem]:
        yield from self._exchange(key, operation.request, {"record": operation.record, "id": operation.id}, scope, needed=needed)
        yield from self._effect_problems(key, operation.request)
        operations = self._collection.operations
        if operation.record is None and operations.get is None and operations.get_many is None:
            yield (*self.place, key), "its answer holds no record (`record`), and without `get` the record cannot be read again"
        for index, name in enumerate(operation.included):
            if name in operation.excluded:
                yield (*self.place, key, "included", index), f"{name!r} is excluded as well"

    def _effect_problems(self, key: str, request: Request) -> Iterator[Problem]:
        place = (*self.place, key, "request")
        if request.is_safe:
            yield place, f"this changes something, and is no {request.method} request and not `read`: those are repeated and shared"
        if "version" in names_read(request) and self._collection.record.version is None:
            yield place, "the request says `version`, and no record has one: name it under `record`"

    def _exchange(
        self, key: str, request: Request, selectors: Mapping[str, Template | None], scope: Scope, *, needed: tuple[str, ...]
    ) -> Iterator[Problem]:
        place, seen = (*self.place, key), {**self._scope, **scope}
        yield from request_problems((*place, "request"), request, seen)
        for name in needed:
            if name not in names_read(request):
                yield (*place, "request"), f"the request does not say `{name}`, so that it would be the same for all"
        for selector, template in selectors.items():
            yield from selector_problems((*place, selector), template, {**seen, **ANSWER})

    def _sent_keys(self) -> frozenset[str] | None:
        """The keys of the fields that a write sends, where they are known."""
        if self._collection.to_api is None:
            return _field_keys(self._collection)
        source = self._collection.to_api.source
        return frozenset(source) if isinstance(source, dict) else None


def _field_keys(collection: Collection) -> frozenset[str] | None:
    return keys_of(collection.fields) if collection.fields is not None and collection.dynamic_fields is None else None


def _search_problem(key: str, *, is_searched: bool) -> str:
    if not is_searched:
        return "the request says `search`, which is always null: set `is_searchable`"
    return f"the request of `{key}` does not say `search`, so that the app would not hear of it"
