"""The executor: graphql-core's, as Strawberry has it, with what is planned of an operation answered by its plans."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from types import CoroutineType
from typing import Any, Self
from weakref import WeakMethod, ref

from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableValues,
)
from graphql.execution.collect_fields import FieldDetailsList, collect_fields
from graphql.execution.executor import CollectedErrors
from graphql.pyutils import Path, RefMap, gather_with_cancel
from graphql.type.definition import GraphQLResolveInfoHelpers
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.graphql.execution.compiling import plan_of
from gateway.graphql.execution.functions import Functions
from gateway.graphql.execution.plans import Plan, Plans
from gateway.graphql.execution.selections import FieldInfo, PlannedField, Selection, raw_info, selection_of
from gateway.graphql.execution.values import LATER

__all__ = ["FastExecutor"]

_OF_PARTS = ("_stream_usages", "_initial_execution_plans", "_deferred_execution_plans")
"""What graphql-core has of an execution that answers in parts: here it is made when it is asked for, as few executions do."""


class FastExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation.

    With `plans`, those of the operation, objects and lists that come from plain data are completed by one compiled function
    each. A function never tells of an error: whatever is unusual ends it, and the stock executor completes the value from
    its beginning, so that data, messages, paths and locations are the stock executor's own.

    The fields of other objects are executed by their plans, a coroutine for each that is waited for. Each calls its resolver once,
    whose value, where it is unusual, is the stock executor's to complete.
    """

    def __init__(self, *arguments: Any, plans: Plans | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._plans = plans if self.middleware_manager is None and self.abort_signal is None else None
        self._condition_names = tuple(_condition_names(self.operation))
        for name in _OF_PARTS:
            delattr(self, name)
        self._begin()

    def _begin(self) -> None:
        """Takes what one execution has of its own."""
        # Made when they are asked for: few resolvers do.
        self.async_helpers: Any = None
        self._itself = ref(self)
        self._functions = Functions(self.context_value, self.variable_values)
        # The values that decide which selections are in and which are out.
        self._conditions = tuple(map(self.variable_values.coerced.get, self._condition_names))

    @classmethod
    def of(
        cls, pattern: Mapping[str, Any], root: object, context: object, variables: VariableValues, extensions: dict[str, Any] | None
    ) -> Self:
        """An executor for these variables; `pattern` is what another of the same operation has, but for what that one has executed."""
        made = cls.__new__(cls)
        made.__dict__ = {
            **pattern,
            "root_value": root,
            "context_value": context,
            "variable_values": variables,
            "operation_extensions": extensions,
            # What graphql-core has of one execution, but for what is made when it is asked for. A test holds that it is all of it.
            "collected_errors": CollectedErrors(),
            "pending_incremental_futures": set(),
            "background_futures": set(),
            "_relevant_sub_fields": {},
            "groups": [],
            "tasks": [],
            "streams": [],
        }
        made._begin()
        return made

    @cached_property
    def _stream_usages(self) -> RefMap[Any, Any]:  # type: ignore[override]
        return RefMap()

    @cached_property
    def _initial_execution_plans(self) -> RefMap[Any, Any]:  # type: ignore[override]
        return RefMap()

    @cached_property
    def _deferred_execution_plans(self) -> RefMap[Any, Any]:  # type: ignore[override]
        return RefMap()

    def build_resolve_info(self, *arguments: Any) -> GraphQLResolveInfo[Any]:
        """The library's info of a field."""
        if self.async_helpers is None:
            # By themselves they would hold the executor, which holds them, until garbage is searched for.
            self.async_helpers = GraphQLResolveInfoHelpers(_held_weakly(self.gather_async_work), _held_weakly(self.track_async_work))
        return super().build_resolve_info(*arguments)

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The answer to the operation, or what gives it when it is awaited."""
        is_serial = self.operation.operation is OperationType.MUTATION if serially is None else serially
        root = self._root() if not is_serial else None
        if root is None:
            return super().execute_operation(serially)
        data: Any = None
        try:
            data = self._selected(root, self.root_value, None)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
        return self._answered(data) if data is None or type(data) is dict else self._answered_later(data)

    def _root(self) -> Selection | None:
        plans = self._plans
        if plans is None:
            return None
        found = plans.get((self._conditions, None), lambda: self._planned_root(plans))
        return found if isinstance(found, Selection) else None

    def _planned_root(self, plans: Plans) -> Selection | None:
        root_type = self.schema.get_root_type(self.operation.operation)
        with suppress(GraphQLError, RecursionError):
            if root_type is not None:
                collected = collect_fields(self.schema, self.fragments, self.variable_values, root_type, self.operation)
                return selection_of(self, plans, root_type, collected)
        return None

    async def _answered_later(self, data: Awaitable[dict[str, Any]]) -> Any:
        try:
            return self._answered(await data)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self._answered(None)

    def _answered(self, data: dict[str, Any] | None) -> Any:
        if self.tasks or self.streams:
            return self.build_response(data)
        return ExecutionResult(data, self.collected_errors.errors or None)

    def _selected(self, selection: Selection, source: Any, path: Path | None) -> Any:
        """The fields of an object by their names, or what gives them when it is awaited."""
        results: dict[str, Any] = {}
        waiting: list[Coroutine[Any, Any, Any]] = []
        is_whole = False
        try:
            for field in selection.fields:
                if field.is_type_name:
                    results[field.name] = field.parent.name
                elif (later := self._field(field, source, Path(path, field.name, field.parent.name), results)) is not None:
                    waiting.append(later)
            is_whole = True
        finally:
            if waiting and not is_whole:
                # The object is null because of one: the others end by themselves, and nobody hears of it.
                self.settle_in_background(list(waiting))
        if not waiting:
            return results
        return waiting[0] if len(waiting) == 1 else _all(waiting, results)

    def _field(self, field: PlannedField, source: Any, path: Path, results: dict[str, Any]) -> Coroutine[Any, Any, Any] | None:
        """Answers a field; what has to be awaited for it gives all results.

        What is raised for it makes it null, or ends what is around it, as the stock executor says.
        """
        results[field.name] = None
        info = FieldInfo(self._itself, self.context_value, field, path)
        try:
            value = field.resolve(source, info, self.variable_values)
            if type(value) is CoroutineType or self.is_awaitable(value):
                return self._field_later(field, info, path, value, results)
            completed = self._value(field, info, path, value)
            if type(completed) is CoroutineType or self.is_awaitable(completed):
                return self._completed_later(field, path, completed, results)
            results[field.name] = completed
        except Exception as error:
            self.handle_field_error(error, field.type, field.details, path)
        return None

    async def _field_later(
        self, field: PlannedField, info: FieldInfo, path: Path, value: Awaitable[Any], results: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            completed = self._value(field, info, path, await value)
            is_later = type(completed) is CoroutineType or self.is_awaitable(completed)
            results[field.name] = await completed if is_later else completed
        except Exception as error:
            self.handle_field_error(error, field.type, field.details, path)
        return results

    async def _completed_later(self, field: PlannedField, path: Path, value: Awaitable[Any], results: dict[str, Any]) -> dict[str, Any]:
        try:
            results[field.name] = await value
        except Exception as error:
            self.handle_field_error(error, field.type, field.details, path)
        return results

    def _value(self, field: PlannedField, info: FieldInfo, path: Path, value: Any) -> Any:
        """Completes what a resolver gave."""
        if value is None:
            if not field.is_required:
                return None
        elif value is not Undefined and not isinstance(value, Exception):
            if field.object_type is not None:
                if field.below is LATER:
                    field.below = self._plan(field.object_type, field.details)
                if isinstance(field.below, Selection) and field.below.takes(value, self._functions.info):
                    return self._selected(field.below, value, path)
                return self._unselected(field.below, field.object_type, field.details, info, path, value)
            coerced = field.coerce(value) if field.coerce is not None else None
            if coerced is not None and coerced is not Undefined:
                return coerced
        return self.complete_value(field.type, field.details, info._raw_info, path, value, None)

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
        plan = self._plan(return_type, field_details_list) if position_context is None else None
        if isinstance(plan, Selection) and plan.takes(result, self._functions.info):
            return self._selected(plan, result, path)
        return self._unselected(plan, return_type, field_details_list, info, path, result, position_context)

    def _unselected(
        self,
        plan: Plan | Selection | None,
        type: GraphQLObjectType,
        details: FieldDetailsList,
        info: FieldInfo | GraphQLResolveInfo[Any],
        path: Path,
        value: Any,
        position: Any = None,
    ) -> Any:
        """Completes an object whose fields are not executed by their plans."""
        stock = partial(self._stock_object, type, details, info, path, value, position)
        return self._functions.completed(plan, value, stock) if isinstance(plan, Plan) else stock()

    def _stock_object(
        self,
        type: GraphQLObjectType,
        details: FieldDetailsList,
        info: FieldInfo | GraphQLResolveInfo[Any],
        path: Path,
        value: Any,
        position: Any,
    ) -> Any:
        return super().complete_object_value(type, details, raw_info(info), path, value, position)

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
        plan = self._plan(GraphQLList(item_type), field_details_list) if position_context is None else None
        return self._functions.completed(plan, items, stock) if isinstance(plan, Plan) else stock()

    def _plan(self, type: GraphQLObjectType | GraphQLList[Any], details: FieldDetailsList) -> Plan | Selection | None:
        """The plan of a place; None where only the stock executor completes its values."""
        plans = self._plans
        if plans is None:
            return None
        # By the nodes and not by the list of them, which may be gone before its operation ends.
        key = (self._conditions, str(type), *[id(detail.node) for detail in details])
        return plans.get(key, lambda: self._planned(plans, type, details))

    def _planned(self, plans: Plans, type: GraphQLObjectType | GraphQLList[Any], details: FieldDetailsList) -> Plan | Selection | None:
        plan = plan_of(self, plans, type, details)
        if plan is not None or isinstance(type, GraphQLList):
            return plan
        with suppress(GraphQLError, RecursionError):
            return selection_of(self, plans, type, self.collect_subfields(type, details))
        return None


async def _all(waiting: Iterable[Coroutine[Any, Any, Any]], results: dict[str, Any]) -> dict[str, Any]:
    await gather_with_cancel(*waiting)
    return results


def _held_weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    held = WeakMethod(method)

    def call(*arguments: Any) -> Any:
        alive = held()
        assert alive is not None  # noqa: S101 - resolvers call it, and none runs without its executor.
        return alive(*arguments)

    return call


def _condition_names(operation: OperationDefinitionNode) -> Iterator[str]:
    """The variables that can be conditions."""
    for definition in operation.variable_definitions or ():
        stated = definition.type
        named = stated.type if isinstance(stated, NonNullTypeNode) else stated
        if isinstance(named, NamedTypeNode) and named.name.value == "Boolean":
            yield definition.variable.name.value
