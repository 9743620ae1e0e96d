"""One JMESPath expression."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from jmespath.exceptions import EmptyExpressionError, IncompleteExpressionError, JMESPathError, JMESPathTypeError, LexerError, ParseError
from jmespath.parser import Parser

from gateway.expressions import limits
from gateway.expressions.analysis import Node, check, path_of, root_paths
from gateway.expressions.errors import ExpressionError
from gateway.expressions.interpreter import BoundedInterpreter

_Evaluate = Callable[[Mapping[str, Any]], Any]

_FAULTS = (JMESPathError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What jmespath lets through: comparing a text with a number, for one, raises TypeError."""


class Expression:
    """A compiled JMESPath expression. Two of the same source are equal."""

    __slots__ = ("evaluate", "is_written_list", "path", "paths", "source")

    source: str
    evaluate: _Evaluate
    """Gives the value for names, null where a name or key is missing. Raises ExpressionError when it cannot be told within the limits."""
    is_written_list: bool
    """Whether it spells out a list: `[a, b]`. Others may give a list too, by what the names hold."""
    path: tuple[str, ...] | None
    """The keys that it walks along, where it is a dotted path and nothing else."""
    paths: frozenset[tuple[str, ...]]
    """The names that it reads, each with the key after it where it is plain: `a.b.c` gives (a, b)."""

    def __init__(self, source: str, *, tree: Node) -> None:
        self.source = source
        self.is_written_list = tree["type"] == "multi_select_list"
        self.paths = root_paths(tree)
        self.path = path = path_of(tree)
        # Most expressions of connectors are dotted paths; walking them directly is some twenty times faster, and cannot fail.
        self.evaluate = _walker(path) if path is not None else _interpreter(source, tree)

    @classmethod
    def compile(cls, source: object) -> "Expression":
        """The expression. Raises ExpressionError that says what is wrong with it."""
        if not isinstance(source, str):
            raise ExpressionError(f"an expression is text, not {type(source).__name__}")
        if len(source) > limits.MAX_SOURCE_CHARACTERS:
            raise ExpressionError(f"an expression has at most {limits.MAX_SOURCE_CHARACTERS} characters, not {len(source)}")
        tree = _parse(source)
        try:
            check(tree)
        except ExpressionError as error:
            raise ExpressionError(f"expression {_shown(source)}: {error}") from None
        return cls(source, tree=tree)

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether it gives something that is neither null, false nor empty. Zero is something, as in all JMESPath."""
        value = self.evaluate(names)
        return value is not None and value is not False and value not in ("", [], {})

    @property
    def names(self) -> frozenset[str]:
        """The names that it reads; `@` when it takes them all at once."""
        return frozenset(path[0] for path in self.paths)

    @property
    def is_constant(self) -> bool:
        """Whether it gives the same whatever the names are."""
        return not self.paths

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


def _parse(source: str) -> Node:
    try:
        with warnings.catch_warnings():
            # jmespath warns where a `literal` is not JSON and guesses a text; a guess is what we do not want.
            warnings.simplefilter("error")
            tree: Node = Parser().parse(source).parsed
    except Warning:
        raise ExpressionError(f"expression {_shown(source)}: what stands in backticks must be JSON; text is written '...'") from None
    except JMESPathError as error:
        raise ExpressionError(f"{_shown(source)} is not JMESPath: {_syntax_fault(error)}") from None
    except (RecursionError, ValueError, LookupError):
        raise ExpressionError(f"{_shown(source)} is not JMESPath, or nests too deeply") from None
    return tree


def _walker(path: tuple[str, ...]) -> _Evaluate:
    def walk(names: Mapping[str, Any]) -> Any:
        value: Any = names
        for key in path:
            # A plain object is told at once, without a look at what is registered as a mapping.
            if not isinstance(value, (dict, Mapping)):
                return None
            value = value.get(key)
        return value

    return walk


def _interpreter(source: str, tree: Node) -> _Evaluate:
    def interpret(names: Mapping[str, Any]) -> Any:
        try:
            return BoundedInterpreter().visit(tree, names)
        except ExpressionError as error:
            raise ExpressionError(f"expression {_shown(source)}: {error}") from None
        except JMESPathTypeError as error:
            raise ExpressionError(f"expression {_shown(source)}: {_type_fault(error)}") from None
        except _FAULTS as error:
            # The text of these can hold values, and values can be secrets.
            raise ExpressionError(f"expression {_shown(source)} cannot be evaluated ({type(error).__name__})") from None

    return interpret


def _type_fault(error: JMESPathTypeError) -> str:
    return f"{error.function_name}() takes {' or '.join(map(str, error.expected_types))}, not {error.actual_type}"


def _syntax_fault(error: JMESPathError) -> str:
    if isinstance(error, EmptyExpressionError):
        return "it is empty"
    if isinstance(error, IncompleteExpressionError):
        return "it ends too early"
    if isinstance(error, LexerError):
        return f"{error.message} at character {error.lexer_position + 1}"
    if isinstance(error, ParseError):
        return f"unexpected {error.token_value!r} at character {error.lex_position + 1}"
    return type(error).__name__


def _shown(source: str) -> str:
    return repr(source if len(source) <= 80 else source[:77] + "...")
