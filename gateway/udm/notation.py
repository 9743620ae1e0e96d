"""What is wrong with the notation of fields, told before any schema is made of it."""

import re
from collections.abc import Iterator
from typing import Any

from gateway.documents import Place, Problem
from gateway.udm import fields

MAX_DEPTH = 5
"""How deeply objects may nest in a model: every level is a type of its own."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_MODEL = re.compile(r"[a-z][a-z0-9-]{0,59}")
RESERVED = frozenset({"id", "externalId", "record"})
"""Fields that every type of a model has."""
_WORDS = ", ".join((*fields.WORDS, *fields.SHAPES))


def notation_problems(place: Place, notation: dict[str, Any], *, depth: int = 1) -> Iterator[Problem]:
    """What is wrong with the fields of a model or of an object within one."""
    if depth > MAX_DEPTH:
        yield place, f"objects nest at most {MAX_DEPTH} levels"
        return
    for name, field in notation.items():
        at = (*place, name)
        if not is_name(name):
            yield at, f"{name[:100]!r} is no name of a field: letters, digits and underscores, the first one a letter, at most 60"
        elif depth == 1 and name in RESERVED:
            yield at, f"every model has {name!r} already; give this field another name"
        yield from _field_problems(at, field, depth=depth)


def is_name(text: str) -> bool:
    """Whether the text can name a field in every place where fields are named."""
    return _NAME.fullmatch(text) is not None


def _field_problems(at: Place, field: Any, *, depth: int) -> Iterator[Problem]:
    if isinstance(field, str):
        yield from _text_problems(at, field)
    elif isinstance(field, dict) and field:
        yield from notation_problems(at, field, depth=depth + 1)
    elif isinstance(field, list) and len(field) == 1 and not isinstance(field[0], list):
        yield from _field_problems((*at, 0), field[0], depth=depth)
    elif isinstance(field, list):
        yield at, "a list is written with the one kind of its items in brackets, such as [string]"
    else:
        yield at, f"a field is one of {_WORDS}, -> model, a choice such as open | won, a list in brackets, or a mapping of fields"


def _text_problems(at: Place, text: str) -> Iterator[Problem]:
    text = text.removesuffix(fields.READ_ONLY)
    if text.startswith(fields.REFERENCE_SIGN):
        model, sign, sibling = text.removeprefix(fields.REFERENCE_SIGN).partition(fields.SIBLING_SIGN)
        if not _MODEL.fullmatch(model):
            yield at, f"{model[:100]!r} is no key of a model; write `-> users` or `-> users as author`"
        if sign and not is_name(sibling):
            yield at, f"{sibling[:100]!r} is no name of a field"
    elif fields.CHOICE_SIGN in text:
        choices = text.split(fields.CHOICE_SIGN)
        if not all(choice.strip() == choice and choice for choice in choices) or len({choice.lower() for choice in choices}) < len(choices):
            yield at, "a choice is of different texts with ` | ` between them, and capitals make no difference"
    elif text not in fields.WORDS and text not in fields.SHAPES:
        yield at, f"{text[:100]!r} is no kind of field; there are {_WORDS}, -> model, and choices such as open | won"
