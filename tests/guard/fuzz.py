"""Random documents for the gateway's schema, each from a number: the same number gives the same one. Most are valid."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from tests.guard.arguments import good_values, is_required
from tests.guard.hostile import FITTING
from tests.guard.world import Names, World
from tests.support.printed_schema import PRINTED as SCHEMA

MOST_DEPTH = 5
_MOST_CHARACTERS = 400
"""Of a value that is odd: what is larger has tests of its own."""
_ODD: Mapping[str, list[Any]] = {
    name: [value for value in values if len(json.dumps(value)) <= _MOST_CHARACTERS] for name, values in FITTING.items()
}


class _Name(str):
    """A value of an enum, which literals spell without quotes."""

    __slots__ = ()


class RandomDocument:
    """A query or a mutation with its variables, which names rows of the world more often than not."""

    def __init__(self, world: World, number: int, *, root: str) -> None:
        self.random = Random(number)
        self.variables: dict[str, Any] = {}
        self._world = world
        self._fragments: list[str] = []
        self._types: dict[str, str] = {}
        self._aliases = 0
        kind = SCHEMA.type_map[root]
        assert isinstance(kind, GraphQLObjectType)
        body = self._selections(kind, MOST_DEPTH)
        head = ", ".join(f"${name}: {type_}" for name, type_ in self._types.items())
        self.text = f"{root.lower()} Q{f'({head})' if head else ''} {body}{''.join(self._fragments)}"

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def _selections(self, kind: Any, depth: int) -> str:
        if isinstance(kind, GraphQLInterfaceType):
            types = self.random.sample(SCHEMA.get_possible_types(kind), k=2)
            parts = [self._spread(each, depth) for each in (types if self._happens(0.3) else types[:1])]
            return "{ __typename " + " ".join(parts) + " }"
        names = [name for name, field in kind.fields.items() if depth > 0 or is_leaf_type(get_named_type(field.type))]
        chosen = self.random.sample(names, k=min(len(names), self.random.randint(1, 4 if depth < MOST_DEPTH else 2)))
        texts = [self._field(kind, name, depth) for name in chosen]
        if not texts or self._happens(0.1):
            texts.append("__typename")
        if depth > 0 and self._happens(0.1):
            texts.append(self._spread(kind, depth - 1))
        return "{ " + " ".join(texts) + " }"

    def _spread(self, kind: GraphQLObjectType, depth: int) -> str:
        inner = self._selections(kind, depth)
        if self._happens(0.7):
            return f"... on {kind.name}{self._condition()} {inner}"
        name = f"F{len(self._fragments)}"
        self._fragments.append(f" fragment {name} on {kind.name} {inner}")
        return f"...{name}{self._condition()}"

    def _field(self, kind: GraphQLObjectType, name: str, depth: int) -> str:
        field: GraphQLField = kind.fields[name]
        inner = get_named_type(field.type)
        given = {
            argument: self._given(f"{kind.name}.{name}.{argument}", place.type)
            for argument, place in field.args.items()
            if is_required(place) or self._happens(0.5)
        }
        arguments = ", ".join(f"{argument}: {text}" for argument, text in given.items())
        # Under names of their own, so that what is asked twice with other arguments can be merged.
        self._aliases += 1
        alias = f"a{self._aliases}: " if arguments and self._happens(0.5) else ""
        below = "" if is_leaf_type(inner) else f" {self._selections(inner, depth - 1)}"
        return f"{alias}{name}{f'({arguments})' if arguments else ''}{self._condition()}{below}"

    def _condition(self) -> str:
        if self._happens(0.95):
            return ""
        is_met = self._happens(0.7)
        return f" @include(if: {self._variable('Boolean!', is_met) if self._happens(0.5) else literal(is_met)})"

    def _given(self, path: str, kind: GraphQLInputType) -> str:
        value = self._value(path, kind)
        # What no literal spells is a variable.
        return self._variable(str(kind), value) if self._happens(0.3) or not _is_spelt(value) else literal(value)

    def _variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self._types)}"
        self._types[name] = kind
        self.variables[name] = value
        return f"${name}"

    def _value(self, path: str, kind: GraphQLInputType) -> Any:
        if is_non_null_type(kind):
            return self._present(path, kind.of_type)
        return None if self._happens(0.15) else self._present(path, kind)

    def _present(self, path: str, kind: GraphQLInputType) -> Any:
        if is_list_type(kind):
            return [self._value(path, kind.of_type) for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))]
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind)
        if isinstance(kind, GraphQLEnumType):
            return _Name(self.random.choice(list(kind.values)))
        name = get_named_type(kind).name
        if self._happens(0.8):
            # Of all these names most are of the customer who asks, as nothing else goes far.
            good = [value for value in good_values(path, self._world, self._names()) if value is not None]
            if good:
                return self.random.choice(good)
        return self.random.choice(_ODD[name])

    def _names(self) -> Names:
        return self._world.own if self._happens(0.95) else self._world.nobody

    def _object(self, kind: GraphQLInputObjectType) -> dict[str, Any]:
        if kind.is_one_of:
            name = self.random.choice(list(kind.fields))
            inner = kind.fields[name].type
            return {name: self._present(f"{kind.name}.{name}", inner)}
        return {
            name: self._value(f"{kind.name}.{name}", place.type)
            for name, place in kind.fields.items()
            if is_required(place) or self._happens(0.4)
        }


def literal(value: Any) -> str:
    """A value as documents spell it."""
    if isinstance(value, _Name):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return json.dumps(value)


def _is_spelt(value: Any) -> bool:
    if isinstance(value, dict):
        return all(name.isascii() and name.isidentifier() for name in value) and all(map(_is_spelt, value.values()))
    return all(map(_is_spelt, value)) if isinstance(value, list) else True
