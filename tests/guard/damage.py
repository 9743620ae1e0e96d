"""What breaks a request: each kind of damage takes a text or a value and gives what became of it."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from graphql import GraphQLObjectType

from tests.support.printed_schema import PRINTED as SCHEMA

_ODD_TEXTS = (
    *("\x00", "\ufeff", "\u202e", "\ud800", "\U0001f4a3", "é", "\\", '"', '"""', "#", "\r", "$", "!", "&", "|", "@", "..."),
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "=",
        ",",
        "null",
        "1e999",
        "-",
        "0x1",
        "9" * 400,
        "fragment F on Query { ...F }",
        "@skip(if: true)",
    ),
    *("@nothing", "$nothing", "...Nothing", "... on Nothing { a }", "... on Node { id }", "{ __schema { types { name } } }", "__typename"),
    *("subscription { x }", "mutation { x }", "query Q { __typename }", "type A { a: Int }", "extend schema @a", "on", "@include(if: $v0)"),
)
_NAMES = sorted({name for kind in SCHEMA.type_map.values() if isinstance(kind, GraphQLObjectType) for name in kind.fields})
_ODD_VALUES: Sequence[Any] = (
    *(None, True, 0, -1, 2**31, 2**63, 2**64, 10**300, 1.5, 1e308, "", "\x00", "\ud800", "x" * 70_000, [], [None], [[]], {}, {"": 0}),
    *({"by": {}}, {"id": None, "key": None}, {"__proto__": {"a": 1}}, [{}] * 200, {"$ref": "#"}, "null", "{}", "Q29ubmVjdGlvbjo="),
)


def damaged_text(random: Random, text: str) -> str:
    """A document with one to three faults, of which some happen to be none."""
    for _ in range(random.randint(1, 3)):
        text = random.choice(_TEXT_DAMAGES)(random, text)
    return text


def damaged_value(random: Random, value: Any) -> Any:
    """A copy of a JSON value with something else in one place, or without it, or with more."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        name = random.choice(list(value))
        kept = {each: inner for each, inner in value.items() if each != name}
        what = random.random()
        if what < 0.1:
            return kept
        if what < 0.2:
            return {**value, random.choice(["", "by", "id", "input", name + "s", "\x00", "\ud800"]): random.choice(_ODD_VALUES)}
        return {**kept, name: damaged_value(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.8:
        return [damaged_value(random, value[0]), *value[1:]]
    return random.choice([*_ODD_VALUES, [value], {"value": value}, str(value)])


def damaged_body(random: Random, value: dict[str, Any]) -> bytes:
    """A request's body that is none, or an odd one."""
    return random.choice(_BODY_DAMAGES)(random, value)


def _place(random: Random, text: str) -> int:
    return random.randrange(len(text) + 1)


def _deleted(random: Random, text: str) -> str:
    start = _place(random, text)
    return text[:start] + text[start + random.choice([1, 1, 2, 5, 30]) :]


def _doubled(random: Random, text: str) -> str:
    start = _place(random, text)
    end = start + random.choice([1, 3, 20, 200])
    return text[:end] + text[start:end] * random.choice([1, 1, 2, 20]) + text[end:]


def _swapped(random: Random, text: str) -> str:
    tokens = text.split(" ")
    one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    tokens[one], tokens[other] = tokens[other], tokens[one]
    return " ".join(tokens)


def _inserted(random: Random, text: str) -> str:
    start = text.find(" ", _place(random, text)) if random.random() < 0.6 else _place(random, text)
    return f"{text[:start]} {random.choice(_ODD_TEXTS)} {text[start:]}"


def _renamed(random: Random, text: str) -> str:
    return text.replace(random.choice(_NAMES), random.choice(_NAMES)) if random.random() < 0.5 else _token(random, text, _NAMES)


def _token(random: Random, text: str, others: Sequence[str]) -> str:
    tokens = text.split(" ")
    tokens[random.randrange(len(tokens))] = random.choice(others)
    return " ".join(tokens)


def _deepened(random: Random, text: str) -> str:
    levels = random.choice([3, 14, 100, 3_000])
    opening, closing = random.choice(
        [("{ viewer ", "}"), ("... { ", "}"), ("... on Node { ", "}"), ("x(a: [", "])"), ("[", "]"), ("{", "")]
    )
    start = text.find("{", _place(random, text)) + 1
    return text[:start] + opening * levels + random.choice(["id ", ""]) + closing * random.choice([levels, levels - 1]) + text[start:]


def _cut(random: Random, text: str) -> str:
    return text[: _place(random, text)]


def _repeated(random: Random, text: str) -> str:
    return " ".join([text] * random.choice([2, 3, 30]))


_TEXT_DAMAGES: Sequence[Callable[[Random, str], str]] = (
    *(_deleted, _deleted, _doubled, _swapped, _swapped, _inserted, _inserted, _renamed, _renamed, _deepened, _cut, _repeated),
)


def _of_bytes(random: Random, value: dict[str, Any]) -> bytes:
    body = bytearray(json.dumps(value).encode())
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(body) + 1)
        body[start : start + random.choice([0, 1, 1, 9])] = random.choice(
            [
                b"",
                b"\x00",
                b"\xff\xfe",
                b"\xed\xa0\x80",
                b"NaN",
                b"1e999",
                b'"',
                b"}",
                b"[" * 2_000,
                b'{"a":' * 2_000,
                b"9" * 5_000,
                b"\\ud800",
            ]
        )
    return bytes(body)


def _of_members(random: Random, value: dict[str, Any]) -> bytes:
    member = random.choice(["query", "variables", "operationName", "extensions", "documentId", ""])
    odd = [*_ODD_VALUES, value, {"persistedQuery": {"version": 1, "sha256Hash": random.choice(_ODD_VALUES)}}, {"persistedQuery": 1}]
    return json.dumps({**value, member: random.choice(odd)}).encode()


def _of_lists(random: Random, value: dict[str, Any]) -> bytes:
    values = [value] * random.choice([0, 1, 2, 5, 11]) + random.choice([[], [random.choice(_ODD_VALUES)], [[value]]])
    return json.dumps(values).encode()


def _of_values(random: Random, value: dict[str, Any]) -> bytes:
    return json.dumps(random.choice([*_ODD_VALUES, json.dumps(value)])).encode()


_BODY_DAMAGES: Sequence[Callable[[Random, dict[str, Any]], bytes]] = (_of_bytes, _of_bytes, _of_members, _of_members, _of_lists, _of_values)
