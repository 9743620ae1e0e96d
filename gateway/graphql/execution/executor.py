"""The executor: graphql-core's, as Strawberry has it, with plain data completed by compiled functions."""

from asyncio import Future, wait
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakMethod

from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.graphql.execution.compiling import plan_of
from gateway.graphql.execution.plans import Plans
from gateway.graphql.execution.resolvers import ContextOnly

__all__ = ["FastExecutor"]

_Complete = Callable[[Any], Any]
_MOST_ROUNDS = 100
"""Each needs what the one before has read: no document that is answered is as deep."""


class FastExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation.

    With `plans`, those of the operation, objects and lists that come from plain data are completed by one compiled function
    each. A function never tells of an error: whatever is unusual ends it, and the stock executor completes the value from
    its beginning, so that data, messages, paths and locations are the stock executor's own.
    """

    def __init__(self, *arguments: Any, plans: Plans | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # By themselves they would hold the executor, which holds them, until garbage is searched for.
        self.async_helpers = GraphQLResolveInfoHelpers(*map(_held_weakly, self.async_helpers))
        self._plans = plans if self.middleware_manager is None else None
        self._info = ContextOnly(self.context_value)
        self._functions: dict[object, _Complete | None] = {}
        self._conditions = _conditions(self.operation, self.variable_values.coerced) if self._plans is not None else ()

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Completes an object."""
        stock = partial(super().complete_object_value, return_type, field_details_list, info, path, result, position_context)
        complete = self._function(return_type, field_details_list) if self._plans is not None else None
        return self._completed(partial(complete, result), stock) if complete is not None else stock()

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        items: Iterable[Any],
        position_context: Any,
    ) -> Any:
        """Completes a list."""
        stock = partial(super().complete_iterable_value, item_type, field_details_list, info, path, items, position_context)
        complete = self._function(GraphQLList(item_type), field_details_list) if self._plans is not None else None
        return self._completed(partial(complete, items), stock) if complete is not None else stock()

    def _completed(self, complete: Callable[[], Any], stock: Callable[[], Any]) -> Any:
        """What the function gives, as soon as loaders have read what it needs, or else the stock executor."""
        with suppress(Exception):
            completed = complete()
            readings = self._taken()
            return self._when_read(readings, complete, stock) if readings else completed
        self._taken()
        return stock()

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
        return await result if self.is_awaitable(result) else result

    def _taken(self) -> set[Future[Any]]:
        """What the last function had to do without; those of other places have theirs."""
        readings = set(self._info.readings)
        self._info.readings.clear()
        return readings

    def _function(self, type: GraphQLObjectType | GraphQLList[Any], details: FieldDetailsList) -> _Complete | None:
        """What completes a value at this place; None where only the stock executor does."""
        # By the nodes and not by the list of them, which may be gone before its operation ends.
        key = (str(type), *[id(detail.node) for detail in details])
        try:
            return self._functions[key]
        except KeyError:
            function = self._functions[key] = self._made(key, type, details)
            return function

    def _made(self, key: tuple[object, ...], type: GraphQLObjectType | GraphQLList[Any], details: FieldDetailsList) -> _Complete | None:
        plans = self._plans
        assert plans is not None  # noqa: S101 - nobody asks without.
        plan = plans.get((self._conditions, key), lambda: plan_of(self, plans, type, details))
        if plan is None:
            return None
        try:
            arguments = plan.arguments(self.variable_values)
        except GraphQLError:
            return None
        return partial(plan.complete, self._info, arguments)


def _held_weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    held = WeakMethod(method)

    def call(*arguments: Any) -> Any:
        alive = held()
        assert alive is not None  # noqa: S101 - resolvers call it, and none runs without its executor.
        return alive(*arguments)

    return call


def _conditions(operation: OperationDefinitionNode, variables: dict[str, Any]) -> tuple[object, ...]:
    """The values that decide which selections are in and which are out: those of all variables that can be conditions."""
    found = []
    for definition in operation.variable_definitions or ():
        stated = definition.type
        named = stated.type if isinstance(stated, NonNullTypeNode) else stated
        if isinstance(named, NamedTypeNode) and named.name.value == "Boolean":
            found.append(variables.get(definition.variable.name.value))
    return tuple(found)
