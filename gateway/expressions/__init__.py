"""JMESPath with limits: the one expression language of connectors and models."""

from gateway.expressions.errors import ExpressionError
from gateway.expressions.expression import Expression
from gateway.expressions.template import Template

__all__ = ["Expression", "ExpressionError", "Template"]
