"""How many examples the tests of properties take whose examples cost more than those of others."""

from typing import Any

from hypothesis import settings


def part_of_examples(*, percent: int) -> Any:
    """The decorator of a test that takes this part of the examples that others take, in the suite as in a search (docs/code.md)."""
    return settings(max_examples=settings.default.max_examples * percent // 100)
