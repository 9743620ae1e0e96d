"""Connector files, read and checked whole: an operator learns of every mistake at once, with its line."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.connectors.format.base import Part
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.references import References
from gateway.connectors.format.rules import problems
from gateway.documents import Document, content_of, shape_problems
from gateway.errors import ConfigurationError
from gateway.models import JsonSchema
from gateway.udm import MODELS, Models

_MAX_KEY_CHARACTERS = 100


def load_connector_file(source: Path | Traversable, *, models: Models = MODELS) -> ConnectorFile:
    """The connector that a file describes, where there are these universal data models.

    Raises ConfigurationError with each problem on its own line, as `FILE:LINE: key.path: what is wrong`.
    """
    name = str(source) if isinstance(source, Path) else source.name
    return _file_of(content_of(source, name=name), name, models)


@lru_cache(maxsize=16)
def _file_of(raw: bytes, name: str, models: Models) -> ConnectorFile:
    # Kept by content: reading the bundled files again takes most of the time that it takes to open a gateway.
    document = Document.parse(raw, name=name)
    if not isinstance(document.value, dict):
        raise ConfigurationError(f"{document.name}:1: a connector file is a mapping that starts with `format: connector/v1`.")
    references = References(document.value.get("schemas"))
    content = references.resolved(document.value)
    document.refuse(references.problems)
    try:
        file = ConnectorFile.model_validate(content)
    except ValidationError as error:
        document.refuse(shape_problems(error, _Suggestions().unknown_key))
        raise  # Never: an error holds at least one problem.
    document.refuse(problems(file, models))
    return file


def format_schema() -> JsonSchema:
    """The JSON Schema of the connector format, for editors; the rules that it cannot say are told by `load_connector_file`."""
    schema = ConnectorFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Connector, format version 1"}


class _Suggestions:
    """What an unknown key was meant to be, for as many keys of a file as anybody reads."""

    def __init__(self) -> None:
        # Likeness costs the product of two lengths: not for every key of a file that is all unknown keys.
        self._left = 50

    def unknown_key(self, key: str) -> str:
        """What to do about the key."""
        self._left -= 1
        keys = _keys_of_the_format()
        if key in keys:
            return "unknown key; the format has it, but not here; move it to where it belongs, or take it out"
        near = get_close_matches(key, keys, n=1) if self._left >= 0 and len(key) <= _MAX_KEY_CHARACTERS else []
        return "unknown key; " + (f"did you mean `{near[0]}`?" if near else "take it out, or start it with `x-` to keep a note")


@cache
def _keys_of_the_format() -> frozenset[str]:
    return frozenset(field.alias or name for part in _subclasses(Part) for name, field in part.model_fields.items())


def _subclasses(part: type[Any]) -> Iterator[type[Any]]:
    for subclass in part.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
