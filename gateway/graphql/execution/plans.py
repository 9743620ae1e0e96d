"""Plans: what is known of the places of an operation before it is executed, kept with its document."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphql import VariableValues

from gateway.graphql.execution.arguments import Arguments
from gateway.graphql.execution.resolvers import ContextOnly
from gateway.graphql.execution.selections import Selection

__all__ = ["Plan", "Plans"]

Made = TypeVar("Made")

_MOST_PLANS = 64
"""Of one operation. Whoever sends every combination of variables gets no more; the rest is left to the stock executor."""
_BYTES_OF_A_FIELD = 2_000
"""Of memory that a planned field takes."""
_MOST_FIELDS = 1_000
"""Of all plans of an operation: a short document can ask for the same of forty types within each of forty types.

As many again may be of what the plans need later.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What completes values at one place of an operation: `complete(info, arguments, value)`."""

    complete: Callable[[ContextOnly, list[dict[str, Any]], Any], Any]
    calls: tuple[Arguments, ...] = ()

    def arguments(self, variables: VariableValues) -> list[dict[str, Any]]:
        """What the resolvers are passed in one execution. Raises GraphQLError where a variable does not fit."""
        return [call.passed(variables) for call in self.calls]


@dataclass(slots=True, eq=False)
class Plans:
    """The plans of one operation. Their keys may name its nodes by identity, as neither outlives its document.

    `grown` is told how many bytes more they take.
    """

    grown: Callable[[int], None] = lambda more: None
    _made: dict[Hashable, Plan | Selection | None] = field(default_factory=dict)
    _fields: int = 0
    _later: dict[Hashable, tuple[Any, int]] = field(default_factory=dict)
    _later_fields: int = 0
    _most_later_fields: int = 0

    def has_room(self) -> bool:
        """Whether one field more may be planned, which counts as done."""
        self._fields += 1
        return self._fields <= _MOST_FIELDS

    def get(self, key: Hashable, make: Callable[[], Plan | Selection | None]) -> Plan | Selection | None:
        """The plan of a place, made at the first look; None for a place that has none."""
        try:
            return self._made[key]
        except KeyError:
            if len(self._made) >= _MOST_PLANS:
                return None
            before = self._fields
            plan = self._made[key] = make()
            self.grown((self._fields - before) * _BYTES_OF_A_FIELD)
            return plan

    def later(self, key: Hashable, make: Callable[[], Made], *, fields: int) -> Made:
        """What a plan needs of so many fields once it is used, made at the first look; the oldest goes where there is no room for them."""
        if key in self._later:
            known: Made = self._later[key][0]
            return known
        made = make()
        while self._later and self._later_fields + fields > _MOST_FIELDS:
            self._later_fields -= self._later.pop(next(iter(self._later)))[1]
        self._later[key] = made, fields
        self._later_fields += fields
        if (more := self._later_fields - self._most_later_fields) > 0:
            self._most_later_fields = self._later_fields
            self.grown(more * _BYTES_OF_A_FIELD)
        return made
