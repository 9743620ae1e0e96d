"""What can be told of a parsed expression without any values."""

import json
from collections.abc import Iterator
from math import prod
from typing import Any

from gateway.expressions import limits
from gateway.expressions.errors import ExpressionError
from gateway.expressions.functions import ARITIES, TAKE_REFERENCES

Node = dict[str, Any]
"""A node of jmespath's syntax tree."""

WHOLE = "@"
"""Stands among the names of an expression that takes all names at once."""

_FEEDS = frozenset({"subexpression", "pipe", "index_expression", "projection", "filter_projection", "value_projection"})
"""Kinds of which only the first child sees what the node sees; it feeds the others."""
_SELECTS = frozenset({"multi_select_list", "multi_select_dict", "function_expression"})


def check(tree: Node) -> None:
    """Raises ExpressionError when the expression nests too deeply, calls what there is not, or could grow without bounds."""
    _check_references({"type": "whole", "children": [tree]})
    for node, depth in _walk(tree):
        if depth > limits.MAX_DEPTH:
            raise ExpressionError(f"it nests deeper than {limits.MAX_DEPTH} levels; take it apart")
        if node["type"] == "function_expression":
            _check_call(node["value"], len(node["children"]))
        if node["type"] == "literal":
            _check_literal(node["value"])
        _check_references(node)
        if node["type"] in _FEEDS - {"pipe"} and node["children"][0]["type"] == "not_expression":
            # jmespath reads !a.b as (!a).b, which is always null.
            raise ExpressionError("'!' takes only the name after it; write !(a.b) to negate the whole")
    if _growth(tree) > limits.MAX_GROWTH:
        raise ExpressionError(f"it could repeat its input more than {limits.MAX_GROWTH} times; take it apart")


def root_paths(tree: Node) -> frozenset[tuple[str, ...]]:
    """The names that the expression reads, each with the key after it where it is plain: `a.b.c` gives (a, b).

    An expression that takes all names at once gives (@,).
    """
    return frozenset(_root_paths(tree))


def path_of(tree: Node) -> tuple[str, ...] | None:
    """The keys of a plain dotted path; null for any other expression."""
    if tree["type"] == "field":
        return (tree["value"],)
    if tree["type"] == "subexpression" and all(child["type"] == "field" for child in tree["children"]):
        return tuple(child["value"] for child in tree["children"])
    return None


def _nodes_below(node: Node) -> list[Node]:
    return [child for child in node["children"] if isinstance(child, dict)]


def _walk(tree: Node) -> Iterator[tuple[Node, int]]:
    # Without recursion: the parser makes trees of a thousand levels from a chain of pipes.
    rest = [(tree, 1)]
    while rest:
        node, depth = rest.pop()
        yield node, depth
        rest.extend((child, depth + 1) for child in _nodes_below(node))


def _check_call(name: str, count: int) -> None:
    if name not in ARITIES:
        raise ExpressionError(f"there is no function {name}(); there are {', '.join(sorted(ARITIES))}")
    least, is_variadic = ARITIES[name]
    if count < least or (count > least and not is_variadic):
        raise ExpressionError(f"{name}() takes {'at least ' if is_variadic else ''}{least} argument(s), not {count}")


def _check_references(node: Node) -> None:
    # Elsewhere jmespath gives an object of its own, which is no JSON.
    if node["type"] == "function_expression" and node["value"] in TAKE_REFERENCES:
        return
    if any(child["type"] == "expref" for child in _nodes_below(node)):
        raise ExpressionError(f"'&' stands only among the arguments of {', '.join(sorted(TAKE_REFERENCES))}")


def _check_literal(value: Any) -> None:
    # Python's JSON knows NaN and Infinity, and reads 1e999 as the latter.
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ExpressionError("a number in backticks is at most a double") from None


def _growth(node: Node) -> int:
    """An upper bound of how often a part of the input stands in the result."""
    growths = [_growth(child) for child in _nodes_below(node)]
    if node["type"] in _FEEDS or any(child["type"] == "expref" for child in _nodes_below(node)):
        return prod(growths)
    if node["type"] in _SELECTS:
        return max(sum(growths), 1)
    return max(growths, default=1)


def _root_paths(node: Node) -> Iterator[tuple[str, ...]]:
    kind = node["type"]
    if kind == "field":
        yield (node["value"],)
    elif kind in ("current", "identity"):
        yield (WHOLE,)
    elif kind == "subexpression" and all(child["type"] == "field" for child in node["children"][:2]):
        yield tuple(child["value"] for child in node["children"][:2])
    elif kind in _FEEDS:
        yield from _root_paths(node["children"][0])
    elif kind != "expref":
        for child in _nodes_below(node):
            yield from _root_paths(child)
