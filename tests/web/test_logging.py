"""The log: one line an operation, and nothing in it that a client would not want to find there."""

import io
import json
import logging

import pytest
import structlog

from gateway.web.logging import configure_logging
from tests.web.serving import open_socket


@pytest.fixture
def lines():
    """Reads what was logged since."""
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = before[0]
    root.setLevel(before[1])


def operations(lines):
    return [{name: line[name] for name in ("transport", "operation", "status", "code")} for line in lines() if line["event"] == "operation"]


async def test_an_operation_is_one_line_with_name_status_duration_and_code(http, lines):
    await http.post("/graphql", json={"query": "query Greet { hello }"})

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "operation",
        "logger": "gateway.web",
        "level": "info",
        "transport": "http",
        "operation": "Greet",
        "status": 200,
        "code": None,
        "duration_ms": 0.0,
    }


@pytest.mark.parametrize(
    ("body", "operation", "status", "code"),
    [
        ({"query": "{ hello }"}, None, 200, None),
        ({"query": "query A { hello } query B { hello }", "operationName": "B"}, "B", 200, None),
        ({"query": 'mutation Write { note(text: "x") }'}, "Write", 200, None),
        ({"query": "fragment F on Query { hello } query WithF { ...F }"}, "WithF", 200, None),
        ({"query": '{ hello(name: "\\"mutation secret1") } # query secret2'}, None, 200, None),
        ({"query": '{ hello(name: """ "" query secret1 \\""" query secret2 """) }'}, None, 200, None),
        ({"query": '{ hello(name: """ query secret'}, None, 200, "INVALID"),
        ({"query": "{ nothing }"}, None, 200, "INVALID"),
        ({"query": "{", "operationName": "N" * 500}, "N" * 100, 200, "INVALID"),
        ({"query": ""}, None, 400, "INVALID"),
    ],
)
async def test_the_line_tells_how_the_operation_ended(http, lines, body, operation, status, code):
    await http.post("/graphql", json=body)

    assert operations(lines) == [{"transport": "http", "operation": operation, "status": status, "code": code}]


async def test_an_operation_over_a_socket_is_a_line_too(app, lines):
    async with open_socket(app) as client:
        await client.ask("query Greet { hello }")
        await client.ask("query Wrong { nothing }")

    assert operations(lines) == [
        {"transport": "websocket", "operation": "Greet", "status": None, "code": None},
        {"transport": "websocket", "operation": "Wrong", "status": None, "code": "INVALID"},
    ]


async def test_neither_tokens_nor_variables_nor_values_are_logged(http, app, lines, bearer):
    token = bearer("acme").removeprefix("Bearer ")
    body = {"query": 'query($name: String!) { hello(name: $name) echo(value: "in the document") }', "variables": {"name": "a private name"}}

    await http.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"})
    await http.get("/graphql", params={"query": "{ hello }", "token": token}, headers={"authorization": f"Bearer x{token}"})
    async with open_socket(app, payload={"authorization": f"Bearer {token}"}) as client:
        await client.ask(body["query"], variables=body["variables"])

    logged = json.dumps(lines())
    assert len(operations(lines)) == 3
    assert [secret for secret in (token, "a private name", "in the document", "acme") if secret in logged] == []


async def test_the_warnings_of_libraries_are_json_as_well_and_their_chatter_is_not_there(lines):
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("uvicorn.error").warning("Something %s", "odd")

    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("Something odd", "warning", "uvicorn.error")


async def test_a_failure_is_logged_with_its_traceback_in_one_line(lines):
    try:
        raise RuntimeError("the cause")
    except RuntimeError as error:
        structlog.get_logger("gateway.web").error("defect", exc_info=error)

    (line,) = lines()
    assert "RuntimeError: the cause" in line["exception"]


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("broken", ["full", "closed"])
async def test_a_log_that_cannot_be_written_ends_nobodys_work(http, lines, broken):
    stream = FullDisk()
    if broken == "closed":
        stream.close()
    configure_logging(stream=stream)

    answer = await http.post("/graphql", json={"query": "{ hello }"})

    assert (answer.status_code, answer.json()["data"]) == (200, {"hello": "Hello, world!"})


def test_an_entry_that_is_hardly_json_is_written_all_the_same(lines):
    log = structlog.get_logger("gateway.web")

    log.warning("odd", half="\ud800", number=2**70, by_number={1: "é"})
    try:
        raise RuntimeError("half a letter: \ud800")
    except RuntimeError:
        log.exception("defect")

    odd, defect = lines()
    assert (odd["half"], odd["number"], odd["by_number"]) == ("\ud800", 2**70, {"1": "é"})
    assert "RuntimeError: half a letter: \ud800" in defect["exception"]


async def test_whoever_sets_up_the_log_anew_has_the_operations_too(http, lines):
    await http.post("/graphql", json={"query": "query First { hello }"})
    with structlog.testing.capture_logs() as captured:
        await http.post("/graphql", json={"query": "query Captured { hello }"})
    quiet, other = io.StringIO(), io.StringIO()
    configure_logging(level=logging.WARNING, stream=quiet)
    await http.post("/graphql", json={"query": "query Unwanted { hello }"})
    structlog.configure(processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory(other))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    await http.post("/graphql", json={"query": "query Other { hello }"})

    assert [line["operation"] for line in lines()] == ["First"]
    assert [entry["operation"] for entry in captured] == ["Captured"]
    assert (quiet.getvalue(), json.loads(other.getvalue())["operation"]) == ("", "Other")


def test_a_bound_logger_tells_what_it_was_bound_with(lines):
    structlog.get_logger("gateway.web").bind(instance_id="1").info("told", status=200)

    (line,) = lines()
    assert (line["event"], line["instance_id"], line["status"], line["level"]) == ("told", "1", 200, "info")


def test_a_line_is_written_to_a_stream_of_bytes_as_to_one_of_text(lines):
    file = io.BytesIO()
    configure_logging(stream=io.TextIOWrapper(file, encoding="ascii"))

    structlog.get_logger("gateway.web").info("told", name="é")

    assert json.loads(file.getvalue())["name"] == "é"
