"""Rules for how changes of a collection are learned of."""

from collections.abc import Iterator, Mapping

from gateway.connectors.format.collections import Collection
from gateway.connectors.format.exchanges import paging_problems, request_problems
from gateway.connectors.format.operations import ListOperation
from gateway.connectors.format.requests import Pagination
from gateway.connectors.format.scopes import ANSWER, ITEM, PAGE, RECORD, Scope, keys_of, listed, misuses, paths_read, selector_problems
from gateway.connectors.format.sync import Cursor, Deleted, Delta, Sync
from gateway.documents import Place, Problem

_SINCE_TOKEN: Scope = {"since": frozenset({"token"})}
_SINCE_VALUES: Scope = {"since": frozenset({"start", "end"})}
_ANY_FIELD = "*"


def sync_problems(place: Place, collection: Collection, named: Mapping[str, Pagination], scope: Scope) -> Iterator[Problem]:
    """What is wrong with the `sync` of a collection; `scope` holds the names that all its expressions see."""
    sync = collection.sync
    if sync is None:
        return
    rules = _Rules((*place, "sync"), collection, named, scope)
    if collection.operations.list is None:
        yield (*place, "sync"), "the collection has no `list`, from which every reading of changes starts; give it one under `operations`"
    if sync.cursor is not None:
        yield from rules.of_cursor(sync.cursor)
    if sync.delta is not None:
        yield from rules.of_delta(sync.delta)
    if sync.deleted is not None:
        yield from rules.of_deleted(sync.deleted)
    yield from rules.of_volatile_fields(sync)


class _Rules:
    """The rules for one collection."""

    def __init__(self, place: Place, collection: Collection, named: Mapping[str, Pagination], scope: Scope) -> None:
        self._place = place
        self._collection = collection
        self._named = named
        self._scope = scope

    @property
    def _list(self) -> ListOperation | None:
        return self._collection.operations.list

    def of_cursor(self, cursor: Cursor) -> Iterator[Problem]:
        """What is wrong with reading changes from a value on."""
        place = (*self._place, "cursor")
        yield from selector_problems((*place, "value"), cursor.value, {**self._scope, **RECORD})
        if cursor.value is None and self._collection.record.updated_at is None:
            yield place, "no record has a value to go by: say `value`, or name `updated_at` under `record`"
        yield from self._of_request(place, cursor, _SINCE_VALUES)
        operators = self._operators(cursor)
        if cursor.filter is not None:
            yield from self._of_filter(place, cursor, cursor.filter, operators)
        is_exclusive = operators & {"gte", "gt"} == {"gt"} if cursor.filter is not None else cursor.inclusive is False
        if is_exclusive and not cursor.granularity:
            yield (
                place,
                "the app leaves out records of exactly the value that it is asked for: give `granularity`, by which it is asked for more",
            )
        yield from self._of_parts(place, cursor, operators)

    def _of_filter(self, place: Place, cursor: Cursor, field: str, operators: frozenset[str]) -> Iterator[Problem]:
        if operators.isdisjoint({"gte", "gt"}):
            yield (
                (*place, "filter"),
                f"`list` has no filter `gte` or `gt` for {field!r}; give it one, or say how the app is told by a `request`",
            )
        order = self._list.order if self._list is not None else None
        if cursor.order != "unsorted" and not {field, _ANY_FIELD} & set(order.fields if order is not None else ()):
            yield (*place, "order"), f"`list` cannot order by {field!r}; name it there under `order`, or take this out"

    def _of_parts(self, place: Place, cursor: Cursor, operators: frozenset[str]) -> Iterator[Problem]:
        """What is wrong with reading a range in parts, whose ends the app must be told."""
        is_told = not operators.isdisjoint({"lte", "lt"}) or ("since", "end") in paths_read(cursor.request)
        if is_told:
            return
        for key in ("window", "max_records"):
            if getattr(cursor, key) is not None:
                how = "a filter `lte` of `list`" if cursor.filter is not None else "`since.end` in the request"
                yield (*place, key), f"the app is not told where a part ends; tell it by {how}"

    def of_delta(self, delta: Delta) -> Iterator[Problem]:
        """What is wrong with reading changes since a token."""
        place = (*self._place, "delta")
        yield from selector_problems((*place, "token"), delta.token, {**self._scope, **ANSWER, **_SINCE_TOKEN})
        yield from misuses((*place, "gone"), delta.gone, {**self._scope, **ANSWER, **_SINCE_TOKEN})
        yield from self._of_request(place, delta, _SINCE_TOKEN)
        if delta.is_address:
            if delta.request is None and self._list is not None and (self._list.partitions or self._list.drilldowns is not None):
                yield place, "one address cannot stand for a list of several lists; give this a `request`"
        elif ("since", "token") not in paths_read(delta.request) and ("since",) not in paths_read(delta.request):
            yield place, "the `request` must say `since.token`, or the app would not know what was told before"

    def of_deleted(self, deleted: Deleted) -> Iterator[Problem]:
        """What is wrong with how deleted records are told."""
        place = (*self._place, "deleted")
        yield from misuses((*place, "when"), deleted.when, {**self._scope, **ITEM})
        if "item" not in {path[0] for path in deleted.when.paths}:
            yield (*place, "when"), "this does not read `item`, so that it would hold for all items or for none"
        yield from selector_problems((*place, "id"), deleted.id, {**self._scope, **ITEM, **RECORD})

    def of_volatile_fields(self, sync: Sync) -> Iterator[Problem]:
        """What is wrong with the fields whose change is none."""
        fields = self._collection.fields
        known = keys_of(fields) if fields is not None and self._collection.dynamic_fields is None else None
        for index, name in enumerate(sync.volatile_fields):
            if known is not None and name not in known:
                yield (*self._place, "volatile_fields", index), f"there is no field {name!r}; there are {listed(known)}"

    def _of_request(self, place: Place, part: Cursor | Delta, since: Scope) -> Iterator[Problem]:
        if part.request is None:
            return
        seen = {**self._scope, **since}
        listing = self._list
        yield from request_problems((*place, "request"), part.request, {**seen, **PAGE})
        yield from selector_problems((*place, "records"), part.records, {**seen, **ANSWER})
        yield from misuses((*place, "where"), part.where, {**seen, **ITEM})
        pagination = part.pagination if part.pagination is not None or listing is None else listing.pagination
        if pagination is not None:
            yield from paging_problems(place, pagination, part.request, self._named, seen)

    def _operators(self, cursor: Cursor) -> frozenset[str]:
        if cursor.filter is None or self._list is None:
            return frozenset()
        return frozenset(self._list.filters.get(cursor.filter, self._list.filters.get(_ANY_FIELD, {})))
