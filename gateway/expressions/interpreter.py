"""Evaluation of a parsed expression within the limits."""

from collections.abc import Callable
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from gateway.expressions import limits
from gateway.expressions.analysis import Node
from gateway.expressions.errors import ExpressionError
from gateway.expressions.functions import Functions

_OPTIONS = Options(custom_functions=Functions())


def _counted(name: str) -> Callable[[Any, Node, Any], Any]:
    """jmespath's method of that name, which then counts the items of the list that it made."""
    visit = getattr(TreeInterpreter, name)

    def counted(self: "BoundedInterpreter", node: Node, value: Any) -> Any:
        result = visit(self, node, value)
        if isinstance(result, list):
            self.count(len(result))
        return result

    return counted


class BoundedInterpreter(TreeInterpreter):  # type: ignore[misc]  # jmespath has no types.
    """jmespath's interpreter that gives up when an evaluation makes lists of too many items. One evaluation each."""

    visit_flatten = _counted("visit_flatten")
    visit_function_expression = _counted("visit_function_expression")
    visit_projection = _counted("visit_projection")
    visit_filter_projection = _counted("visit_filter_projection")
    visit_value_projection = _counted("visit_value_projection")

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._items = 0

    def count(self, items: int) -> None:
        """Adds items to what the evaluation made. Raises ExpressionError above the limit."""
        self._items += items
        if self._items > limits.MAX_WORK:
            raise ExpressionError(f"it makes lists of more than {limits.MAX_WORK} items")
