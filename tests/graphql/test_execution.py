"""Compiled execution answers as the stock executor does, in data and in errors, whatever is asked of whatever data."""

import asyncio
import gc
import re
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, NoUnusedVariablesRule, parse, specified_rules, validate
from strawberry.scalars import JSON
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.graphql.execution import FastExecutor, Plans, Prepared, call_directly
from tests.graphql.random_operations import Kind, Member, RandomData, RandomDocument, RandomSchema, Shape
from tests.support.plain import plain

# Where a null ends what is beside it before it began, graphql-core leaves coroutines that nobody awaits: the stock executor too.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TURNS_AFTER = 12
RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]


async def answered(executor: Any, *, turns: int | None) -> ExecutionResult | str:
    """What an executor answers; whoever waits for it goes after so many turns of the loop."""
    assert not isinstance(executor, list)
    result = executor.execute_operation()
    if not isawaitable(result):
        return result
    work = asyncio.ensure_future(result)
    for _ in range(turns or 0):
        await asyncio.sleep(0)
    if turns is not None:
        work.cancel()
    (ended,) = await asyncio.gather(work, return_exceptions=True)
    for _ in range(TURNS_AFTER):
        await asyncio.sleep(0)
    return "cancelled" if isinstance(ended, asyncio.CancelledError) else ended


def followed(log: list[str], *, is_exact: bool, is_whole: bool) -> list[str]:
    """What resolvers wrote down: where loaders read, the rest comes in any order, and what an error has ended may have begun or not."""
    return log if is_exact else sorted(log) if is_whole else []


def without_addresses(value: object) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def told(result: ExecutionResult | str) -> tuple[str, list[object]]:
    if isinstance(result, str):
        return result, []
    # As text: in Python 1 equals True, and NaN nothing.
    # Errors by their places: what is waited for at the same time fails in any order. Where several end the same value, the first
    # to come is told: that one stands for all of them.
    data = plain(result.data)
    return without_addresses(data), sorted(
        {
            repr((ended, *(() if ended else (without_addresses(error.message), error.path, error.locations, error.extensions))))
            for error in result.errors or ()
            for ended in [ended_value(data, error.path)]
        }
    )


def ended_value(data: Any, path: Any) -> list[Any]:
    """Where the null stands that an error has made of a value around its own; empty where it stands at the error's own place."""
    for depth, key in enumerate(path or ()):
        if data is None:
            return ["null at", *path[:depth]]
        data = data[key]
    return []


async def compared(number: int) -> tuple[int, int, int]:
    """How many answers of one schema were compared, how many of them had errors, and how many places were planned.

    Also what the resolvers were passed, and in which order they began and ended; some answers are not waited for.
    """
    asked = RandomSchema(number)
    schema, cases, with_errors, planned = asked.schema._schema, 0, 0, 0
    for document_number in range(4):
        document = RandomDocument(asked, number * 100 + document_number)
        node = parse(document.text)

        def stock(context: Any, variables: Any, node: Any = node) -> Any:
            build = StrawberryGraphQLCoreExecutionContext.build
            return build(schema, node, None, context, variables, None, operation_extensions=None)

        if validate(schema, node, RULES):
            continue
        plans = Plans()
        prepared = Prepared(schema, node, None, plans=plans)
        for data_number in range(5):
            seed = number * 1000 + document_number * 10 + data_number
            variables = document.variables(seed)
            # How often the loop turns while loaders read is not the same.
            turns = seed % 7 if document_number % 2 == 0 and data_number > 2 and not asked.loads else None
            results = []
            for executors in (stock, lambda context, variables, prepared=prepared: prepared.executor(variables, context=context)):
                context = RandomData(document, seed, oddness=0.04 * (data_number % 2)).context
                executor = executors(context, variables)
                if isinstance(executor, list):
                    results.append([error.formatted for error in executor])
                else:
                    answer = told(await answered(executor, turns=turns))
                    results.append((*answer, followed(context["log"], is_exact=not asked.loads, is_whole=not answer[1])))
            assert results[1] == results[0], (number, document.text, variables)
            cases += 1
            with_errors += isinstance(results[0], list) or bool(results[0][1])
        planned += sum(plan is not None for plan in plans._made.values())
    return cases, with_errors, planned


async def compared_all(numbers: range) -> tuple[int, int, int]:
    found = [await compared(number) for number in numbers]
    # What nobody awaits goes now, and not among the warnings of another test.
    gc.collect()
    return tuple(map(sum, zip(*found, strict=True)))  # type: ignore[return-value]


async def test_a_few_hundred_random_operations_are_answered_as_the_stock_executor_answers_them():
    cases, with_errors, planned = await compared_all(range(24))

    assert (cases > 300, with_errors > 100, planned > 900) == (True, True, True)


@pytest.mark.long
async def test_thousands_of_random_operations_are_answered_as_the_stock_executor_answers_them():
    cases, with_errors, planned = await compared_all(range(1000, 1220))

    assert (cases > 3_600, with_errors > 1_400, planned > 10_000) == (True, True, True)


def test_an_operation_of_very_many_fields_takes_no_more_room_for_its_plans_than_others_and_is_answered_all_the_same():
    @strawberry.type
    class Record:
        name: str

    @strawberry.type
    class Query:
        @strawberry.field
        def records(self) -> list[Record]:
            return [Record(name="a"), Record(name="b")]

    schema = strawberry.Schema(Query)._schema
    # A thousand fields stand in all plans of an operation, one for each place.
    many = " ".join(f"_{number}: records {{ {' '.join(f'_{each}: name' for each in range(100))} }}" for number in range(12))
    plans = Plans()

    result = FastExecutor.build(schema, parse(f"{{ {many} }}"), None, None, {}, None, operation_extensions=None, plans=plans)

    assert not isinstance(result, list)
    answer = result.execute_operation()
    assert answer.errors is None
    assert plain(answer.data) == {f"_{number}": [{f"_{each}": name for each in range(100)} for name in "ab"] for number in range(12)}
    # That of the root, which takes twelve fields, and of nine lists.
    assert sum(plan is not None for plan in plans._made.values()) == 1 + 9


def test_what_plans_need_later_has_room_for_a_thousand_fields_and_the_oldest_goes():
    grown, made = [], []
    plans = Plans(grown.append)

    def asked(number: int) -> int:
        return plans.later(number, lambda: made.append(number) or number, fields=100)

    assert [asked(number) for number in (*range(12), 11, 2, 0, 1, 11)] == [*range(12), 11, 2, 0, 1, 11]

    assert made == [*range(12), 0, 1]
    assert sum(grown) == 2_000_000


def test_executors_of_one_operation_share_nothing_that_an_execution_changes():
    prepared = Prepared(RandomSchema(1).schema._schema, parse("{ __typename }"), None, plans=Plans())
    first, second = (vars(prepared.executor({}, context={})) for _ in range(2))

    changeable = {name for name, value in first.items() if not isinstance(value, (str, bool, tuple, type(None))) and not callable(value)}
    shared = {name for name in changeable if first[name] is second[name]}

    assert set(first) == set(second)
    # What belongs to the schema, the document and the operation.
    assert shared == {"schema", "fragment_definitions", "fragments", "operation", "_plans"}


def test_what_a_resolver_makes_of_a_variables_default_is_not_seen_by_the_next_execution():
    @strawberry.type
    class Query:
        @strawberry.field
        def told(self, free: JSON) -> JSON:
            free["words"].append("more")
            return free

    schema = strawberry.Schema(Query)
    call_directly(schema)
    prepared = Prepared(schema._schema, parse("query ($free: JSON! = {words: []}) { told(free: $free) }"), None, plans=Plans())
    answers = []
    for _ in range(2):
        executor = prepared.executor({}, context=None)
        assert not isinstance(executor, list)
        answers.append(executor.execute_operation().data)

    assert answers == [{"told": {"words": ["more"]}}] * 2


@pytest.mark.parametrize("wraps", [(), ("?",), ("[",), ("[", "?"), ("?", "[", "["), ("?", "[", "?", "[", "?")])
async def test_a_value_that_looks_like_the_object_that_it_stands_in_is_not_mistaken_for_it(wraps: tuple[str, ...]):
    asked = RandomSchema(1)
    box = Shape("Box", (Member("free", Kind("json", ("?",)), "plain"), Member("name", Kind("str", ()), "plain")), False)
    holder = Shape("Holder", (Member("boxes", Kind("Box", wraps), "plain"),), False)
    query = Shape("Query", (Member("holder", Kind("Holder", ()), "root"),), False)
    asked.shapes = {"Common": asked.shapes["Common"], "Box": box, "Holder": holder, "Query": query}
    inner: dict[str, Any] = {"free": {"free": 1, "name": "inner"}, "name": "outer"}
    value: Any = inner
    for _ in range(wraps.count("[")):
        value = [value, value]
    prepared = Prepared(asked._built()._schema, parse("{ holder { boxes { free name } } }"), None, plans=Plans())

    executor = prepared.executor({}, context={"holder": {"boxes": value}})

    assert told(await answered(executor, turns=None)) == told(ExecutionResult({"holder": {"boxes": value}}, None))
