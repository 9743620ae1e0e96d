"""Plans of objects whose fields call resolvers: what is known of each field before any is called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    TypeNameMetaFieldDef,
    VariableValues,
    is_leaf_type,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList
from graphql.execution.executor import Executor
from graphql.pyutils import Path
from graphql.type import is_non_null_type, is_object_type
from strawberry.types.info import Info

from gateway.graphql.execution import values
from gateway.graphql.execution.arguments import arguments_of
from gateway.graphql.execution.direct import Direct
from gateway.graphql.execution.resolvers import ContextOnly, definition_of
from gateway.graphql.fields import LOOKS_AT, Look

if TYPE_CHECKING:
    from gateway.graphql.execution.plans import Plans

__all__ = ["FieldInfo", "PlannedField", "Selection", "raw_info", "selection_of"]


@dataclass(slots=True, eq=False)
class PlannedField:
    """One field of a selection."""

    name: str
    """In the answer."""
    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    nodes: list[FieldNode]
    resolve: Callable[[Any, "FieldInfo", VariableValues], Any]
    is_required: bool
    object_type: GraphQLObjectType | None
    """The type of its value where that is an object."""
    coerce: Callable[[Any], Any] | None
    """The rule for its value where that is a leaf."""
    is_type_name: bool = False
    below: Any = field(default=values.LATER)
    """The plan of its value where that is an object, once it was looked for."""

    @property
    def type(self) -> GraphQLOutputType:
        """The type of its value."""
        return self.definition.type


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The fields that are selected of an object."""

    fields: tuple[PlannedField, ...]
    judge: Callable[[Any, ContextOnly], Any] | None
    """Raises for what is no object of the type; none where the type does not say."""
    known: frozenset[type] | set[type]
    """Classes whose objects all are of the type."""

    def takes(self, source: Any, info: ContextOnly) -> bool:
        """Whether the source is an object of the type; if not, or if that cannot be told so, the stock executor says what is wrong."""
        if self.judge is None or type(source) in self.known:
            return True
        try:
            self.judge(source, info)
        except Exception:
            return False
        return True


class FieldInfo(Info[Any, Any]):
    """What a resolver gets for `info`: the context is at hand, and all else is made when it is asked for."""

    # Its own, as otherwise Python would look for it at the library's class each time.
    __slots__ = ("context",)
    context: Any

    def __init__(self, executor: Callable[[], Executor[Any] | None], context: Any, field: PlannedField, path: Path) -> None:
        self.context = context
        # Held weakly: resolvers may keep it, and must not keep the executor, which holds what they have.
        self._executor = executor
        self._planned = field
        self._path = path

    @property
    def operation(self) -> OperationDefinitionNode:
        """The operation being executed."""
        executor = self._executor()
        return executor.operation if executor is not None else self._raw_info.operation

    # Not by `__getattr__`: with it, each look at any attribute takes many times the steps.
    @cached_property
    def _field(self) -> Any:  # type: ignore[override]
        return definition_of(self._planned.definition)

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        executor, planned = self._executor(), self._planned
        assert executor is not None  # noqa: S101 - resolvers ask for it, and none runs without its executor.
        return executor.build_resolve_info(planned.definition, planned.nodes, planned.parent, self._path)


def raw_info(info: FieldInfo | GraphQLResolveInfo[Any]) -> GraphQLResolveInfo[Any]:
    """The library's own info."""
    return info._raw_info if isinstance(info, FieldInfo) else info


def selection_of(executor: Executor[Any], plans: "Plans", parent: GraphQLObjectType, collected: CollectedFields) -> Selection | None:
    """The plan of an object's fields; None where the stock executor has to answer them."""
    is_type_of: Any = parent.is_type_of
    if collected.new_defer_usages or iscoroutinefunction(is_type_of):
        return None
    fields = []
    for name, details in collected.grouped_field_set.items():
        planned = _planned(executor, parent, name, details)
        if planned is None or not plans.has_room():
            return None
        fields.append(planned)
    if is_type_of is not None and getattr(is_type_of, LOOKS_AT, None) is not Look.CLASS:
        return Selection(tuple(fields), _judged(is_type_of), frozenset())
    known: set[type] = set()
    return Selection(tuple(fields), values.judged(is_type_of, known) if is_type_of is not None else None, known)


def _judged(is_type_of: Callable[..., Any]) -> Callable[[Any, ContextOnly], None]:
    def judge(source: Any, info: ContextOnly) -> None:
        if is_type_of(source, info) is not True:
            raise values.DeviationError

    return judge


def _planned(executor: Executor[Any], parent: GraphQLObjectType, name: str, details: FieldDetailsList) -> PlannedField | None:
    node = details[0].node
    definition = executor.schema.get_field(parent, node.name.value)
    if definition is None or any(each.defer_usage is not None or each.fragment_variable_values is not None for each in details):
        return None
    is_required = is_non_null_type(definition.type)
    named: Any = definition.type.of_type if is_non_null_type(definition.type) else definition.type
    return PlannedField(
        name=name,
        parent=parent,
        definition=definition,
        details=details,
        nodes=[each.node for each in details],
        resolve=_resolver(executor, definition, node),
        is_required=is_required,
        object_type=named if is_object_type(named) else None,
        coerce=named.coerce_output_value if is_leaf_type(named) else None,
        is_type_name=definition is TypeNameMetaFieldDef,
    )


def _resolver(executor: Executor[Any], definition: GraphQLField, node: FieldNode) -> Callable[[Any, FieldInfo, VariableValues], Any]:
    resolve: Any = definition.resolve or executor.field_resolver
    if isinstance(resolve, Direct):
        return _direct(resolve, definition, node, hides_suggestions=executor.hide_suggestions)
    declared = definition_of(definition)
    if declared is not None and declared.is_basic_field and not definition.args:
        read, python_name = declared.default_resolver, declared.python_name
        return lambda source, info, given: read(source, python_name)
    taken = {name: (argument.out_name or name, None) for name, argument in definition.args.items()}
    arguments = arguments_of(definition, node, taken, hides_suggestions=executor.hide_suggestions)
    return lambda source, info, given: resolve(source, info._raw_info, **arguments.passed(given))


def _direct(
    resolve: Direct, definition: GraphQLField, node: FieldNode, *, hides_suggestions: bool
) -> Callable[[Any, FieldInfo, VariableValues], Any]:
    call, info_name = resolve.call, resolve.info_name
    arguments = arguments_of(definition, node, resolve.taken, hides_suggestions=hides_suggestions)
    if info_name is None:
        return lambda source, info, given: call(source, **arguments.passed(given))

    def resolved(source: Any, info: FieldInfo, given: VariableValues) -> Any:
        passed = arguments.passed(given)
        passed[info_name] = info
        return call(source, **passed)

    return resolved
