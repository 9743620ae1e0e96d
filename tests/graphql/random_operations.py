"""Random schemas, documents and data, each from a number: the same number gives the same ones."""

import asyncio
import enum
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from random import Random
from types import SimpleNamespace
from typing import Annotated, Any

import strawberry
from graphql import Undefined
from strawberry.annotation import StrawberryAnnotation
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from gateway.graphql.batching import ByIdentity, Loader
from gateway.graphql.execution import call_directly
from gateway.graphql.fields import COMPUTES, LOADS, TYPE_NAME, Loads, Look, looks_at, read
from gateway.graphql.scalars import SCALARS

LEAVES = ("str", "id", "int", "float", "bool", "enum", "json", "time")
ROOTS = ("root", "root", "each", "slow", "asked")
HOW = ("plain", "computed", "marked", "argued", "failing", "awaited", "slow", "asked", "ending", "loaded")
BUILT_IN: dict[str, Any] = {"str": str, "id": strawberry.ID, "int": int, "float": float, "bool": bool, "json": JSON, "time": datetime}


@strawberry.enum
class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


LEAF_VALUES: dict[str, Sequence[Any]] = {
    "str": ["a", "", "ü"],
    "id": ["x1", 7],
    "int": range(-3, 4),
    "float": [1.5, 2.0, -0.0, 3],
    "bool": [False, True],
    "enum": list(Size),
    "json": [{"a": [1, None]}, [], 1, "x", 0.5, False, ("tuple",)],
    "time": ["2026-11-21T09:30:00Z", "whenever", datetime(2026, 11, 21, tzinfo=UTC), datetime.max],
}


@strawberry.input
class Point:
    x: int
    y: int | None = None
    words: list[str] | None = None
    size: Size = Size.LARGE


@strawberry.input(one_of=True)
class Choice:
    word: strawberry.Maybe[str]
    point: strawberry.Maybe[Point]


ARGUED = {"": "(most: $most)", "a": "(most: 1, word: $word)", "b": '(word: "x")', "c": "(word: null)"}
ASKED = {
    "": "(must: 1)",
    "a": "(must: $needed, most: $most, word: $word, choice: {word: $said})",
    "b": "(must: 2, point: {x: 1, y: $needed, words: null, size: $size}, size: LARGE, choice: {point: {x: $needed}})",
    "c": "(must: $most, point: $point, most: $needed, sizes: [SMALL, $size], size: $size, free: {a: $word}, choice: $choice)",
}
"""The arguments of a field, for each first letter of an alias: fields of one alias have to be asked for alike."""


class Later:
    """A value that has to be waited for, as often as anybody likes."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Iterator[Any]:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value
        yield


@dataclass(frozen=True)
class Kind:
    """The type of a field: a leaf or the name of a class, within lists and nulls."""

    name: str
    wraps: tuple[str, ...]
    """From the outside: `?` for what may be null, `[` for a list."""


@dataclass(frozen=True)
class Member:
    name: str
    kind: Kind
    resolver: str
    """How it is answered: one of `HOW`; of roots also each item by itself."""


@dataclass(frozen=True)
class Shape:
    name: str
    members: tuple[Member, ...]
    implements: bool
    judge: Callable[..., Any] | None = None
    """What tells whether a source is an object of it."""


class RandomSchema:
    """A few classes that refer to each other, some behind an interface."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)
        names = [f"T{index}" for index in range(self.random.randint(2, 5))]
        self.is_by_name = self.random.random() < 0.4
        self.weights = self.random.choice([[14, 3, 2, 2, 1, 1, 0, 1, 0, 4], [6, 2, 1, 1, 1, 3, 3, 4, 1, 2], [6, 2, 1, 1, 1, 3, 3, 4, 1, 0]])
        common = tuple(self._member(f"c{index}", ["T0"], is_leaf=True) for index in range(2))
        self.shapes: dict[str, Shape] = {}
        for name in names:
            own = tuple(self._member(f"f{index}", [*names, "Common"]) for index in range(self.random.randint(1, 6)))
            implements = self.random.random() < 0.5 or name == "T0"
            judges = [_is_named if self.is_by_name else _is_type_of, _is_object]
            judge = self.random.choice(judges) if implements else self.random.choice([None, None, _is_object])
            self.shapes[name] = Shape(name, (*common, *own) if implements else own, implements, judge)
        self.shapes["Common"] = Shape("Common", common, False)
        roots = tuple(Member(f"r{index}", self._kind([*names, "Common"], is_leaf=False), how) for index, how in enumerate(ROOTS))
        self.shapes["Query"] = Shape("Query", roots, False)
        changes = tuple(
            Member(f"m{index}", self._kind(names, is_leaf=index == 0), how) for index, how in enumerate(("slow", "asked", "root"))
        )
        self.shapes["Mutation"] = Shape("Mutation", changes, False)
        self.schema = self._built()
        if number % 3:
            call_directly(self.schema)

    @property
    def loads(self) -> bool:
        return any(member.resolver == "loaded" for shape in self.shapes.values() for member in shape.members)

    def implementing(self) -> list[str]:
        return [shape.name for shape in self.shapes.values() if shape.implements]

    def _member(self, name: str, names: list[str], *, is_leaf: bool = False) -> Member:
        is_leaf = is_leaf or self.random.random() < 0.65
        how = self.random.choices(HOW, self.weights)[0]
        return Member(name, self._kind(names, is_leaf=is_leaf), how)

    def _kind(self, names: list[str], *, is_leaf: bool) -> Kind:
        wraps = self.random.choice(
            [(), ("?",), ("?",), ("[",), ("?", "[", "?"), ("[", "?"), ("?", "["), ("[", "["), ("?", "[", "?", "[", "?")]
        )
        return Kind(self.random.choice(LEAVES if is_leaf else names), wraps)

    def _built(self) -> strawberry.Schema:
        made: dict[str, Any] = {"enum": Size, **BUILT_IN}
        interface = strawberry.interface(type("Common", (), {"resolve_type": classmethod(_name_of if self.is_by_name else _resolve_type)}))
        made["Common"] = interface
        for shape in self.shapes.values():
            if shape.name != "Common":
                bases = (interface,) if shape.implements else ()
                body = {"is_type_of": classmethod(shape.judge)} if shape.judge is not None else {}
                made[shape.name] = strawberry.type(type(shape.name, bases, body))
        for shape in self.shapes.values():
            definition = vars(made[shape.name])["__strawberry_definition__"]
            definition.fields = [_field(member, made) for member in shape.members]
        types = [made[name] for name in self.shapes if name not in ("Common", "Query", "Mutation")]
        return strawberry.Schema(
            made["Query"], made.get("Mutation"), types=types, config=StrawberryConfig(default_resolver=read, scalar_map=SCALARS)
        )


def _resolve_type(cls: Any, source: Any, info: Any, type_: Any) -> Any:
    return read(source, "kind")


@looks_at(Look.TYPE_NAME)
def _name_of(cls: Any, source: Any, info: Any, type_: Any) -> Any:
    return source[TYPE_NAME]


@looks_at(Look.TYPE_NAME)
def _is_named(cls: Any, source: Any, info: Any) -> Any:
    return source[TYPE_NAME] == cls.__name__


def _is_type_of(cls: Any, source: Any, info: Any) -> Any:
    return read(source, "kind") == cls.__name__


@looks_at(Look.CLASS)
def _is_object(cls: Any, source: Any, info: Any) -> Any:
    return isinstance(source, (dict, SimpleNamespace))


def _annotation(kind: Kind, made: dict[str, Any]) -> Any:
    annotation = made[kind.name]
    for wrap in reversed(kind.wraps):
        annotation = annotation | None if wrap == "?" else list[annotation]  # type: ignore[valid-type]
    return annotation


def _field(member: Member, made: dict[str, Any]) -> StrawberryField:
    resolver = _resolvers(member.name).get(member.resolver)
    return StrawberryField(
        python_name=member.name,
        graphql_name=member.name,
        type_annotation=StrawberryAnnotation(_annotation(member.kind, made)),
        base_resolver=StrawberryResolver(resolver) if resolver is not None else None,
        metadata=_metadata(member),
    )


def _metadata(member: Member) -> dict[str, Any]:
    if member.resolver == "loaded":
        return {LOADS: _loads(member.name)}
    return {COMPUTES: True} if member.resolver in ("marked", "argued") else {}


def _loads(name: str) -> Loads:
    def asks(source: Any, info: Any) -> Any:
        return (info.context["loaders"][len(name) % 2], (ByIdentity(source), name)) if info.context["loads"] else None

    def show(source: Any, info: Any, value: Any) -> Any:
        return value if info.context["counts"] else info.field_name and value

    return Loads(asks, show)


async def _load(keys: list[Any]) -> list[Any]:
    return [_found(key.value, name) for key, name in keys]


async def _load_slowly(keys: list[Any]) -> list[Any]:
    for _ in range(3):
        await asyncio.sleep(0)
    return await _load(keys)


async def _load_nothing(keys: list[Any]) -> list[Any]:
    raise ValueError("nothing is loaded")


def _found(source: Any, name: str) -> Any:
    try:
        return read(source, name)
    except AttributeError as error:
        return error


def _of(source: Any, info: strawberry.Info, name: str) -> Any:
    """The value of a field; roots have theirs in the context."""
    return info.context[name] if source is None else read(source, name)


async def _followed(info: strawberry.Info, answer: Callable[[], Any], given: object = ()) -> Any:
    """What a resolver gives after a while. Its beginning and its end are written down."""
    place = "".join(map(str, info.path.as_list()))
    info.context["log"].append(f"{place} begins with {given}")
    try:
        for _ in range(sum(map(ord, place)) % 4):
            await asyncio.sleep(0)
        return answer()
    finally:
        info.context["log"].append(f"{place} ends")


def _resolvers(name: str) -> dict[str, Callable[..., Any]]:
    def computed(self: Any) -> Any:
        return read(self, name)

    def marked(self: Any, info: strawberry.Info) -> Any:
        return read(self, name) if info.context["counts"] else info.field_name and read(self, name)

    def argued(
        self: Any, info: strawberry.Info, most: int = 3, word: Annotated[str | None, strawberry.argument()] = strawberry.UNSET
    ) -> Any:
        value = read(self, name)
        return (
            value[:most] if isinstance(value, list) else f"{value} {word}" if type(value) is str and word is not strawberry.UNSET else value
        )

    def failing(self: Any) -> Any:
        raise ValueError(f"no {name}")

    async def awaited(self: Any) -> Any:
        return read(self, name)

    async def slow(self: Any, info: strawberry.Info) -> Any:
        return await _followed(info, lambda: _of(self, info, name))

    async def asked(
        self: Any,
        info: strawberry.Info,
        must: int,
        most: int = 3,
        word: str | None = strawberry.UNSET,
        point: Point | None = None,
        size: Size = Size.SMALL,
        sizes: list[Size | None] | None = None,
        choice: Choice | None = None,
        free: JSON | None = None,
    ) -> Any:
        given = (must, most, word, point, size, sizes, choice, free)
        return await _followed(info, lambda: _of(self, info, name), given)

    async def ending(self: Any, info: strawberry.Info) -> Any:
        def fail() -> None:
            raise ValueError(f"{name} ends at {info.path.as_list()}")

        return await _followed(info, fail)

    async def loaded(self: Any, info: strawberry.Info) -> Any:
        loads = _loads(name)
        asked = loads.asks(self, info)
        return loads.value(self, info, await asked[0].load(asked[1])) if asked is not None else None

    def root(self: Any, info: strawberry.Info) -> Any:
        return info.context[name]

    async def later(value: Any) -> Any:
        return value

    def each(self: Any, info: strawberry.Info) -> Any:
        values = info.context[name]
        return [later(value) for value in values] if isinstance(values, list) else values

    return {
        "each": each,
        "computed": computed,
        "marked": marked,
        "argued": argued,
        "failing": failing,
        "awaited": awaited,
        "slow": slow,
        "asked": asked,
        "ending": ending,
        "loaded": loaded,
        "root": root,
    }


class RandomDocument:
    """A document that may be asked of a schema, valid more often than not."""

    def __init__(self, asked: RandomSchema, number: int) -> None:
        self.random = Random(number)
        self.asked = asked
        self.fragments: list[str] = []
        self.mentioned: dict[str, set[Member]] = defaultdict(set)
        kind = "Mutation" if number % 4 == 3 else "Query"
        body = self.selections(kind, 4)
        variables = (
            "($yes: Boolean!, $no: Boolean = false, $most: Int! = 2, $word: String, $needed: Int = 4, $point: Point = {x: 3}, "
            '$size: Size! = LARGE, $said: String! = "w", $choice: Choice)'
        )
        self.text = f"{kind.lower()} {variables} {body} {' '.join(self.fragments)}"

    @cached_property
    def members(self) -> dict[str, list[Member]]:
        """The members of each shape that may be asked for, by themselves or of what it implements."""
        shared = self.mentioned["Common"]
        return {
            name: [member for member in shape.members if member in self.mentioned[name] or member in shared]
            for name, shape in self.asked.shapes.items()
        }

    def variables(self, number: int) -> dict[str, Any]:
        random = Random(number)
        given = {
            "yes": random.random() < 0.7,
            "no": random.choices([True, False, None], [3, 6, 1])[0],
            "most": random.randint(0, 3),
            "word": random.choice(["a", None]),
            "needed": random.choice([5, 6, None]),
            "point": random.choice([{"x": 1}, {"x": 2, "y": None, "words": ["a", "b"]}, {"x": 1, "words": "a"}, None]),
            "size": random.choice(["SMALL", "LARGE"]),
            "said": "so",
            "choice": random.choice([{"word": "a"}, {"point": {"x": 1}}, None]),
        }
        given = {name: value for name, value in given.items() if name == "yes" or random.random() < 0.7}
        if random.random() < 0.1:
            # What does not fit.
            given[random.choice([*given, "more"])] = random.choice([None, "?", [], {}, {"x": "1"}, {"z": 1}, 2**40, 1.5, {"word": None}])
        return given

    def selections(self, name: str, depth: int) -> str:
        members = self.asked.shapes[name].members
        chosen = [self.random.choice(members) for _ in range(self.random.randint(1, 4))]
        texts = [text for member in chosen if (text := self._selection(name, member, depth))] + (
            ["__typename"] if self.random.random() < 0.2 else []
        )
        if name == "Common" and self.random.random() < 0.8:
            texts += [f"... on {each} {self.selections(each, depth - 1)}" for each in self.asked.implementing()[:2] if depth > 0]
        if name not in ("Query", "Mutation", "Common") and depth > 0 and self.random.random() < 0.2:
            texts.append(self._spread(name, depth - 1))
        return "{" + " ".join(texts or ["__typename"]) + "}"

    def _spread(self, name: str, depth: int) -> str:
        inner = self.selections(name, depth)
        if self.random.random() < 0.5:
            return f"...{self._condition()} {inner}"
        self.fragments.append(f" fragment F{len(self.fragments)} on {name} {inner}")
        return f"...F{len(self.fragments) - 1}{self._condition()}"

    def _selection(self, name: str, member: Member, depth: int) -> str:
        is_leaf = member.kind.name in LEAVES
        if not is_leaf and depth <= 0:
            return ""
        self.mentioned[name].add(member)
        alias = f"{self.random.choice('abc')}_{member.name}: " if self.random.random() < 0.2 else ""
        arguments = ""
        if member.resolver == "asked" or (member.resolver == "argued" and self.random.random() < 0.7):
            # The same wherever a name is asked for under the same alias, or the fields could not be merged.
            arguments = (ASKED if member.resolver == "asked" else ARGUED)[alias[:1]]
        return f"{alias}{member.name}{arguments}{self._condition()}" + (
            "" if is_leaf else f" {self.selections(member.kind.name, depth - 1)}"
        )

    def _condition(self) -> str:
        if self.random.random() < 0.85:
            return ""
        return self.random.choice(
            [" @include(if: $yes)", " @skip(if: $no)", " @skip(if: false)", " @include(if: true)", " @skip(if: $yes)"]
        )


class RandomData:
    """What the roots of a schema answer a document with: mostly what the schema promises, at times anything else.

    Only what the document mentions has values: all that a schema could be asked for would be ten times as many.
    """

    def __init__(self, document: RandomDocument, number: int, *, oddness: float) -> None:
        self.random = Random(number)
        self.asked = document.asked
        self.members = document.members
        self.oddness = oddness
        batches = self.random.choices([_load, _load_slowly, _load_nothing], [8, 4, 0 if oddness == 0 else 1], k=2)
        self.context = {
            "counts": self.random.random() < 0.9,
            "loads": self.random.random() < 0.95,
            "loaders": [Loader(batch) for batch in batches],
            "log": [],
        } | {member.name: self._value(member.kind, 4) for name in ("Query", "Mutation") for member in self.members[name]}

    def _value(self, kind: Kind, depth: int, wraps: tuple[str, ...] | None = None) -> Any:
        wraps = kind.wraps if wraps is None else wraps
        if self.random.random() < self.oddness:
            return self._odd(kind, depth)
        if wraps[:1] == ("?",):
            return None if self.random.random() < 0.2 or depth <= 0 else self._value(kind, depth, wraps[1:])
        if wraps[:1] == ("[",):
            return [self._value(kind, depth, wraps[1:]) for _ in range(self.random.randint(0, 3) if depth > 0 else 0)]
        # Of its own: what is changed in place for one executor is not changed for the other.
        return deepcopy(self.random.choice(LEAF_VALUES[kind.name])) if kind.name in LEAVES else self._object(kind.name, depth - 1)

    def _object(self, name: str, depth: int) -> Any:
        if name == "Common":
            name = self.random.choice(self.asked.implementing())
        if depth < 0:
            # Classes that need each other would never end; nothing asks so deep.
            return {"kind": name, TYPE_NAME: name}
        values = {"kind": name, TYPE_NAME: name} | {member.name: self._value(member.kind, depth) for member in self.members[name]}
        if self.random.random() < self.oddness:
            values.pop(self.random.choice(list(values)))
        return values if self.asked.is_by_name or self.random.random() < 0.7 else SimpleNamespace(**values)

    def _odd(self, kind: Kind, depth: int) -> Any:
        value = self._value(kind, depth - 1) if depth > 0 else None
        # Who comes first takes what can be read once only, and whoever waits for loaders comes later.
        once: Any = tuple if self.asked.loads else iter
        return self.random.choice(
            [
                *(None, Undefined, ValueError("odd"), Later(value), Later(ValueError("later")), value, (value,), {1}, once([value])),
                *(
                    5,
                    2**40,
                    1.5,
                    float("nan"),
                    float("inf"),
                    True,
                    "x",
                    "s",
                    b"x",
                    [],
                    {},
                    [None],
                    {"kind": "T0"},
                    {TYPE_NAME: "T0"},
                    {TYPE_NAME: []},
                ),
            ]
        )
