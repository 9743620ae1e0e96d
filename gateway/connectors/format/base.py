"""What every part of the format has in common."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, PlainValidator, StringConstraints, WithJsonSchema, model_validator

from gateway.expressions import Expression, ExpressionError, Template

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$")]
"""A name that code, paths and clients use."""

Value = Annotated[Template, PlainValidator(Template.compile), WithJsonSchema({"description": "A value; ${...} inside is JMESPath."})]
"""Any YAML value, in which `${expression}` stands for what the expression gives."""


def _condition(source: object) -> Expression:
    if isinstance(source, str) and source.strip().startswith("${"):
        raise ExpressionError("a condition is an expression already; write it without ${}")
    return Expression.compile(source)


Condition = Annotated[Expression, PlainValidator(_condition), WithJsonSchema({"type": "string", "description": "A JMESPath expression."})]
"""A JMESPath expression that holds when it gives neither null, false nor an empty value."""


def one_of(choose: Callable[[Any], str | None], *, message: str) -> Discriminator:
    """Tells the models of a union apart by a tag, so that an error names the one key at fault and not each model's every key.

    `choose` gives the tag of a mapping, null when it fits none: then the error is the message.
    """

    def chosen(value: Any) -> str | None:
        if isinstance(value, BaseModel):
            value = value.model_dump(by_alias=True)
        return choose(value) if isinstance(value, dict | str) else None

    return Discriminator(chosen, custom_error_type="not_one_of", custom_error_message=message)


class Part(BaseModel):
    """A mapping of the file: unknown keys are errors, except those that start with `x-`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, json_schema_extra={"patternProperties": {"^x-": True}}
    )

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if not str(k).startswith("x-")} if isinstance(value, dict) else value
