"""Evaluation of a parsed expression within the limits."""

from collections.abc import Callable, Mapping
from inspect import getmembers, isfunction
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from gateway.expressions import limits, numbers
from gateway.expressions.analysis import Node
from gateway.expressions.errors import ExpressionError
from gateway.expressions.functions import Functions

_FUNCTIONS = Functions()
_OPTIONS = Options(custom_functions=_FUNCTIONS)


def _counted(name: str) -> Callable[[Any, Node, Any], Any]:
    """jmespath's method of that name, which then counts what it made."""
    visit = getattr(TreeInterpreter, name)

    def counted(self: "BoundedInterpreter", node: Node, value: Any) -> Any:
        result = visit(self, node, value)
        self.count(result)
        return result

    return counted


class BoundedInterpreter(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types.
    """jmespath's interpreter that gives up when an evaluation makes or passes on too much. One evaluation each."""

    visit_projection = _counted("visit_projection")
    visit_filter_projection = _counted("visit_filter_projection")
    visit_value_projection = _counted("visit_value_projection")

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._work = 0

    def visit_flatten(self, node: Node, value: Any) -> list[Any] | None:
        """One list of a list of lists; null for what is no list. It is counted before it is made, which would take the memory."""
        nested = self.visit(node["children"][0], value)
        if not isinstance(nested, list):
            return None
        self.count(nested, *(item for item in nested if isinstance(item, list)))
        return [item for part in nested for item in (part if isinstance(part, list) else [part])]

    def visit_function_expression(self, node: Node, value: Any) -> Any:
        """What the function gives. Its arguments count too: a function that looks through a list may be called for each item of another."""
        arguments = [self.visit(child, value) for child in node["children"]]
        self.count(*arguments)
        result = numbers.checked(_FUNCTIONS.call_function(node["value"], arguments))
        self.count(result)
        return result

    def visit(self, node: Node, value: Any) -> Any:
        """What a node gives."""
        # The library keeps methods of the interpreter in it: each interpreter would wait for the search for garbage.
        return _METHODS[node["type"]](self, node, value)

    def count(self, *values: Any) -> None:
        """Adds values to the work of the evaluation. Raises ExpressionError above the limit."""
        self._work += sum(map(_work, values))
        if self._work > limits.MAX_WORK:
            raise ExpressionError(f"it works through more than {limits.MAX_WORK} items of lists and texts")


_METHODS: Mapping[str, Callable[[BoundedInterpreter, Node, Any], Any]] = {
    name.removeprefix("visit_"): method for name, method in getmembers(BoundedInterpreter, isfunction) if name.startswith("visit_")
}


def _work(value: Any) -> int:
    if isinstance(value, list | dict):
        return len(value)
    return len(value) // limits.CHARACTERS_OF_AN_ITEM if isinstance(value, str) else 0
