"""The page of records runs as it is printed: its first part against the demo as a reader starts it, its second against a real Kinto."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.demo import demo_process
from tests.support.gateway_client import GatewayUnderTest
from tests.support.kinto import ADMIN, running_kinto
from tests.upstreams.operations import connect, kinto_inputs

PAGE = Path(__file__).parents[2] / "docs" / "records.md"
_STEP = re.compile(r"```graphql\n(?P<operation>.*?)```\n\n```json\n(?P<answer>.*?)```\n", re.DOTALL)
_KINTO_BEGINS = "## A Kinto server"
_VARYING = "..."
"""How the page prints what differs in every run."""


def test_every_operation_on_the_demo_answers_as_printed():
    steps = _steps(PAGE.read_text().partition(_KINTO_BEGINS)[0])

    assert len(steps) == 16
    with demo_process() as demo:
        for operation, expected in steps:
            assert _as_printed(demo.execute(operation), expected) == expected, operation


async def test_every_operation_on_kinto_answers_as_printed(gateway: GatewayUnderTest, tmp_path: Path):
    steps = _steps(PAGE.read_text().partition(_KINTO_BEGINS)[2])
    acme = gateway.customer()

    assert len(steps) == 10
    with running_kinto(tmp_path) as kinto:
        await connect(gateway, "kinto", **kinto_inputs(kinto.server, ADMIN))
        for operation, expected in steps:
            answer = json.loads((await acme.ask(operation)).text)
            assert _as_printed(answer, expected) == expected, operation


def _steps(text: str) -> list[tuple[str, Any]]:
    steps = [(step["operation"], json.loads(step["answer"])) for step in _STEP.finditer(text)]
    assert len(steps) == text.count("```graphql")
    return steps


def _as_printed(answer: Any, expected: Any) -> Any:
    """The answer without the places of errors in the document, and with the page's dots where it has them and there is a value."""
    if expected == _VARYING:
        return _VARYING if answer is not None else None
    if isinstance(answer, list) and isinstance(expected, list):
        return [_as_printed(*pair) for pair in zip(answer, expected, strict=False)] + answer[len(expected) :]
    if isinstance(answer, dict) and isinstance(expected, dict):
        return {name: _as_printed(part, expected.get(name)) for name, part in answer.items() if name != "locations"}
    return answer
