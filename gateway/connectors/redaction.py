"""Secrets never leave: the values of a connection's credentials are taken out of every text that tells of its app."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import quote, quote_plus

from gateway.errors import CursorExpiredError, GatewayError, UpstreamRejectedError
from gateway.models import JsonValue

REDACTED = "[redacted]"

_SHORT = 4
# A value this short is taken out only where it stands as a word: else a key of "a" would take out every a.
_LONG = 8
# Only values of this length are sealed in page tokens, and looked for inside base64: shorter ones fit by chance.
_MARK = "\x1f"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_SEALED = re.compile(f"{_MARK}([0-9]{{1,4}})([a-z]){_MARK}")


class Redactor:
    """Knows the values of a connection's credentials, and every common way to write them."""

    def __init__(self, credentials: Mapping[str, JsonValue], *, derived: Iterable[str] = ()) -> None:
        self._credentials = credentials
        self._derived = frozenset(derived)

    def redact(self, text: str) -> str:
        """The text without any of the values, as they are, encoded for URLs, JSON or HTML, or in base64."""
        return self._pattern.sub(REDACTED, text) if self._pattern is not None else text

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        # Made where it is needed: most reads end without an error, and the pattern takes longer than a small answer to read.
        return _pattern({*_values(self._credentials), *self._derived})

    @cached_property
    def _sealable(self) -> tuple[str, ...]:
        return tuple(value for value in _values(self._credentials) if len(value) >= _LONG)

    def clean(self, error: GatewayError) -> None:
        """Takes the values out of an error, and cuts it off from the errors before it, whose texts nobody checked."""
        error.message = self.redact(error.message)
        error.args = (error.message,)
        if isinstance(error, UpstreamRejectedError):
            error.fields = {self.redact(name): self.redact(text) for name, text in error.fields.items()}
        error.__cause__ = None
        error.__context__ = None

    def sealed(self, text: str) -> str | None:
        """The text with a mark in place of each value, for page tokens, which clients see; null when it cannot be marked."""
        if _MARK in text:
            return None
        for index, value in enumerate(self._sealable):
            for kind, form in _sealed_forms(value):
                text = text.replace(form, f"{_MARK}{index}{kind}{_MARK}")
        return text

    def unsealed(self, text: str) -> str:
        """The text that `sealed` was given, with today's values. Raises CursorExpiredError when there is no such value any more."""
        return _SEALED.sub(self._value_of_mark, text)

    def _value_of_mark(self, mark: re.Match[str]) -> str:
        index = int(mark[1])
        if index < len(self._sealable):
            for kind, form in _sealed_forms(self._sealable[index]):
                if kind == mark[2]:
                    return form
        raise CursorExpiredError("The cursor was made with other credentials. Start again from the first page.")

    def __repr__(self) -> str:
        return "Redactor()"


def _values(value: JsonValue) -> Iterator[str]:
    """The texts and numbers in a value, in the order of their names."""
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _values(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item)
    elif isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _sealed_forms(value: str) -> tuple[tuple[str, str], ...]:
    """How a value stands in addresses and cursors, each way with the letter of its mark; encoded first, as it is last."""
    quoted, form = quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")
    return ("q", quoted), ("p", form), ("l", _with_small_escapes(quoted)), ("m", _with_small_escapes(form)), ("r", value)


def _with_small_escapes(encoded: str) -> str:
    return _ESCAPE.sub(lambda escape: escape[0].lower(), encoded)


def _pattern(values: set[str]) -> re.Pattern[str] | None:
    forms = {form for value in values for form in _forms(value) if form.strip()}
    if not forms:
        return None
    # The longest first, so that a value which holds another is taken out whole.
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile("|".join(_alternative(form) for form in ordered))


def _alternative(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= _SHORT else rf"(?<!\w){escaped}(?!\w)"


def _forms(value: str) -> Iterator[str]:
    yield value
    yield value.strip()
    # Error texts are shown on one line, and a key of many lines is recognisable by each of them.
    yield " ".join(value.split())
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= _LONG)
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (html.escape(value), html.escape(value, quote=False))
    for encoded in (quote(value, safe="", errors="replace"), quote(value, errors="replace"), quote_plus(value, errors="replace")):
        yield encoded
        yield _with_small_escapes(encoded)
    if len(value) >= _SHORT:
        yield from _base64_forms(value.encode(errors="replace"))


def _base64_forms(value: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value).decode().rstrip("=")
        if len(value) < _LONG:
            continue
        for offset in range(3):
            # What the value looks like within the base64 of a longer text, such as `user:password`.
            encoded = encode(b"\0" * offset + value).decode()
            yield encoded[-(-offset * 8 // 6) : (offset + len(value)) * 8 // 6]
