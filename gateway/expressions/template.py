"""Values with expressions inside."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from gateway.expressions import limits
from gateway.expressions.errors import ExpressionError
from gateway.expressions.expression import Expression
from gateway.expressions.functions import scalar_text

_Render = Callable[[Mapping[str, Any]], Any]
_Part = str | Expression


class Template:
    """A value in which `${expression}` stands for what the expression gives; `$${` is a plain `${`.

    Text that is one expression and nothing else keeps the type of what it gives. An expression within text must give
    text, a number or a boolean. Keys of mappings are plain. Nothing is ever read out of text: `"1"` stays text.
    Two templates of the same source are equal.
    """

    __slots__ = ("_constant_path", "_parts", "path", "paths", "render", "source")

    source: Any
    path: tuple[str, ...] | None
    """The keys that it walks along, where it is one expression that is a dotted path."""
    paths: frozenset[tuple[str, ...]]
    """The names that its expressions read, each with the key after it where it is plain: `a.b.c` gives (a, b)."""
    render: _Render
    """Gives the value for names. Raises ExpressionError where an expression cannot be evaluated or does not fit into its text."""

    def __init__(self, source: Any, *, render: _Render, expressions: list[Expression], parts: list[_Part] | None) -> None:
        self.source = source
        self.paths = frozenset[tuple[str, ...]]().union(*(expression.paths for expression in expressions))
        self.render = render
        self._parts = parts
        part = parts[0] if parts is not None and len(parts) == 1 else None
        self.path = part.path if isinstance(part, Expression) else None
        self._constant_path: str | None = None

    @classmethod
    def compile(cls, source: object) -> "Template":
        """The template of a JSON-like value. Raises ExpressionError that says what is wrong with it."""
        expressions: list[Expression] = []
        render = _compile(source, expressions, depth=0)
        return cls(source, render=render, expressions=expressions, parts=_split(source) if isinstance(source, str) else None)

    def render_path(self, names: Mapping[str, Any], *, keeps: str = "") -> str:
        """The text as a URL path: what an expression gives becomes part of one segment, percent-encoded but for the signs in `keeps`.

        A list that an expression spells out, `${[a, b]}`, becomes as many segments as it has items that are not null.

        Raises ExpressionError for a template that is not text, and where an expression gives nothing, an empty text,
        or a segment comes out as `.` or `..`: the request would reach another place than the template names.
        """
        if self._constant_path is not None:
            return self._constant_path
        if self._parts is None:
            raise ExpressionError("a path is text")
        path = "".join(part if isinstance(part, str) else _segments(part, names, keeps) for part in self._parts)
        if any(segment in (".", "..") for segment in path.partition("?")[0].split("/")):
            raise ExpressionError(f"path {self.source!r}: a segment comes out as '.' or '..'")
        if self.is_constant:
            self._constant_path = path
        return path

    @property
    def outline(self) -> str | None:
        """The text with an `x` in place of each expression: what can be said of it without values. Null when it is not text."""
        return None if self._parts is None else "".join(part if isinstance(part, str) else "x" for part in self._parts)

    @property
    def is_walked(self) -> bool:
        """Whether it is text whose expressions are dotted paths, so that what it takes does not grow with what they lead to."""
        return self._parts is not None and all(isinstance(part, str) or part.path is not None for part in self._parts)

    @property
    def names(self) -> frozenset[str]:
        """The names that its expressions read; `@` when one takes them all at once."""
        return frozenset(path[0] for path in self.paths)

    @property
    def is_constant(self) -> bool:
        """Whether it gives the same whatever the names are."""
        return not self.paths

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.source == self.source

    def __hash__(self) -> int:
        return hash(repr(self.source))

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


def _compile(source: object, expressions: list[Expression], *, depth: int) -> _Render:
    if depth > limits.MAX_TEMPLATE_DEPTH:
        raise ExpressionError(f"values nest at most {limits.MAX_TEMPLATE_DEPTH} levels")
    if isinstance(source, str):
        return _compile_text(source, expressions)
    if isinstance(source, dict):
        return _compile_mapping(source, expressions, depth=depth)
    if isinstance(source, list | tuple):
        items = [_compile(item, expressions, depth=depth + 1) for item in source]
        return lambda names: [item(names) for item in items]
    if source is None or isinstance(source, bool | int) or (isinstance(source, float) and math.isfinite(source)):
        return lambda names: source
    raise ExpressionError(f"a value of type {type(source).__name__} is not JSON; write it as text, in quotes")


def _compile_mapping(source: dict[Any, Any], expressions: list[Expression], *, depth: int) -> _Render:
    for key in source:
        if not isinstance(key, str):
            raise ExpressionError(f"key {key!r} is not text; write it in quotes")
    members = {key: _compile(value, expressions, depth=depth + 1) for key, value in source.items()}
    return lambda names: {key: member(names) for key, member in members.items()}


def _compile_text(source: str, expressions: list[Expression]) -> _Render:
    parts = _split(source)
    expressions += [part for part in parts if isinstance(part, Expression)]
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return parts[0].evaluate
    if all(isinstance(part, str) for part in parts):
        text = "".join(map(str, parts))
        return lambda names: text
    return lambda names: _joined(parts, names)


def _joined(parts: list[_Part], names: Mapping[str, Any]) -> str:
    text = "".join(part if isinstance(part, str) else _text(part, part.evaluate(names)) for part in parts)
    if len(text) > limits.MAX_TEXT_CHARACTERS:
        raise ExpressionError(f"it makes a text of more than {limits.MAX_TEXT_CHARACTERS} characters")
    return text


def _text(expression: Expression, value: Any) -> str:
    try:
        return scalar_text(value)
    except ExpressionError as error:
        raise ExpressionError(f"${{{expression.source}}} gives what cannot stand in text: {error}") from None


def _segments(expression: Expression, names: Mapping[str, Any], keeps: str) -> str:
    value = expression.evaluate(names)
    if expression.is_written_list and any(item is not None for item in value):
        return "/".join(_segment(expression, item, keeps) for item in value if item is not None)
    return _segment(expression, value, keeps)


def _segment(expression: Expression, value: Any, keeps: str) -> str:
    text = _text(expression, value)
    if text in ("", ".", ".."):
        raise ExpressionError(f"${{{expression.source}}} gives {text!r}, which cannot be a part of a path")
    try:
        return quote(text, safe=keeps)
    except UnicodeEncodeError:
        raise ExpressionError(f"${{{expression.source}}} gives text that is not Unicode") from None


def _split(source: str) -> list[_Part]:
    return list(_parts(source))


def _parts(source: str) -> Iterator[_Part]:
    position = 0
    while True:
        start = source.find("${", position)
        if start < 0:
            break
        if start > 0 and source[start - 1] == "$":
            yield source[position:start] + "{"
            position = start + 2
            continue
        if start > position:
            yield source[position:start]
        end = _end_of_expression(source, start + 2)
        yield Expression.compile(source[start + 2 : end].strip())
        position = end + 1
    if position < len(source):
        yield source[position:]


def _end_of_expression(source: str, start: int) -> int:
    """Where the expression's `}` stands: braces nest, and those within '...', "..." and `...` do not count."""
    open_braces = 0
    quote_mark = ""
    position = start
    while position < len(source):
        character = source[position]
        if quote_mark:
            if character == "\\":
                position += 1
            elif character == quote_mark:
                quote_mark = ""
        elif character in "'\"`":
            quote_mark = character
        elif character == "{":
            open_braces += 1
        elif character == "}":
            if not open_braces:
                return position
            open_braces -= 1
        position += 1
    raise ExpressionError(f"'${{' without its '}}' in {source if len(source) <= 80 else source[:77] + '...'!r}")
