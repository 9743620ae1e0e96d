"""What every part of the format has in common."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, WithJsonSchema, model_validator

from gateway.expressions import Expression, Template

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,99}$")]
"""A name that code, paths and clients use."""

Value = Annotated[Template, PlainValidator(Template.compile), WithJsonSchema({"description": "A value; ${...} inside is JMESPath."})]
"""Any YAML value, in which `${expression}` stands for what the expression gives."""

Condition = Annotated[
    Expression, PlainValidator(Expression.compile), WithJsonSchema({"type": "string", "description": "A JMESPath expression."})
]
"""A JMESPath expression that holds when it gives neither null, false nor an empty value."""


class Part(BaseModel):
    """A mapping of the file: unknown keys are errors, except those that start with `x-`."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        return {k: v for k, v in value.items() if not str(k).startswith("x-")} if isinstance(value, dict) else value
