"""A short way to ask the schema."""

from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError

from gateway.graphql import build_schema, make_context
from gateway.graphql.operations import Operations
from gateway.models import Principal
from gateway.runtime import Runtime
from tests.support.documents import documents_of
from tests.support.limits import UNLIMITED
from tests.support.plain import plain

SCHEMA = build_schema()
# Tests ask for much at once, to see that it is read together.
DOCUMENTS = documents_of(SCHEMA, **UNLIMITED)
OPERATIONS = Operations(SCHEMA)


@dataclass(frozen=True)
class World:
    """The runtime, and the customer who asks by default."""

    runtime: Runtime
    acme: Principal

    async def execute(self, document: str, principal: Principal | None = None, **variables: Any) -> ExecutionResult:
        """The answer to an operation; by default Acme asks."""
        asked = DOCUMENTS.get(document)
        if asked.errors:
            return ExecutionResult(None, list(asked.errors))
        context = make_context(self.runtime, principal or self.acme)
        answer = await OPERATIONS.execute(asked.operation(None), variables=variables, context=context)
        errors = [GraphQLError(error["message"], path=error.get("path"), extensions=error["extensions"]) for error in answer.errors]
        return ExecutionResult(plain(answer.data), errors or None)

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
