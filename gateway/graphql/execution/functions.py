"""The compiled functions of one execution."""

from asyncio import Future, wait
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from graphql import GraphQLError, VariableValues
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.graphql.execution.plans import Plan
from gateway.graphql.execution.resolvers import ContextOnly

__all__ = ["Functions"]

_Complete = Callable[[Any], Any]
_MOST_ROUNDS = 100
"""Each needs what the one before has read: no document that is answered is as deep."""


class Functions:
    """Completes values by functions, with the context and the variables of one execution."""

    def __init__(self, context: object, variables: VariableValues) -> None:
        self.info = ContextOnly(context)
        self._variables = variables
        self._known: dict[Plan, _Complete | None] = {}

    def completed(self, plan: Plan, value: Any, stock: Callable[[], Any]) -> Any:
        """What the function gives, as soon as loaders have read what it needs, or else the stock executor."""
        function = self._function(plan)
        if function is None:
            return stock()
        complete = partial(function, value)
        try:
            completed = complete()
        except Exception:
            # Whatever it is, the stock executor tells of it.
            self._taken()
            return stock()
        return self._when_read(self._taken(), complete, stock) if self.info.readings else completed

    async def _when_read(self, readings: set[Future[Any]], complete: Callable[[], Any], stock: Callable[[], Any]) -> Any:
        for _ in range(_MOST_ROUNDS):
            # Nobody's but ours ends with us: `wait` leaves alone what it waits for.
            await wait(readings)
            if any(reading.cancelled() or reading.exception() is not None for reading in readings):
                break
            with suppress(Exception):
                completed = complete()
                readings = self._taken()
                if readings:
                    continue
                return completed
            break
        self._taken()
        result = stock()
        return await result if optimized_is_awaitable(result) else result

    def _taken(self) -> set[Future[Any]]:
        """What the last function had to do without; those of other places have theirs."""
        readings = set(self.info.readings)
        self.info.readings.clear()
        return readings

    def _function(self, plan: Plan) -> _Complete | None:
        """What completes a value in this execution; None where only the stock executor can say what is wrong."""
        try:
            return self._known[plan]
        except KeyError:
            try:
                function = partial(plan.complete, self.info, plan.arguments(self._variables))
            except GraphQLError:
                function = None
            self._known[plan] = function
            return function
