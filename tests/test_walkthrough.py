"""The walkthrough runs as it is printed, from top to bottom, against the demo that a reader starts."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.demo import demo_process

PAGE = Path(__file__).parents[1] / "docs" / "walkthrough.md"
_STEP = re.compile(r"```graphql\n(?P<operation>.*?)```\n\n```json\n(?P<answer>.*?)```\n", re.DOTALL)
_ADMINS_BEGIN = "## Definitions"
_ID = "..."
"""How the page prints ids, which differ in every demo."""


def test_every_operation_of_the_walkthrough_answers_as_printed():
    page = PAGE.read_text()
    steps = list(_STEP.finditer(page))
    found: list[str] = []

    assert len(steps) == page.count("```graphql") == 29
    with demo_process() as demo:
        for step in steps:
            headers = demo.admin if step.start() > page.index(_ADMINS_BEGIN) else demo.customer
            variables = {"id": found[-1]} if "$id" in step["operation"] else {}
            if step["operation"].startswith("subscription"):
                (answer,) = demo.listen(step["operation"], **variables)
            else:
                answer = demo.execute(step["operation"], headers=headers, **variables)
            answer = _without_ids(answer, found)
            assert answer == json.loads(step["answer"]), step["operation"]


def _without_ids(value: Any, found: list[str]) -> Any:
    if isinstance(value, list):
        return [_without_ids(part, found) for part in value]
    if not isinstance(value, dict):
        return value
    if "id" in value and isinstance(value["id"], str):
        found.append(value["id"])
        value = {**value, "id": _ID}
    return {name: _without_ids(part, found) for name, part in value.items()}
