"""The log: one JSON object a line. What clients send beyond an operation's name, and their headers, never reach it."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Self, TextIO

import orjson
import structlog

from gateway.clock import Clock, SystemClock

__all__ = ["OperationEntry", "configure_logging"]

_OPERATION = re.compile(
    r'''"""(?:\\"""|(?!""").)*+(?:"""|\Z)|"(?:\\.|[^"\\\r\n])*+"?|\#[^\r\n]*+'''
    r"|\b(?:query|mutation|subscription)\s++([_A-Za-z][_0-9A-Za-z]*)",
    re.DOTALL,
)
"""Texts and comments, which are passed over whatever they say, or an operation with its name."""
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_MAX_NAME_CHARACTERS = 100
_MAX_KEPT_CHARACTERS = 2_000
"""Of a document whose name is remembered."""
_CLOCK = SystemClock()
_log = structlog.get_logger("gateway.web")


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends the gateway's log, and the warnings of the libraries below it, to a stream as JSON lines; standard error by default."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_line],
        )
    )
    # Below a warning the libraries tell whole addresses, whose parameters may be secrets.
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    # The gateway's own entries do not take the way of the libraries', which takes three times as long.
    structlog.configure(
        processors=[_as_line],
        # Asked for with each entry. What the library would keep by itself outlives this configuration.
        logger_factory=cache(lambda name: _Lines(name, stream)),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


class _Lines(structlog.WriteLogger):
    """Writes the entries of the logger of a name. An entry that cannot be written is lost: nobody's work ends over it."""

    def __init__(self, name: str, stream: TextIO) -> None:
        super().__init__(stream)
        self.name = name

    def msg(self, message: str) -> None:
        """Writes one entry."""
        try:
            super().msg(message)
        except (OSError, ValueError):
            return  # A disk that is full, a pipe that nobody reads, a stream that is closed or has no such letter: nowhere to tell it.

    debug = info = warning = error = critical = msg


class OperationEntry:
    """What the log says about one operation; filled in within its block, and logged when that ends, however it ends."""

    def __init__(self, clock: Clock, *, transport: str) -> None:
        self.operation: str | None = None
        self.status: int | None = None
        self.code: str | None = None
        self._transport = transport
        self._clock = clock

    def __enter__(self) -> Self:
        """Begins to count its time."""
        self._begun = self._clock.monotonic()
        return self

    def __exit__(self, *_error: object) -> None:
        """Logs it."""
        # By `bind`, as the library finds the methods of what is not bound by an exception.
        _log.bind().info(
            "operation",
            transport=self._transport,
            operation=self.operation,
            status=self.status,
            code=self.code,
            duration_ms=round((self._clock.monotonic() - self._begun) * 1000, 1),
        )

    def name_from(self, query: str | None, operation_name: str | None) -> None:
        """Names the operation as the client did, else as its document begins."""
        # What is no name could hold line breaks and control sequences for whoever reads the log on a terminal.
        is_name = operation_name is not None and _NAME.fullmatch(operation_name)
        name = operation_name if is_name else _known_name_in(query or "")
        self.operation = name[:_MAX_NAME_CHARACTERS] if name is not None else None

    def code_from(self, errors: Iterable[object]) -> None:
        """Keeps the first code among a result's errors."""
        for error in errors:
            extensions = error.get("extensions") if isinstance(error, dict) else None
            if isinstance(extensions, dict):
                self.keep_code(extensions.get("code"))

    def keep_code(self, code: str | None) -> None:
        """Keeps the code if it is the first."""
        self.code = self.code or code


def _known_name_in(document: str) -> str | None:
    return _kept_name_in(document) if len(document) <= _MAX_KEPT_CHARACTERS else _name_in(document)


@lru_cache(maxsize=256)
def _kept_name_in(document: str) -> str | None:
    return _name_in(document)


def _name_in(document: str) -> str | None:
    return next((found.group(1) for found in _OPERATION.finditer(document) if found.group(1) is not None), None)


def _as_line(logger: structlog.typing.WrappedLogger, method: str, entry: structlog.typing.EventDict) -> str:
    """One entry as its line: one step, as there is an entry for every request, and the library's own steps take three times as long."""
    if "exc_info" in entry:
        entry = structlog.processors.format_exc_info(logger, method, entry)
    if "logger" not in entry:
        entry["logger"] = logger.name
    entry["level"] = method
    entry["timestamp"] = _CLOCK.now()
    try:
        return orjson.dumps(entry, default=str, option=orjson.OPT_UTC_Z).decode()
    except orjson.JSONEncodeError:
        # Half a letter, as other people's messages may have one, or a number beyond 64 bits.
        return json.dumps(entry, default=_as_text, skipkeys=True)


def _as_text(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
