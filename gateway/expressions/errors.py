"""The one way in which an expression fails."""


class ExpressionError(ValueError):
    """An expression that cannot be compiled, or cannot be evaluated within its limits.

    The message may name the expression and the types it met, never a value: values can be secrets.
    """
