"""Whether a configured element can be used, and why not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ElementState(StrEnum):
    """Whether an integration, definition or instance can be used."""

    READY = "READY"
    CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
    SETUP_FAILED = "SETUP_FAILED"


@dataclass(frozen=True, kw_only=True)
class ElementError:
    """Why an element cannot be used: one of the error codes, what to do, and the element at fault if it is another one."""

    code: str
    message: str
    element: Any = None
    """The row at fault, such as the connection of an instance; null when it is the element itself."""

    def as_json(self) -> dict[str, str]:
        """The error as it is stored, without the element."""
        return {"code": self.code, "message": self.message}
