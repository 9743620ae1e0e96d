"""What an operation costs, worked out of its document: a plan that leaves only what variables decide.

Each definition is walked once, however often it is spread; what a group of selections costs is a sum over the groups in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_non_null_type,
)

from gateway.graphql.fields import ASKS_APP, TOGETHER

__all__ = ["ASSUMED_ITEMS", "Condition", "Group", "Part", "Size", "planned"]

PRICE_OF_APP = 10
"""Of a field that may ask the external app: what that takes is more than reading what is here."""
PRICE_OF_APP_TOGETHER = 1
"""Of a record that another names: many of them are asked for in one request, and each only once."""
PRICE_OF_MUTATION = 10
PRICE_OF_INTROSPECTION = 100
"""Of all that `__schema` or `__type` may have below it; its parts are not counted one by one."""
ASSUMED_ITEMS = 5
"""What a list of objects counts for where nothing in the request says how long it is."""
_MOST_ITEMS = 1_000
"""No page and no list of ids is longer: who asks for more is told so by the field itself."""
_ITEMS_OF_A_PAGE = ("edges", "nodes")
_WITHOUT_PRICE = ("edges", "pageInfo")
"""Objects of a page that are only its frame."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long a list is: what is written in the document, else the value of a variable; `otherwise` where that is left out."""

    otherwise: int
    variable: str | None = None

    def of(self, variables: Mapping[str, Any]) -> int:
        """The length that these variables make."""
        value = variables.get(self.variable) if self.variable is not None else None
        return self.otherwise if value is None else _length(value)


@dataclass(frozen=True, slots=True)
class Condition:
    """A variable of `@skip` or `@include`, and the value with which the selection is in."""

    variable: str
    wanted: bool
    otherwise: object

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether the selection is in."""
        return variables.get(self.variable, self.otherwise) is self.wanted


@dataclass(slots=True, eq=False)
class Part:
    """A field, by the name that its value has in the answer; without one a fragment, which stands for its selections."""

    group: "Group"
    key: str | None = None
    price: int = 0
    own: int = 0
    """What each object that it holds costs by itself."""
    times: Size = Size(1)
    page: Size | None = None
    """How many items its value holds, where that is a page."""
    is_list: bool = False
    may_list_nulls: bool = True
    is_item: bool = False
    """Whether it stands for each item of the page around it."""
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True, eq=False)
class Group:
    """Selections of one object: those of any, and those that only objects of one type have."""

    parts: list[Part] = field(default_factory=list)
    by_type: dict[str, list[Part]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Part]:
        yield from self.parts
        for parts in self.by_type.values():
            yield from parts

    def add(self, part: Part, *, only_of: str | None = None) -> None:
        """Adds a selection that may cost something."""
        (self.parts if only_of is None else self.by_type.setdefault(only_of, [])).append(part)


def planned(document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema) -> Group:
    """The selections of an operation of a valid document that may cost something."""
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 - the document is valid.
    return _Planning(document, operation, schema).group(operation.selection_set, root)


class _Planning:
    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
        self._definitions = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        # Made before they are filled, so that a chain of fragments takes no depth of the stack.
        self._fragments = {name: Group() for name in self._definitions}
        for name, definition in self._definitions.items():
            self._fill(self._fragments[name], definition.selection_set, schema.type_map[definition.type_condition.name.value])

    def group(self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType) -> Group:
        group = Group()
        if selection_set is not None:
            self._fill(group, selection_set, parent)
        return group

    def _fill(self, group: Group, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> None:
        for node in selection_set.selections:
            conditions = self._conditions(node.directives or ())
            part, stated = self._part(node, parent)
            if part is not None and conditions is not None:
                part.conditions = conditions
                is_narrower = is_abstract_type(parent) and not is_abstract_type(stated)
                group.add(part, only_of=stated.name if is_narrower else None)

    def _part(self, node: SelectionNode, parent: GraphQLNamedType) -> tuple[Part | None, GraphQLNamedType]:
        """What a selection may cost, and of which type's objects it is."""
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            return Part(self._fragments[name]), self._schema.type_map[self._definitions[name].type_condition.name.value]
        if isinstance(node, InlineFragmentNode):
            stated = self._schema.type_map[node.type_condition.name.value] if node.type_condition is not None else parent
            return Part(self.group(node.selection_set, stated)), stated
        return (self._field(node, parent) if isinstance(node, FieldNode) else None), parent

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> Part | None:
        name, key = node.name.value, (node.alias or node.name).value
        if name in ("__schema", "__type"):
            return Part(Group(), key=key, price=PRICE_OF_INTROSPECTION)
        declared = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        if declared is None:
            return None  # `__typename`, which costs nothing.
        holds = get_named_type(declared.type)
        price = self._price(declared, parent)
        if not is_composite_type(holds):
            return Part(Group(), key=key, price=price) if price else None
        is_item = name in _ITEMS_OF_A_PAGE and _is_page(parent)
        kind = get_nullable_type(declared.type)
        return Part(
            self.group(node.selection_set, holds),
            key=key,
            price=price,
            own=0 if name in _WITHOUT_PRICE and _is_page(parent) else 1,
            times=Size(1) if is_item else self._times(node, declared.type),
            page=self._size(node, "first", declared) if "first" in declared.args else None,
            is_list=isinstance(kind, GraphQLList),
            may_list_nulls=not (isinstance(kind, GraphQLList) and is_non_null_type(kind.of_type)),
            is_item=is_item,
        )

    def _price(self, declared: GraphQLField, parent: GraphQLNamedType) -> int:
        definition = declared.extensions.get("strawberry-definition")
        marks = definition.metadata if definition is not None else {}
        price = PRICE_OF_APP_TOGETHER if marks.get(TOGETHER) else PRICE_OF_APP
        return price * bool(marks.get(ASKS_APP)) + PRICE_OF_MUTATION * (parent is self._schema.mutation_type)

    def _times(self, node: FieldNode, type: GraphQLOutputType) -> Size:
        """How many objects the field holds, of which ids that are asked for tell."""
        if not isinstance(get_nullable_type(type), GraphQLList):
            return Size(1)
        return self._size(node, "ids", None)

    def _size(self, node: FieldNode, argument: str, declared: GraphQLField | None) -> Size:
        default = declared.args[argument].default_value if declared is not None else None
        otherwise = default if isinstance(default, int) else ASSUMED_ITEMS
        value = next((each.value for each in node.arguments or () if each.name.value == argument), None)
        if isinstance(value, VariableNode):
            name = value.name.value
            return Size(_written(self._defaults.get(name), otherwise), name)
        return Size(_written(value, otherwise))

    def _conditions(self, directives: tuple[DirectiveNode, ...]) -> tuple[Condition, ...] | None:
        """What must hold for a selection to be in; None where it never is."""
        found = []
        for directive in directives:
            wanted = directive.name.value == "include"
            if not wanted and directive.name.value != "skip":
                continue
            value = (directive.arguments or ())[0].value
            if isinstance(value, VariableNode):
                default = self._defaults.get(value.name.value)
                otherwise = default.value if isinstance(default, BooleanValueNode) else None
                found.append(Condition(value.name.value, wanted=wanted, otherwise=otherwise))
            elif isinstance(value, BooleanValueNode) and value.value is not wanted:
                return None
        return tuple(found)


def _is_page(type: GraphQLNamedType) -> bool:
    return isinstance(type, GraphQLObjectType) and "pageInfo" in type.fields


def _written(value: ValueNode | None, otherwise: int) -> int:
    if isinstance(value, IntValueNode):
        return _length(int(value.value[:12]))  # Longer ones are no Int: the document was refused.
    return _length(value.values) if isinstance(value, ListValueNode) else otherwise


def _length(value: object) -> int:
    """The length that a value means: a number, or as many as a list has; what stands alone where a list is taken is one."""
    if isinstance(value, list | tuple):
        return min(len(value), _MOST_ITEMS)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(min(value, _MOST_ITEMS)) if value > 0 else 0
    return 1
