"""What nobody in good faith sends, by the type of the place that it is sent to."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

Value = Any
MEGABYTE = "m" * 950_000
"""As long as a request may be, nearly."""


def _id(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).decode().rstrip("=")


_UUID = "01a1ff84-57e3-70fd-b7bb-27797765a333"
_TEXTS: Sequence[str] = (
    "",
    " \t\n",
    "a\x00b",
    "\r\nX-Injected: \x1b[31myes",
    "\u202e\ufffe\uffff",
    "\U0001f4a3" * 300,
    "' OR 1=1; --",
    "_%\\/",
    "{{7*7}}${credentials.token}",
    "http://169.254.169.254/latest/meta-data/",
    "/data/notes?notebookId=%00",
    "/data/%00?%ff=%fe",
    "../admin",
    "/data/notes?notebookId=" + "9" * 300,
    "m" * 300,
    "m" * 60_000,
    _id("key:\x00"),
)
_IDS: Sequence[str] = (
    *(_id(f"{kind}:{_UUID}") for kind in ("Customer", "Integration", "Connection", "DataSource", "DataSourceInstance")),
    *(_id(f"{kind}:{_UUID}") for kind in ("UniversalDataModel", "cursor", "connection", "")),
    _id(f"Connection:{_UUID.upper()}"),
    _id(f"Connection:{{{_UUID}}}"),
    _id("Connection:not a uuid"),
    _id("Connection"),
    _id("Record:" + "[" * 2_000),
    _id(b"\xff\xfe\x00"),
    _id(b"Connection:\xed\xa0\x80"),
    "====",
    "*not base64*",
    "",
    "a\x00b",
)
_OBJECTS: Sequence[Value] = (
    {},
    {"": ""},
    {"a\x00": 1},
    {"a": "\x00"},
    {"a": [{"b": "\x00"}]},
    {"a": 2**64},
    {"a": -(2**63) - 1},
    {"a": 10**300},
    {"a": 1e308},
    {"__proto__": {"isAdmin": True}, "constructor": None},
    {"token": None},
    {"token": {"$ne": ""}},
    {"workspace": 5},
    {"notebookId": "7; DROP TABLE connection"},
    [],
    [{}],
    "text",
    5,
    True,
    None,
)


def _nested(depth: int) -> Value:
    value: Value = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return {"deep": value}


FITTING: Mapping[str, Sequence[Value]] = {
    "String": _TEXTS,
    "ID": _IDS,
    "JSON": (
        *_OBJECTS,
        *map(_nested, (62, 64, 70, 250)),
        {"wide": list(range(20_000))},
        {f"key{number}": number for number in range(10_000)},
        {"title": {"EQ": {"$ne": ""}}},
        {"title": {"IN": list(range(2_000))}},
        {"title": {"NOPE": 1, "EQ": "a\x00b"}},
        {"*": "card"},
    ),
    "Int": (0, -1, 1, 101, 1_001, 2**31 - 1, -(2**31)),
    "Boolean": (True, False),
}
"""Of the type, and wrong all the same, or just odd."""
UNFITTING: Mapping[str, Sequence[Value]] = {
    "String": (5, 1.5, True, [], ["a"], {}, {"a": 1}, 2**63, 10**300),
    "ID": (1.5, True, [], {}, 2**63, -1, 10**300),
    "JSON": (),
    "Int": (2**31, -(2**31) - 1, 2**63, 2**64, 10**300, 1.5, 1e300, "1", "", True, [], {}),
    "Boolean": (0, 1, "true", [], {}),
}
"""Not of the type: the whole request is refused."""
HUGE: Mapping[str, Value] = {"String": MEGABYTE, "ID": MEGABYTE, "JSON": {"a": MEGABYTE}}
"""As much as one request carries."""
