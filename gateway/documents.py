"""YAML read with positions, so that an error names the line that has to change."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gateway.errors import ConfigurationError
from gateway.models import JsonValue

MAX_BYTES = 256 * 1024
"""The largest file: twenty times the largest connector that we know."""
MAX_VALUES = 50_000
"""How many values a file may hold, each counted as often as it is repeated by an alias."""
MAX_DEPTH = 64
_MAX_PROBLEMS = 50
_MAX_PROBLEM_CHARACTERS = 600

# The core schema of YAML 1.2, chapter 10.3.2.
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_OCTAL_OR_HEX = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORDS = {"": None, "~": None} | {
    form: value for word, value in (("null", None), ("true", True), ("false", False)) for form in (word, word.title(), word.upper())
}

Place = tuple[str | int, ...]
Problem = tuple[Place, str]
"""Where in a document, and what is wrong there."""


@dataclass
class Document:
    """One YAML document as JSON values that remember their lines."""

    name: str
    root: Node
    value: JsonValue = None
    _problems: list[Problem] = field(default_factory=list)
    _values: int = 0
    _found: dict[int, dict[str, tuple[Node, Node]]] = field(default_factory=dict)
    """By mapping: its keys and values. A file may have thousands of problems in one mapping of thousands of keys."""

    @classmethod
    def parse(cls, content: bytes, *, name: str) -> "Document":
        """The document. Raises ConfigurationError with all that keeps it from being plain JSON values, such as a key given twice."""
        if len(content) > MAX_BYTES:
            raise ConfigurationError(f"{name}: the file is larger than {MAX_BYTES} bytes, the most that is read.")
        document = cls(name, _composed(content, name=name))
        document.value = document._read(document.root, ())
        document.refuse(document._problems)
        return document

    def refuse(self, problems: Iterable[Problem]) -> None:
        """Returns when there are no problems. Else raises ConfigurationError with each on its own line, in the order of the file."""
        located = sorted({(self._line(place), ".".join(map(str, place)), text) for place, text in problems})
        lines = [
            f"{self.name}:{line}: " + _in_a_line(f"{path + ': ' if path else ''}{text}") for line, path, text in located[:_MAX_PROBLEMS]
        ]
        if len(located) > _MAX_PROBLEMS:
            lines.append(f"{self.name}: and {len(located) - _MAX_PROBLEMS} more problems.")
        if lines:
            raise ConfigurationError("\n".join(lines))

    def _line(self, place: Place) -> int:
        """The line of the place, or of the nearest part around it that the document has."""
        node, line = self.root, self.root.start_mark.line
        for part in place:
            if isinstance(node, MappingNode):
                found = self._members(node).get(str(part))
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                found = (node.value[part], node.value[part])
            else:
                found = None
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        return int(line) + 1

    def _members(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        if id(node) not in self._found:
            self._found[id(node)] = {key.value: (key, value) for key, value in reversed(node.value) if isinstance(key, ScalarNode)}
        return self._found[id(node)]

    def _read(self, node: Node, place: Place) -> JsonValue:
        self._values += 1
        if self._values > MAX_VALUES:
            raise ConfigurationError(f"{self.name}: the file holds more than {MAX_VALUES} values, counting what its aliases repeat.")
        if len(place) > MAX_DEPTH:
            raise ConfigurationError(f"{self.name}:{node.start_mark.line + 1}: values nest deeper than {MAX_DEPTH} levels.")
        tag = str(node.tag or "")
        if tag.startswith("!") or (tag.startswith("tag:yaml.org") and "python" in tag):
            self._problems.append((place, f"the tag {tag} means nothing here; write a plain value"))
        if isinstance(node, MappingNode):
            return self._read_mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._read(item, (*place, index)) for index, item in enumerate(node.value)]
        return self._read_scalar(node, place)

    def _read_mapping(self, node: MappingNode, place: Place) -> JsonValue:
        mapping: dict[str, JsonValue] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self._problems.append((place, "a key must be text"))
                continue
            self._check_text(str(key.value), place)
            if key.value in mapping:
                self._problems.append((place, f"line {key.start_mark.line + 1} gives the key {key.value!r} a second time; keep one"))
            mapping[key.value] = self._read(item, (*place, key.value))
        return mapping

    def _read_scalar(self, node: Node, place: Place) -> JsonValue:
        tag, text = str(node.tag or ""), str(node.value)
        self._check_text(text, place)
        if getattr(node, "style", None) is not None or tag.endswith(":str"):
            return text
        return self._plain(text, place)

    def _check_text(self, text: str, place: Place) -> None:
        if _SURROGATE.search(text):
            self._problems.append((place, "the text holds half of a surrogate pair, which is no character"))

    def _plain(self, text: str, place: Place) -> JsonValue:
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _OCTAL_OR_HEX.fullmatch(text):
            return int(text, 0)
        if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
            self._problems.append((place, f"{text} is not a number that JSON can carry"))
            return None
        return float(text) if _FLOAT.fullmatch(text) else text


def content_of(source: Path | Traversable, *, name: str) -> bytes:
    """What the file holds, as far as a document is read. Raises ConfigurationError where it cannot be read."""
    try:
        with source.open("rb") as file:
            content: bytes = file.read(MAX_BYTES + 1)
            return content
    except OSError as error:
        raise ConfigurationError(f"{name}: the file cannot be read ({error.strerror or type(error).__name__}).") from None


def shape_problems(error: ValidationError, unknown_key: Callable[[str], str]) -> Iterator[Problem]:
    """What keeps a document from being what a pydantic model says; `unknown_key` tells what to do about a key that it does not have."""
    for fault in error.errors(include_url=False, include_input=False):
        *around, last = fault["loc"] or ("",)
        if fault["type"] == "extra_forbidden":
            yield (*_shown(around), last), unknown_key(str(last))
        elif fault["type"] == "missing":
            yield _shown(around), f"the key `{last}` is missing"
        else:
            message = fault["msg"].removeprefix("Value error, ")
            yield _shown(fault["loc"]), message[:1].lower() + message[1:]


def _shown(place: Sequence[str | int]) -> Place:
    """The place as the file spells it, without the marks that tell the models of a union, and keys from values, apart."""
    return tuple(part for part in place if not (isinstance(part, str) and (part.startswith("!") or part == "[key]")))


def _in_a_line(text: str) -> str:
    # A key may hold the end of a line, and what ends a line would seem to be another problem.
    text = text if len(text) <= _MAX_PROBLEM_CHARACTERS else text[:_MAX_PROBLEM_CHARACTERS] + " ..."
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def _composed(content: bytes, *, name: str) -> Node:
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: the file is not UTF-8 text (byte {error.start}).") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ConfigurationError(f"{name}:{line}: not YAML: {error.problem or error.context}.") from None
    except (YAMLError, ValueError, LookupError) as error:
        raise ConfigurationError(f"{name}: not YAML: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise ConfigurationError(f"{name}: values nest too deeply.") from None
    if root is None:
        raise ConfigurationError(f"{name}: the file is empty.")
    return root
