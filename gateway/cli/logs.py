"""Where the log goes and how it looks."""

import logging
import sys
from collections.abc import Sequence

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SHARED: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # The traceback as text, never with the values of variables: those may be secrets.
    structlog.processors.format_exc_info,
)


def configure(*, level: int, is_for_people: bool) -> None:
    """Sends the log of the gateway and of its libraries to the standard error: a JSON object a line, or readable text for people."""
    renderer = structlog.dev.ConsoleRenderer() if is_for_people else _as_json_line
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(_SHARED), processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _as_json_line(logger: WrappedLogger, method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
