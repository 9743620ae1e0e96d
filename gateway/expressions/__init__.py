"""JMESPath with limits: the one expression language of connectors and models."""

import re
from typing import Any

import jmespath

__all__ = ["Expression", "ExpressionError", "Template"]


class ExpressionError(ValueError):
    """An expression that cannot be compiled, or cannot be evaluated within its limits."""


class Expression:
    def __init__(self, source: str) -> None:
        self.source = source
        self._compiled = jmespath.compile(source)

    @classmethod
    def compile(cls, source: str) -> "Expression":
        return cls(source)

    def evaluate(self, names: dict[str, Any]) -> Any:
        return self._compiled.search(names)


class Template:
    def __init__(self, source: Any) -> None:
        self.source = source

    @classmethod
    def compile(cls, source: Any) -> "Template":
        return cls(source)

    def render(self, names: dict[str, Any]) -> Any:
        raise NotImplementedError
