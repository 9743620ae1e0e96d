"""The functions of expressions: JMESPath's own, held to the limits, and ours. All are pure.

Ours give null for a null they are asked to change, so that a record without a value keeps none.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from jmespath import functions

from gateway.expressions import limits, numbers, times
from gateway.expressions.errors import ExpressionError

Function = TypeVar("Function", bound=Callable[..., Any])

_TEXT = {"types": ["string", "null"]}
_NUMBER = {"types": ["number", "null"]}
_ARRAY = {"types": ["array", "null"]}
_ANY: dict[str, Any] = {"types": []}
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _takes(*arguments: Mapping[str, Any]) -> Callable[[Function], Function]:
    """jmespath's decorator with types: what the function's arguments may be."""
    mark: Callable[[Function], Function] = functions.signature(*arguments)
    return mark


class Functions(functions.Functions):  # type: ignore[misc]  # jmespath has no types.
    """What an expression can call."""

    # JMESPath's own, where they need a limit.

    @_takes(_ANY)
    def _func_to_string(self, value: Any) -> str:
        return value if isinstance(value, str) else _json_text(value)

    @_takes(_ANY)
    def _func_to_number(self, value: Any) -> int | float | None:
        if isinstance(value, str):
            return numbers.parse(value.strip())
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    @_takes({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, parts: list[str]) -> str:
        _check_length(sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0))
        return separator.join(parts)

    # Ours: text.

    @_takes({"types": ["string", "number", "boolean", "null"], "variadic": True})
    def _func_concat(self, *parts: Any) -> str:
        """One text of all that is not null."""
        texts = [scalar_text(part) for part in parts if part is not None]
        _check_length(sum(map(len, texts)))
        return "".join(texts)

    @_takes(_TEXT, {"types": ["string"]})
    def _func_split(self, text: str | None, separator: str) -> list[str] | None:
        if not separator:
            raise ExpressionError("split() needs a separator that is not empty")
        return None if text is None else text.split(separator)

    @_takes(_TEXT)
    def _func_lower(self, text: str | None) -> str | None:
        return text and text.lower()

    @_takes(_TEXT)
    def _func_upper(self, text: str | None) -> str | None:
        return text and text.upper()

    @_takes(_TEXT)
    def _func_trim(self, text: str | None) -> str | None:
        return text and text.strip()

    @_takes(_TEXT, {"types": ["string"]}, {"types": ["string"]})
    def _func_replace(self, text: str | None, old: str, new: str) -> str | None:
        """Every `old` in the text becomes `new`; both are plain text."""
        if text is None or not old:
            return text
        _check_length(len(text) + text.count(old) * (len(new) - len(old)))
        return text.replace(old, new)

    @_takes(_TEXT)
    def _func_base64(self, text: str | None) -> str | None:
        _check_length(len(text or "") * 4 // 3)
        return text and base64.b64encode(text.encode()).decode()

    @_takes(_TEXT)
    def _func_json_parse(self, text: str | None) -> Any:
        """The value that a JSON text stands for, numbers beyond a double as null. Null for text that is not JSON, or nests too deeply."""
        try:
            value = None if text is None else json.loads(text, parse_constant=_refuse_constant, parse_float=numbers.finite)
            if "\\ud" in (text or "").lower():
                json.dumps(value, ensure_ascii=False).encode()  # Half of a surrogate pair is no character.
        except (ValueError, RecursionError):
            return None
        return None if _nests_too_deeply(value) else value

    @_takes(_ANY)
    def _func_to_json(self, value: Any) -> str:
        """The value as JSON: `to_string()` with quotes around a text too."""
        return _json_text(value)

    @_takes(_TEXT)
    def _func_jwt_claims(self, token: str | None) -> Any:
        """What a JSON Web Token says, unverified; null for text that is none."""
        parts = (token or "").split(".")
        if len(parts) != 3:
            return None
        try:
            return self._func_json_parse(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode())
        except ValueError:
            return None

    @_takes(_TEXT)
    def _func_url_host(self, text: str | None) -> str | None:
        """The host that an address names, without its port; null for text that is no address."""
        try:
            return None if text is None else urlsplit(text).hostname
        except ValueError:
            return None

    @_takes(_TEXT)
    def _func_url_encode(self, text: str | None) -> str | None:
        """The text percent-encoded, all but letters, digits and `-._~`."""
        encoded = text and quote(text, safe="")
        _check_length(len(encoded or ""))
        return encoded

    # Ours: what type a value has.

    @_takes(_ANY)
    def _func_to_int(self, value: Any) -> int | None:
        """An integer from an integral number or its text, else null."""
        number = self._func_to_number(value)
        return int(number) if number is not None and number == math.floor(number) else None

    @_takes(_ANY)
    def _func_to_bool(self, value: Any) -> bool | None:
        """A boolean from one, from 0 or 1, or from true/false, yes/no, on/off in any case, else null."""
        if value is None or isinstance(value, list | dict):
            return None
        return _BOOLEANS.get(scalar_text(value).strip().lower())

    @_takes({"types": [], "variadic": True})
    def _func_coalesce(self, *values: Any) -> Any:
        """The first value that is not null."""
        return next((value for value in values if value is not None), None)

    @_takes(_ANY, _ANY)
    def _func_default(self, value: Any, fallback: Any) -> Any:
        """The value, or the fallback where it is null or an empty text, list or object."""
        return fallback if value is None or value in ("", [], {}) else value

    # Ours: numbers.

    @_takes(_NUMBER, _NUMBER)
    def _func_add(self, left: Any, right: Any) -> Any:
        return numbers.calculated(left, right, lambda: left + right)

    @_takes(_NUMBER, _NUMBER)
    def _func_subtract(self, left: Any, right: Any) -> Any:
        return numbers.calculated(left, right, lambda: left - right)

    @_takes(_NUMBER, _NUMBER)
    def _func_multiply(self, left: Any, right: Any) -> Any:
        return numbers.calculated(left, right, lambda: left * right)

    @_takes(_NUMBER, _NUMBER)
    def _func_divide(self, left: Any, right: Any) -> Any:
        """The quotient; null for a divisor of zero."""
        return numbers.calculated(left, right, lambda: left / right if right else None)

    # Ours: times.

    @_takes(_TEXT)
    def _func_parse_time(self, text: str | None) -> str | None:
        """A time or date as RFC 3339 in UTC; without a zone it is read as UTC. Null for text that is none."""
        return times.to_text(times.parse(text))

    @_takes(_TEXT, {"types": ["string"]})
    def _func_format_time(self, text: str | None, pattern: str) -> str | None:
        """A time written by a pattern of %Y %m %d %H %M %S %f %j %%."""
        return times.formatted(times.parse(text), pattern)

    @_takes(_TEXT)
    def _func_epoch(self, text: str | None) -> int | float | None:
        """The seconds from 1970 to a time."""
        return times.to_epoch(times.parse(text))

    @_takes(_NUMBER)
    def _func_from_epoch(self, seconds: float | None) -> str | None:
        """The time that lies that many seconds after 1970, as RFC 3339 in UTC."""
        return times.to_text(times.from_epoch(seconds))

    @_takes(_TEXT, {"types": ["number"]})
    def _func_date_add(self, text: str | None, seconds: float) -> str | None:
        """The time that lies that many seconds later."""
        return times.to_text(times.shifted(times.parse(text), seconds))

    # Ours: lists and objects.

    @_takes({"types": ["object", "null"]})
    def _func_to_entries(self, value: Mapping[str, Any] | None) -> list[Any] | None:
        """A list of {key, value} from an object."""
        return None if value is None else [{"key": key, "value": item} for key, item in value.items()]

    @_takes(_ARRAY)
    def _func_from_entries(self, entries: list[Any] | None) -> dict[str, Any] | None:
        """An object from a list of {key, value} or [key, value]; the last of a key wins."""
        return None if entries is None else dict(_entry(entry) for entry in entries)

    @_takes({"types": ["object", "null"]}, _TEXT)
    def _func_get(self, value: Mapping[str, Any] | None, key: str | None) -> Any:
        """The member of that key, where only a value knows the key: `get(body, parameters.kind)`. Null where there is none."""
        return None if value is None or key is None else value.get(key)

    @_takes({"types": ["object", "null"]}, {"types": ["array-string"]})
    def _func_pick(self, value: Mapping[str, Any] | None, keys: list[str]) -> dict[str, Any] | None:
        """An object of only those keys, in their order; what the object lacks is left out."""
        return None if value is None else {key: value[key] for key in keys if key in value}

    @_takes({"types": ["object", "null"]}, {"types": ["array-string"]})
    def _func_omit(self, value: Mapping[str, Any] | None, keys: list[str]) -> dict[str, Any] | None:
        """The object without those keys."""
        return None if value is None else {key: item for key, item in value.items() if key not in keys}

    @_takes(_ARRAY, {"types": ["object"]})
    def _func_add_to_each(self, items: list[Any] | None, members: Mapping[str, Any]) -> list[Any] | None:
        """The objects of a list, each with the members added: what stands around a list comes along with its items."""
        if items is None:
            return None
        if len(items) * len(members) > limits.MAX_WORK:
            raise ExpressionError(f"add_to_each() makes more than {limits.MAX_WORK} values")
        return [{**item, **members} if isinstance(item, dict) else item for item in items]

    @_takes(_ARRAY, _ARRAY)
    def _func_zip_rows(self, header: list[Any] | None, rows: list[Any] | None) -> list[Any] | None:
        """Objects from a list of names and a list of rows; what a row lacks is null."""
        if header is None or rows is None:
            return None
        if len(header) * len(rows) > limits.MAX_WORK:
            raise ExpressionError(f"zip_rows() makes more than {limits.MAX_WORK} values")
        return [_row(header, row) for row in rows]

    @_takes(_ANY)
    def _func_wrap(self, value: Any) -> list[Any]:
        """A list: of nothing for null, a list as it is, of the value itself else."""
        if value is None:
            return []
        return value if isinstance(value, list) else [value]


ARITIES: dict[str, tuple[int, bool]] = {
    name: (len(entry["signature"]), bool(entry["signature"][-1].get("variadic"))) for name, entry in Functions.FUNCTION_TABLE.items()
}
"""By function: how many arguments it takes, and whether more are welcome."""
TAKE_REFERENCES = frozenset(
    name for name, entry in Functions.FUNCTION_TABLE.items() if any(argument["types"] == ["expref"] for argument in entry["signature"])
)
"""The functions that are given an expression, `&name`, to evaluate by themselves."""


def scalar_text(value: Any) -> str:
    """A scalar as text, the way JSON writes it. Raises ExpressionError for null, lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _json_text(value)
    kind = "null" if value is None else "a list" if isinstance(value, list) else "an object"
    raise ExpressionError(f"{kind} cannot stand in text")


def _json_text(value: Any) -> str:
    # Measured first: a value may hold the same part many times over.
    _measure(value)
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ExpressionError("a number beyond a double cannot stand in text") from None
    _check_length(len(text))
    return text


def _measure(value: Any) -> None:
    total = 0
    rest = [value]
    while rest:
        part = rest.pop()
        total += len(part) if isinstance(part, str) else 1
        _check_length(total)
        if isinstance(part, list):
            rest.extend(part)
        elif isinstance(part, dict):
            rest.extend(part.keys())
            rest.extend(part.values())


def _check_length(length: int) -> None:
    if length > limits.MAX_TEXT_CHARACTERS:
        raise ExpressionError(f"it makes a text of more than {limits.MAX_TEXT_CHARACTERS} characters")


def _nests_too_deeply(value: Any) -> bool:
    """Whether an answer that holds the value could not be written: what writes it takes no more levels."""
    level = [value]
    for _ in range(limits.MAX_VALUE_DEPTH):
        level = [item for part in level for item in (part.values() if isinstance(part, dict) else part if isinstance(part, list) else ())]
        if not level:
            return False
    return True


def _entry(entry: Any) -> tuple[str, Any]:
    if isinstance(entry, dict) and isinstance(entry.get("key"), str):
        return entry["key"], entry.get("value")
    if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
        return entry[0], entry[1]
    raise ExpressionError("from_entries() takes items of the shape {key, value} or [key, value], their keys text")


def _row(header: list[Any], row: Any) -> dict[str, Any]:
    values = row if isinstance(row, list) else [row]
    return {scalar_text(name): values[index] if index < len(values) else None for index, name in enumerate(header)}


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
