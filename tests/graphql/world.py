"""A short way to ask the schema."""

from dataclasses import dataclass
from typing import Any

from strawberry.types import ExecutionResult

from gateway.graphql import build_schema, make_context
from gateway.models import Principal
from gateway.runtime import Runtime

SCHEMA = build_schema()


@dataclass(frozen=True)
class World:
    """The runtime, and the customer who asks by default."""

    runtime: Runtime
    acme: Principal

    async def execute(self, document: str, principal: Principal | None = None, **variables: Any) -> ExecutionResult:
        """The answer to an operation; by default Acme asks."""
        context = make_context(self.runtime, principal or self.acme)
        return await SCHEMA.execute(document, variable_values=variables, context_value=context)

    async def ask(self, document: str, principal: Principal | None = None, **variables: Any) -> dict[str, Any]:
        """The data of an answer, which has no errors."""
        result = await self.execute(document, principal, **variables)
        assert result.errors is None, result.errors
        return result.data

    async def error(self, document: str, principal: Principal | None = None, **variables: Any) -> tuple[str, str]:
        """The code and message of an answer's only error."""
        result = await self.execute(document, principal, **variables)
        (error,) = result.errors
        return error.extensions["code"], error.message
