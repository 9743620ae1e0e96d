"""The log: one JSON object a line. What clients send beyond an operation's name, and their headers, never reach it."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Self, TextIO

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
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_CLOCK = SystemClock()
_log = structlog.get_logger("gateway.web")


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Sends the gateway's log, and the warnings of the libraries below it, to a stream as JSON lines; standard error by default."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, lambda *entry: _as_line(*entry).decode().rstrip()],
        )
    )
    # Below a warning the libraries tell whole addresses, whose parameters may be secrets.
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    # The gateway's own entries do not take the way of the libraries', which takes three times as long.
    structlog.configure(
        processors=[_as_line],
        # Asked for with each entry. What the library would keep by itself outlives this configuration.
        logger_factory=cache(lambda name: _Lines(name, stream)),
        wrapper_class=_straight(level),
    )


def _straight(level: int) -> type[structlog.typing.FilteringBoundLogger]:
    """Loggers that tell what is of a level or above, as the library's own do, in one step where those take five."""
    own = {"info": _info} if level <= logging.INFO else {}
    return type("_Straight", (structlog.make_filtering_bound_logger(level),), {**own, "_proxy_to_logger": _told})


def _info(self: Any, event: str, **entry: object) -> None:
    entry["event"] = event
    _tell(self, "info", entry)


def _told(self: Any, method: str, event: str | None = None, **entry: object) -> None:
    entry["event"] = event
    _tell(self, method, entry)


def _tell(bound: Any, method: str, entry: structlog.typing.EventDict) -> None:
    made: Any = {**bound._context, **entry} if bound._context else entry
    try:
        for process in bound._processors:
            made = process(bound._logger, method, made)
    except structlog.DropEvent:
        return
    bound._logger.write(made)


class _Lines:
    """Writes the entries of the logger of a name. An entry that cannot be written is lost: nobody's work ends over it."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name = name
        # Below the text, where there is something: a line is bytes when it is made.
        self._file = getattr(stream, "buffer", None) or _Encoding(stream)

    def write(self, line: bytes) -> None:
        """Writes one entry, whole: the lines of threads do not mix."""
        try:
            self._file.write(line)
            self._file.flush()
        except (OSError, ValueError):
            return  # A disk that is full, a pipe that nobody reads, a stream that is closed or has no such letter: nowhere to tell it.


class _Encoding:
    """A stream of text that takes lines as bytes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.flush = stream.flush

    def write(self, line: bytes) -> None:
        """Writes one line."""
        self._stream.write(line.decode())


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
        _bound.log().info(
            "operation",
            transport=self._transport,
            operation=self.operation,
            status=self.status,
            code=self.code,
            # To the nearest tenth, by fewer steps than `round`.
            duration_ms=int((self._clock.monotonic() - self._begun) * 10_000 + 0.5) / 10,
        )

    def name_from(self, query: str | None, operation_name: str | None) -> None:
        """Names the operation as the client did, else as its document begins."""
        # What is no name could hold line breaks and control sequences for whoever reads the log on a terminal.
        is_name = operation_name is not None and _NAME.fullmatch(operation_name)
        document = query or ""
        name_in = _kept_name_in if len(document) <= _MAX_KEPT_CHARACTERS else _name_in
        name = operation_name if is_name else name_in(document)
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


def _name_in(document: str) -> str | None:
    return next((found.group(1) for found in _OPERATION.finditer(document) if found.group(1) is not None), None)


_kept_name_in = lru_cache(maxsize=256)(_name_in)


class _Bound:
    """The logger of operations, bound once for as long as nobody configures logging anew: to bind takes as long as to write."""

    _made: structlog.typing.FilteringBoundLogger
    _processors: object = None
    _kind: object = None
    _factory: object = None

    def log(self) -> structlog.typing.FilteringBoundLogger:
        """The logger, as logging is configured now."""
        now = structlog.get_config()
        processors, kind, factory = now["processors"], now["wrapper_class"], now["logger_factory"]
        # Of lists of processors that are equal, only one may be the one that somebody changes.
        if processors is not self._processors or kind is not self._kind or factory is not self._factory:
            self._made, self._processors, self._kind, self._factory = _log.bind(), processors, kind, factory
        return self._made


_bound = _Bound()


def _as_line(logger: structlog.typing.WrappedLogger, method: str, entry: structlog.typing.EventDict) -> bytes:
    """One entry as its line: one step, as there is an entry for every request, and the library's own steps take three times as long."""
    if "exc_info" in entry:
        entry = structlog.processors.format_exc_info(logger, method, entry)
    if "logger" not in entry:
        entry["logger"] = logger.name
    entry["level"] = method
    entry["timestamp"] = _CLOCK.now()
    try:
        return orjson.dumps(entry, default=str, option=_OPTIONS)
    except orjson.JSONEncodeError:
        # Half a letter, as other people's messages may have one, or a number beyond 64 bits.
        return f"{json.dumps(entry, default=_as_text, skipkeys=True)}\n".encode()


def _as_text(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
