"""Answers that the app confirms instead of sending them again (RFC 9110, 13, and RFC 9111, 4.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.clock import Clock
from gateway.connectors.bounded import Bounded
from gateway.connectors.executor.answers import Answer
from gateway.connectors.executor.links import readable_headers
from gateway.connectors.executor.rate_limit import http_date

MAX_BYTES = 64 * 1024 * 1024
"""How much memory is given to what apps may confirm, in the whole process."""

_IDLE = timedelta(hours=1)
# What nobody reads any more is not kept for the rare case that somebody will.
_CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range"})
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,500}"')
_SURE_AFTER = timedelta(seconds=60)
# Of two changes in one second, the second has the same `Last-Modified`: only an answer made well after it tells them apart.
_OF_KEEPING = frozenset({"cache-control", "date", "etag", "last-modified", "vary"})
_OF_THE_BODY = frozenset({"content-type", "content-language", "content-location", "content-range", "content-md5"})


@dataclass(frozen=True)
class Confirmable:
    """An answer, and the header that asks the app whether it still holds."""

    answer: Answer
    headers: Mapping[str, str]
    used_at: datetime = field(compare=False)

    def renewed(self, confirmation: Answer) -> Answer | None:
        """The answer with what its confirmation, a 304, says anew; null when that confirms another answer than this."""
        etag, asked = confirmation.headers.get("etag"), self.headers.get("if-none-match")
        if etag is not None and asked is not None and _opaque(etag) != _opaque(asked):
            return None
        # Only of the same names: a list of headers that grows with each confirmation would grow for ever.
        headers = {name: confirmation.headers.get(name, value) for name, value in self.answer.headers.items() if name not in _OF_THE_BODY}
        told = {name: confirmation.headers[name] for name in _OF_KEEPING & set(confirmation.headers)}
        headers = {**self.answer.headers, **headers, **told}
        return replace(self.answer, headers=headers, readable_headers=readable_headers(headers))


class Validators:
    """What apps may confirm, by request: a key names the connection, who asks, and all that is sent."""

    def __init__(self, *, clock: Clock, maximum_bytes: int = MAX_BYTES) -> None:
        self._clock = clock
        self._kept: Bounded[Confirmable] = Bounded(maximum_weight=maximum_bytes)

    def confirmable(self, key: bytes) -> Confirmable | None:
        """What the app may confirm instead of answering; null when it has to answer."""
        kept = self._kept.get(key)
        return None if kept is None or self._is_idle(kept) else kept

    def note(self, key: bytes, answer: Answer) -> None:
        """Keeps an answer that the app can confirm, in place of the one before; forgets that one where it cannot."""
        headers = confirming_headers(answer)
        if not headers and not self._kept.weight:
            # As with most apps, which let nothing be confirmed.
            return
        if headers:
            self._kept.put(key, Confirmable(answer, headers, self._clock.now()), weight=answer.weight)
        else:
            self._kept.drop(key)
        while (oldest := self._kept.oldest()) is not None and self._is_idle(oldest[1]):
            self._kept.drop(oldest[0])

    def drop(self, key: bytes) -> None:
        """Forgets an answer."""
        self._kept.drop(key)

    @property
    def weight(self) -> int:
        """How many bytes of memory the answers take, by estimate."""
        return self._kept.weight

    def _is_idle(self, kept: Confirmable) -> bool:
        return self._clock.now() - kept.used_at > _IDLE


def may_be_confirmed(method: str, headers: Mapping[str, str]) -> bool:
    """Whether an app may be asked to confirm its answer to such a request: a GET that has no conditions of its own."""
    return method == "GET" and _CONDITIONS.isdisjoint(headers)


def confirming_headers(answer: Answer) -> dict[str, str]:
    """What asks whether an answer still holds; empty where the answer cannot be confirmed, or must not be kept."""
    is_told = "etag" in answer.headers or "last-modified" in answer.headers
    if not is_told or answer.status != 200 or answer.fault is not None or _forbids_keeping(answer.headers):
        return {}
    etag = answer.headers.get("etag", "").strip()
    if etag:
        # Never the time beside it: an app that looks at that one only would miss a change within its second.
        return {"if-none-match": etag} if _ETAG.fullmatch(etag) else {}
    modified, made = http_date(answer.headers.get("last-modified", "")), http_date(answer.headers.get("date", ""))
    is_sure = modified is not None and made is not None and made - modified >= _SURE_AFTER
    return {"if-modified-since": answer.headers["last-modified"].strip()} if is_sure else {}


def _forbids_keeping(headers: Mapping[str, str]) -> bool:
    directives = {directive.partition("=")[0].strip().lower() for directive in headers.get("cache-control", "").split(",")}
    return "no-store" in directives or "*" in {name.strip() for name in headers.get("vary", "").split(",")}


def _opaque(etag: str) -> str:
    """The tag without the mark of a weak one: what is confirmed is compared without it."""
    return etag.strip().removeprefix("W/")
