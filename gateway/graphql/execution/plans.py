"""Plans: what is known of the places of an operation before it is executed, kept with its document."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from graphql import VariableValues

from gateway.graphql.execution.arguments import Arguments
from gateway.graphql.execution.resolvers import ContextOnly
from gateway.graphql.execution.selections import Selection

__all__ = ["Plan", "Plans"]

_MOST_PLANS = 64
"""Of one operation. Whoever sends every combination of variables gets no more; the rest is left to the stock executor."""
_BYTES_OF_A_FIELD = 1_000
"""Of memory that a planned field takes."""
_MOST_FIELDS = 1_000
"""Of all plans of an operation: a short document can ask for the same of forty types within each of forty types."""


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
