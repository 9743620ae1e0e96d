"""Resolvers that are called directly get what the library's own wrappers would pass them."""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from strawberry.extensions import FieldExtension
from strawberry.scalars import JSON
from strawberry.types.info import Info

from gateway.graphql.execution import call_directly


@strawberry.enum
class Colour(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.input
class Point:
    x: int
    y: int | None
    label_text: str = "none"


@strawberry.input
class Tree:
    name: str | None = strawberry.field(name="called")
    colour: Colour = Colour.BLUE
    left: "Tree | None" = None
    rest: "list[Tree]" = strawberry.field(default_factory=list)
    note: strawberry.Maybe[str | None] = None


@strawberry.input(one_of=True)
class Choice:
    by_name: strawberry.Maybe[str]
    at_point: strawberry.Maybe[Point]


class Doubled(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> str:
        return str(next_(source, info, **arguments)) * 2


def shown(**arguments: Any) -> str:
    return repr(sorted(arguments.items()))


@strawberry.type
class Query:
    @strawberry.field
    def plain(self, number: int = 3, text: str | None = strawberry.UNSET, flag: bool = False, id: strawberry.ID | None = None) -> str:
        return shown(number=number, text=text, flag=flag, id=id)

    @strawberry.field
    async def rich(
        self,
        info: Info,
        point: Point | None = None,
        colours: list[Colour] | None = None,
        choice: Choice | None = None,
        free: JSON | None = strawberry.UNSET,
        maybe: strawberry.Maybe[int | None] = None,
        names: list[str] | None = None,
    ) -> str:
        told = (info.field_name, info.context, info.path.key, info.python_name)
        return shown(point=point, colours=colours, choice=choice, free=free, maybe=maybe, names=names, told=told)

    @strawberry.field
    def nested(self, tree: Tree, trees: list[Tree | None] | None = None) -> str:
        return shown(tree=tree, trees=trees)

    @strawberry.field
    def renamed(self, to_whom: Annotated[str, strawberry.argument(name="for")]) -> str:
        return shown(to_whom=to_whom)

    @strawberry.field
    def failing(self) -> str:
        raise ValueError("as it is")

    @strawberry.field(extensions=[Doubled()])
    def doubled(self) -> str:
        return "x"


@pytest.fixture(scope="module")
def schemas() -> list[strawberry.Schema]:
    stock, direct = strawberry.Schema(Query), strawberry.Schema(Query)
    call_directly(direct)
    return [stock, direct]


QUERIES = [
    "{ plain }",
    '{ plain(number: 5, text: "a", flag: true, id: 7) }',
    "{ plain(text: null, id: null) }",
    "query ($n: Int, $t: String) { plain(text: $t) rich(names: null) }",
    "{ rich }",
    '{ again: rich(point: {x: 1, y: null}, colours: [RED, BLUE], names: ["a", "b"], maybe: null, free: {a: [1, null]}) }',
    '{ rich(point: {x: 1, y: 2, labelText: "l"}, maybe: 4, free: null) }',
    '{ rich(choice: {byName: "n"}) }',
    "{ rich(choice: {atPoint: {x: 1, y: 2}}) }",
    "{ rich(choice: {}) }",
    "{ nested(tree: {}) }",
    '{ nested(tree: {called: "a", colour: RED, left: {called: null, left: {left: null, rest: [{}]}}, note: null}, trees: [null, {}]) }',
    'query ($tree: Tree! = {rest: [{called: "b"}], note: "n"}) { nested(tree: $tree, trees: [$tree]) }',
    '{ renamed(for: "me") }',
    "{ renamed }",
    "{ failing }",
    "{ doubled }",
]


@pytest.mark.parametrize("query", QUERIES)
async def test_the_answer_is_that_of_the_library(schemas: list[strawberry.Schema], query: str):
    stock, direct = [await schema.execute(query, context_value="context") for schema in schemas]

    assert direct.data == stock.data
    assert [error.formatted for error in direct.errors or ()] == [error.formatted for error in stock.errors or ()]


def test_only_what_an_extension_looks_at_keeps_its_wrappers(schemas: list[strawberry.Schema]):
    fields = [schema._schema.query_type.fields for schema in schemas]

    assert [name for name in fields[0] if fields[1][name].resolve.__module__ == "strawberry.schema.schema_converter"] == ["doubled"]
