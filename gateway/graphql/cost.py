"""What an operation may cost before it runs, and what it has cost: by its lists, and by what it asks of apps.

The unit is an object of the answer. docs/limits.md tells what each thing costs.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple

from graphql import GraphQLSchema

from gateway.graphql.cost_planning import ASSUMED_ITEMS, Group, Part, planned
from gateway.graphql.documents import Operation
from gateway.models import JsonObject
from gateway.models.answer_objects import values_of

__all__ = ["CEILING", "Cost", "cost_of"]

CEILING = 1_000_000_000
"""Where counting ends: lists within lists, and fragments within fragments, make numbers of any length."""
_MOST_LOOKS = 20_000
"""At an answer. One that takes more to count counts for what it may have cost."""
_NOTE = "cost"
_NOTHING: dict[str, Any] = {}


class _Sum(NamedTuple):
    """What selections cost once, and what they cost for each item of the page that they are of."""

    once: int = 0
    each: int = 0

    def of_page(self, items: int) -> int:
        return self.once + self.each * items


_ZERO = _Sum()
_Objects = Callable[[list[Any]], list[Any]]
_Counted = tuple[str | None, int, int, _Objects, list[Any]]
"""What is counted of the objects at one place: a field's name, its price, that of each object that it holds, what finds those objects in
its values, and what is counted of them; nothing of them where they are free."""


class Cost:
    """What one operation costs; the same for all who ask with it while its document is kept."""

    def __init__(self, root: Group) -> None:
        self._root = root
        # What no variable decides is counted now, and never again.
        self._sums: dict[Group, _Sum] = {}
        self._open: dict[Group, None] = {}
        for group in _innermost_first(root):
            if _is_open(group, self._open):
                self._open[group] = None
            else:
                self._sums[group] = _sum(group, self._sums, _NOTHING)
        self._counted = self._counting(root)

    def requested(self, variables: Mapping[str, Any]) -> int:
        """The most that it costs with these variables, which need not fit; at most CEILING."""
        if not self._open:
            return self._sums[self._root].once
        sums = dict(self._sums)
        for group in self._open:
            sums[group] = _sum(group, sums, variables)
        return sums[self._root].once

    def actual(self, data: JsonObject | None, *, requested: int) -> int:
        """What an answer has cost: at most what was requested, and less where lists held less than they might have."""
        total, looks = 0, 0
        below: list[tuple[list[_Counted], list[Any]]] = [(self._counted, [data])] if data is not None else []
        while below:
            # All objects at one place of the answer together: a page has hundreds of them.
            counted, objects = below.pop()
            looks += len(objects)
            if looks > _MOST_LOOKS or total >= requested:
                return requested
            # Many places hold one object: what it has is at hand.
            alone = objects[0] if len(objects) == 1 and type(objects[0]) is dict else _NOTHING
            for key, price, own, objects_of, within in counted:
                inner = objects
                if key is not None:
                    values = [alone[key]] if key in alone else values_of(objects, key)
                    total += price * len(values)
                    if not own and not within:
                        continue
                    inner = values if objects_of is _present and None not in values else objects_of(values)
                    total += own * len(inner)
                if inner and within:
                    below.append((within, inner))
        return min(total, requested)

    def _counting(self, root: Group) -> list[_Counted]:
        """What is counted of an answer: nothing of a group that is free whatever it holds."""
        found: dict[Group, list[_Counted]] = {}
        for group in _innermost_first(root):
            is_free = self._sums.get(group) == _ZERO
            parts = () if is_free else group
            found[group] = [(part.key, part.price, part.own, _objects(part), found[part.group]) for part in parts]
        return found[root]


def cost_of(operation: Operation, schema: GraphQLSchema) -> Cost:
    """The cost of an operation, worked out at the first look and kept with its document."""
    cost: Cost | None = operation.notes.get(_NOTE)
    if cost is None:
        cost = operation.notes[_NOTE] = Cost(planned(operation.document.node, operation.node, schema))
    return cost


def _objects(part: Part) -> _Objects:
    """What finds the objects that the values of a field are or list."""
    if not part.is_list:
        return _present
    return _listed if part.may_list_nulls else _all_listed


def _present(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _all_listed(values: list[Any]) -> list[Any]:
    return list(chain.from_iterable(filter(None, values)))


def _listed(values: list[Any]) -> list[Any]:
    return _present(_all_listed(values))


def _sum(group: Group, sums: Mapping[Group, _Sum], variables: Mapping[str, Any]) -> _Sum:
    once, each = _added(group.parts, sums, variables)
    # An object is of one type only.
    alternatives = [_added(parts, sums, variables) for parts in group.by_type.values()]
    if alternatives:
        once += max(found.once for found in alternatives)
        each += max(found.each for found in alternatives)
    return _Sum(min(once, CEILING), min(each, CEILING))


def _added(parts: list[Part], sums: Mapping[Group, _Sum], variables: Mapping[str, Any]) -> _Sum:
    once = each = 0
    for part in parts:
        if part.conditions and not all(condition.holds(variables) for condition in part.conditions):
            continue
        inner = sums[part.group]
        if part.key is None:
            once += inner.once
            each += inner.each
            continue
        items = part.page.of(variables) if part.page is not None else ASSUMED_ITEMS
        cost = part.price + part.times.of(variables) * (part.own + inner.of_page(items))
        if part.is_item:
            each += cost
        else:
            once += cost
    return _Sum(once, each)


def _is_open(group: Group, others: Mapping[Group, None]) -> bool:
    """Whether variables decide what it costs."""
    return any(
        part.conditions
        or part.times.variable is not None
        or (part.page is not None and part.page.variable is not None)
        or part.group in others
        for part in group
    )


def _innermost_first(root: Group) -> list[Group]:
    """Every group once, each after those in it; without recursion, as fragments may make a chain longer than the stack."""
    found: dict[Group, None] = {}
    entered = {root}
    path = [(root, iter(root))]
    while path:
        group, parts = path[-1]
        inner = next((part.group for part in parts if part.group not in entered), None)
        if inner is None:
            path.pop()
            found[group] = None
        else:
            entered.add(inner)
            path.append((inner, iter(inner)))
    return list(found)
