"""What leaves the process of an error: always a code, and never more than was meant to be read."""

import json
from typing import Any

import pytest
import strawberry
import structlog
from graphql import GraphQLError

from gateway import errors
from gateway.errors import (
    CombinedUserError,
    ConfigurationError,
    GatewayError,
    InternalError,
    InvalidError,
    LimitError,
    NotFoundError,
    UnsupportedError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamRejectedError,
    UserError,
)
from gateway.graphql import make_context
from gateway.graphql.errors import REFUSALS, told
from gateway.graphql.inputs.records import FieldsInput
from gateway.graphql.masking import MaskErrors, readable
from tests.graphql.world import SCHEMA, World
from tests.support.notes_connector import NotesApp
from tests.support.runtime import connection

LOCATION = '{ connection(by: { integrationKey: "notes" }) { name location { path } } }'


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing }", "Cannot query field 'nothing' on type 'Query'."),
        ("{ connector { key } }", "Argument 'Query.connector(key:)' of type 'String!' is required, but it was not provided."),
        ("query ($key: String!) { connector(key: $key) { key } }", "Variable '$key' has invalid value: Expected a value of non-null type"),
        ('{ connectors(first: "x") { totalCount } }', "Int cannot represent non-integer value"),
        ("{ connectors(first: 3000000000) { totalCount } }", "Int cannot represent non 32-bit signed integer value"),
        ('{ connection(by: { id: "x", integrationKey: "y" }) { id } }', "exactly one key"),
        ("{ connection(by: {}) { id } }", "exactly one key"),
        ("query ($by: ConnectionSelector!) { connection(by: $by) { id } }", "Variable '$by'"),
        ("{ connections(filter: { states: [LOST] }) { totalCount } }", "does not exist in 'ConnectionState' enum"),
    ],
)
async def test_a_request_that_breaks_the_rules_is_invalid(world: World, document: str, message: str):
    result = await world.execute(document)

    assert {error.extensions["code"] for error in result.errors} == {"INVALID"}
    assert any(message in error.message for error in result.errors), [error.message for error in result.errors]


@pytest.mark.parametrize("by", [{}, {"id": None}, {"id": "x", "integrationKey": "y"}, {"id": None, "integrationKey": "notes"}])
async def test_a_selector_in_a_variable_names_exactly_one_thing(world: World, by: dict[str, str]):
    code, _ = await world.error("query ($by: ConnectionSelector!) { connection(by: $by) { id } }", by=by)

    assert code == "INVALID"


async def test_a_defect_shows_only_a_reference_and_is_logged_whole(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.failure = ZeroDivisionError("the password is hunter2")

    with structlog.testing.capture_logs() as log:
        result = await world.execute(LOCATION)

    (error,) = result.errors
    reference = error.extensions["reference"]
    assert result.data == {"connection": {"name": "Notes", "location": None}}
    assert error.extensions == {"code": "INTERNAL", "reference": reference}
    assert error.message == f"Something went wrong inside the gateway. Its operator finds the cause in the log under {reference}."
    assert error.path == ["connection", "location"]
    assert "hunter2" not in json.dumps(error.formatted)
    (entry,) = log
    assert (entry["log_level"], entry["reference"], entry["path"]) == ("error", reference, ["connection", "location"])
    assert "ZeroDivisionError: the password is hunter2" in entry["exception"]


async def test_an_internal_error_is_a_defect_though_it_is_ours(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.failure = InternalError("row 7 of table x is damaged")

    with structlog.testing.capture_logs() as log:
        code, message = await world.error(LOCATION)

    assert code == "INTERNAL"
    assert "table x" not in message
    assert len(log) == 1


async def test_a_mistake_of_the_client_is_not_logged(world: World, caplog: pytest.LogCaptureFixture):
    with structlog.testing.capture_logs() as log:
        await world.execute("{ nothing }")
        await world.execute("{")
        await world.execute('{ node(id: "x") { id } }')

    assert (log, caplog.records) == ([], [])


def test_what_operators_must_do_is_told():
    error = readable(GraphQLError("x", original_error=ConfigurationError("Setting X is missing.")))

    assert (error.message, error.extensions) == ("Setting X is missing.", {"code": "CONFIGURATION"})


def test_an_error_that_has_a_code_already_keeps_it():
    @strawberry.type
    class Query:
        @strawberry.field
        def mine(self) -> int | None:
            raise GraphQLError("Mine.", extensions={"code": "TIMEOUT", "seconds": 3})

    result = strawberry.Schema(Query, extensions=[MaskErrors]).execute_sync("{ mine }")

    assert [error.formatted["extensions"] for error in result.errors] == [{"code": "TIMEOUT", "seconds": 3}]


def test_a_field_that_must_not_be_null_and_is_shows_no_more_than_another_defect():
    @strawberry.type
    class Query:
        @strawberry.field
        def secret_table(self) -> int:
            return None

    with structlog.testing.capture_logs():
        result = strawberry.Schema(Query, extensions=[MaskErrors]).execute_sync("{ secretTable }")

    assert [error.extensions["code"] for error in result.errors] == ["INTERNAL"]
    assert "secret" not in result.errors[0].message


@pytest.mark.parametrize("error", [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, GatewayError)])
def test_every_error_is_either_a_refusal_of_a_mutation_or_a_top_level_error(error: type[GatewayError]):
    fault_of_the_app = {"UpstreamError", "UpstreamUnavailableError", "UpstreamRateLimitError", "UpstreamResponseError"}

    is_refusal = issubclass(error, REFUSALS)
    assert is_refusal == (
        issubclass(error, UserError | CombinedUserError) or (issubclass(error, UpstreamError) and error.__name__ not in fault_of_the_app)
    )
    assert not (is_refusal and issubclass(error, LimitError | InternalError | ConfigurationError))


def test_what_is_readable_stays_as_it_is():
    limit = readable(GraphQLError("x", path=["a", 1], original_error=UpstreamRateLimitError("Slow down.", retry_after_seconds=2.5)))
    missing = readable(GraphQLError("x", original_error=GraphQLError("y", original_error=NotFoundError("There is none.", field=["input"]))))

    assert (limit.message, limit.path, limit.extensions) == (
        "Slow down.",
        ["a", 1],
        {"code": "UPSTREAM_RATE_LIMIT", "retryAfterSeconds": 2.5},
    )
    assert (missing.message, missing.extensions) == ("There is none.", {"code": "NOT_FOUND", "field": ["input"]})


def test_several_things_that_are_wrong_are_told_one_by_one():
    wrong = CombinedUserError([InvalidError("No x.", field=["filter", "x"]), UnsupportedError("No order.")])

    error = readable(GraphQLError("x", original_error=wrong))

    assert error.message == "No x. No order."
    assert error.extensions == {
        "code": "INVALID",
        "userErrors": [
            {"code": "INVALID", "message": "No x.", "field": ["filter", "x"]},
            {"code": "UNSUPPORTED", "message": "No order.", "field": None},
        ],
    }
    assert told(wrong) == error.extensions["userErrors"]


@pytest.mark.parametrize(
    ("given", "of_title"),
    [({"fields": {"title": ""}}, ["fields", "title"]), ({"unified_fields": {"title": ""}}, ["unifiedFields", "title"])],
    ids=["own", "unified"],
)
def test_what_the_app_says_of_single_fields_is_told_of_the_input(given: dict[str, Any], of_title: list[str]):
    rejected = UpstreamRejectedError("Notes refused it (422).", status=422, fields={"title": "must not be blank"})
    values = FieldsInput(**({"fields": strawberry.UNSET, "unified_fields": strawberry.UNSET} | given))

    assert told(rejected, values=values) == [
        {"code": "UPSTREAM_REJECTED", "message": "Notes refused it (422).", "field": None},
        {"code": "UPSTREAM_REJECTED", "message": "must not be blank", "field": ["input", "values", *of_title]},
    ]
    assert told(rejected) == [{"code": "UPSTREAM_REJECTED", "message": "Notes refused it (422).", "field": None}]


async def test_what_is_read_over_a_socket_is_masked_as_well(world: World, notes_app: NotesApp):
    await connection(world.runtime, world.acme)
    notes_app.failure = ZeroDivisionError("the password is hunter2")

    with structlog.testing.capture_logs() as log:
        stream = await SCHEMA.stream(LOCATION, context_value=make_context(world.runtime, world.acme))
        answers = [answer async for answer in stream]
    broken = [answer async for answer in await SCHEMA.stream("{ nothing }", context_value=make_context(world.runtime, world.acme))]

    (answer,) = answers
    assert [error.extensions["code"] for error in answer.errors] == ["INTERNAL"]
    assert "hunter2" not in answer.errors[0].message
    assert len(log) == 1
    assert [[error.extensions["code"] for error in answer.errors] for answer in broken] == [["INVALID"]]


@pytest.mark.parametrize(
    ("echo", "shown"),
    [
        ("Expected value of type 'A' not to include unknown field 'b', found: {'token': 's'}.", "to include unknown field 'b'."),
        ("Expected value not to include 'b'. Did you mean 'c'? Found: {'token': 's: {'}.", "not to include 'b'. Did you mean 'c'?"),
        ("String cannot represent a non string value: {'token': 's'}", "String cannot represent a non string value."),
        ("Expected value of type 'A', found: ['s', {'t': 1}].", "Expected value of type 'A'."),
        ("Int cannot represent non-integer value: 'x'", "Int cannot represent non-integer value: 'x'"),
        ("Syntax Error: Expected ':', found '}'.", "Syntax Error: Expected ':', found '}'."),
    ],
)
def test_objects_of_the_request_which_may_hold_credentials_are_not_quoted(echo: str, shown: str):
    assert readable(GraphQLError(echo)).message.endswith(shown)
