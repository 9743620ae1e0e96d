"""How large the operations of a document are, its fragments included: counted in one walk over each definition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

__all__ = ["DocumentSizes", "OperationSize", "sizes_of"]

_INTROSPECTION = frozenset({"__schema", "__type"})
_Spread = tuple[str, int | None]
"""The name of a fragment, and how deep its spread stands; none where depth does not count."""


@dataclass(frozen=True, kw_only=True)
class OperationSize:
    """What an operation asks for.

    `depth` leaves out what lies below the schema's own fields. `aliases` counts those of a fragment each time that it is spread;
    `root_fields` counts names in the answer, so that the same field in several fragments is one.
    """

    node: OperationDefinitionNode
    depth: int
    aliases: int
    root_fields: int


@dataclass(frozen=True, kw_only=True)
class DocumentSizes:
    """The sizes of a document's operations, the directives in all of it, and the first field that asks for the schema."""

    operations: tuple[OperationSize, ...]
    directives: int
    introspection: FieldNode | None


@dataclass(kw_only=True)
class _Definition:
    """What one definition holds by itself."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    introspection: FieldNode | None = None
    spreads: list[_Spread] = field(default_factory=list)


class _Total(NamedTuple):
    """What a definition holds with the fragments in it."""

    depth: int
    aliases: int


_NOTHING = _Total(0, 0)


def sizes_of(document: DocumentNode) -> DocumentSizes:
    """The sizes of a document that was parsed and may be invalid in every other way.

    It takes time in proportion to the document's length: a fragment is walked once, however often it is spread.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    own_of_fragments = {name: _own(each) for name, each in fragments.items()}
    own_of_operations = [_own(each) for each in operations]
    totals = _totals(own_of_fragments)
    owns = (*own_of_operations, *own_of_fragments.values())

    return DocumentSizes(
        operations=tuple(_size(node, _total(own, totals), fragments) for node, own in zip(operations, own_of_operations, strict=True)),
        directives=sum(own.directives for own in owns),
        introspection=next((own.introspection for own in owns if own.introspection is not None), None),
    )


def _size(node: OperationDefinitionNode, total: _Total, fragments: Mapping[str, FragmentDefinitionNode]) -> OperationSize:
    root_fields = _root_fields(node.selection_set, fragments)
    return OperationSize(node=node, depth=total.depth, aliases=total.aliases, root_fields=root_fields)


def _own(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Definition:
    own = _Definition(directives=len(definition.directives or ()))
    own.directives += sum(len(each.directives or ()) for each in definition.variable_definitions or ())
    below: list[tuple[SelectionSetNode, int | None]] = [(definition.selection_set, 0)]
    while below:
        selection_set, depth = below.pop()
        for selection in selection_set.selections:
            own.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                own.spreads.append((selection.name.value, depth))
            elif isinstance(selection, InlineFragmentNode):
                below.append((selection.selection_set, depth))
            elif isinstance(selection, FieldNode):
                inner = _entered(own, selection, depth)
                if selection.selection_set is not None:
                    below.append((selection.selection_set, inner))
    return own


def _entered(own: _Definition, node: FieldNode, depth: int | None) -> int | None:
    """Counts a field that stands that deep, and tells how deep what lies below it stands."""
    own.aliases += node.alias is not None
    if node.name.value in _INTROSPECTION:
        own.introspection = own.introspection or node
        return None
    if depth is None:
        return None
    own.depth = max(own.depth, depth + 1)
    return depth + 1


def _totals(owns: Mapping[str, _Definition]) -> dict[str, _Total]:
    """The depth and the aliases of each fragment with the fragments in it; a circle of them, which is refused later, counts once."""
    totals: dict[str, _Total] = {}
    for first in owns:
        entered: set[str] = set()
        path: list[tuple[str, Iterator[_Spread]]] = [(first, iter(owns[first].spreads))] if first not in totals else []
        while path:
            name, spreads = path[-1]
            entered.add(name)
            inner = next((each for each, _ in spreads if each in owns and each not in totals and each not in entered), None)
            if inner is not None:
                path.append((inner, iter(owns[inner].spreads)))
                continue
            path.pop()
            totals[name] = _total(owns[name], totals)
    return totals


def _total(own: _Definition, totals: Mapping[str, _Total]) -> _Total:
    depth, aliases = own.depth, own.aliases
    for name, stands_at in own.spreads:
        inner_depth, inner_aliases = totals.get(name, _NOTHING)
        aliases += inner_aliases
        if stands_at is not None:
            depth = max(depth, stands_at + inner_depth)
    return _Total(depth, aliases)


def _root_fields(selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    names: set[str] = set()
    entered: set[str] = set()
    below: list[SelectionSetNode] = [selection_set]
    while below:
        for selection in below.pop().selections:
            if isinstance(selection, InlineFragmentNode):
                below.append(selection.selection_set)
            elif isinstance(selection, FieldNode):
                names.add((selection.alias or selection.name).value)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in entered:
                entered.add(selection.name.value)
                if selection.name.value in fragments:
                    below.append(fragments[selection.name.value].selection_set)
    return len(names)
