"""Compiled execution answers as the stock executor does, in data and in errors, whatever is asked of whatever data."""

import re
from inspect import isawaitable
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, NoUnusedVariablesRule, parse, specified_rules, validate
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.graphql.execution import FastExecutor, Plans
from tests.graphql.random_operations import RandomData, RandomDocument, RandomSchema

# Where a null ends what is beside it before it began, graphql-core leaves coroutines that nobody awaits: the stock executor too.
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]


async def answered(executor: Any) -> ExecutionResult:
    assert not isinstance(executor, list)
    result = executor.execute_operation()
    return await result if isawaitable(result) else result


def without_addresses(value: object) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def told(result: ExecutionResult) -> tuple[str, list[object]]:
    # As text: in Python 1 equals True, and NaN nothing.
    # Errors by their places: what is waited for at the same time fails in any order. Where several end the same value, the first
    # to come is told: that one stands for all of them.
    return without_addresses(result.data), sorted(
        {
            repr((ended, *(() if ended else (without_addresses(error.message), error.path, error.locations, error.extensions))))
            for error in result.errors or ()
            for ended in [ended_value(result.data, error.path)]
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
    """How many answers of one schema were compared, how many of them had errors, and how many places were compiled."""
    asked = RandomSchema(number)
    schema, cases, with_errors, compiled = asked.schema._schema, 0, 0, 0
    for document_number in range(4):
        document = RandomDocument(asked, number * 100 + document_number)
        node = parse(document.text)
        if validate(schema, node, RULES):
            continue
        plans = Plans()
        for data_number in range(5):
            seed = number * 1000 + document_number * 10 + data_number
            results = []
            for executors, options in ((StrawberryGraphQLCoreExecutionContext, {}), (FastExecutor, {"plans": plans})):
                context = RandomData(asked, seed, oddness=0.04 * (data_number % 2)).context
                executor = executors.build(
                    schema, node, None, context, document.variables(seed), None, operation_extensions=None, **options
                )
                results.append(told(await answered(executor)))
            assert results[1] == results[0], (number, document.text)
            cases += 1
            with_errors += bool(results[0][1])
        compiled += sum(plan is not None for plan in plans._made.values())
    return cases, with_errors, compiled


async def compared_all(numbers: range) -> tuple[int, int, int]:
    return tuple(sum(each) for each in zip(*[await compared(number) for number in numbers], strict=True))  # type: ignore[return-value]


async def test_a_few_hundred_random_operations_are_answered_as_the_stock_executor_answers_them():
    cases, with_errors, compiled = await compared_all(range(24))

    assert (cases > 300, with_errors > 80, compiled > 500) == (True, True, True)


@pytest.mark.long
async def test_thousands_of_random_operations_are_answered_as_the_stock_executor_answers_them():
    cases, with_errors, compiled = await compared_all(range(1000, 1220))

    assert (cases > 2_600, with_errors > 750, compiled > 5_000) == (True, True, True)


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
    assert answer == ExecutionResult(
        {f"_{number}": [{f"_{each}": name for each in range(100)} for name in "ab"] for number in range(12)}, None
    )
    assert sum(plan is not None for plan in plans._made.values()) == 10
