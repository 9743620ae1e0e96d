"""Queries and mutations within their bounds: what they may cost, what their callers may still spend, and how long they may take."""

from collections.abc import Callable

from graphql import GraphQLError, OperationType
from strawberry.http import GraphQLRequestData

from gateway.clock import Clock, Deadline
from gateway.config import LimitSettings
from gateway.errors import GatewayError, OperationTimeoutError
from gateway.graphql.batching import EndingReadings
from gateway.graphql.cost import Cost, cost_of
from gateway.graphql.documents import Operation
from gateway.graphql.operations import Answer, Operations, told_errors
from gateway.models import JsonObject, Principal
from gateway.web.allowance import Allowance

__all__ = ["BoundedOperations"]

_TOLD = "cost"
"""The member of a request's `extensions` with which the answer tells the cost."""


class BoundedOperations:
    """Executes operations as `operations` does, and refuses those that are too much before anything of them runs.

    `make_context` is called once for each that is executed.
    """

    def __init__(
        self, operations: Operations, *, settings: LimitSettings, clock: Clock, make_context: Callable[[Principal], object]
    ) -> None:
        self.allowance = Allowance(
            clock, maximum=settings.max_cost, bucket=settings.cost_bucket, per_second=settings.cost_restored_per_second
        )
        self._operations = operations
        self._schema = operations.schema._schema
        self._seconds = settings.operation_timeout_seconds
        self._make_context = make_context

    def charge(self, operation: Operation, variables: JsonObject, principal: Principal) -> tuple[Cost, int]:
        """Takes what the operation may cost. Returns its cost, and what was taken.

        Raises CostExceededError and RateLimitedError, and then takes nothing.
        """
        cost = cost_of(operation, self._schema)
        requested = cost.requested(variables)
        self.allowance.take(principal, requested)
        return cost, requested

    async def execute(self, operation: Operation, asked: GraphQLRequestData, principal: Principal) -> Answer:
        """The answer to a query or a mutation; what it has cost less than it might have is given back."""
        try:
            cost, requested = self.charge(operation, asked.variables or {}, principal)
        except GatewayError as error:
            return Answer.refusal([GraphQLError(error.message, operation.node, original_error=error)])
        answer = await self._in_time(operation, asked, principal)
        # What has failed as a whole may have done all of its work before.
        actual = requested if answer.was_executed else 0
        if answer.data is not None:
            actual = cost.actual(answer.data, requested=requested)
        self.allowance.give_back(principal, requested - actual)
        if asked.extensions is not None and asked.extensions.get(_TOLD) is True:
            answer.extensions[_TOLD] = {"requested": requested, "actual": actual, "remaining": self.allowance.left(principal)}
        return answer

    async def _in_time(self, operation: Operation, asked: GraphQLRequestData, principal: Principal) -> Answer:
        variables, extensions = asked.variables or {}, asked.extensions
        try:
            with Deadline(self._seconds), EndingReadings():
                context = self._make_context(principal)
                return await self._operations.execute(operation, variables=variables, context=context, extensions=extensions)
        except TimeoutError:
            late = OperationTimeoutError(_late(operation, self._seconds))
        return Answer(errors=told_errors([GraphQLError(late.message, original_error=late)]))


def _late(operation: Operation, seconds: float) -> str:
    ended = f"The operation took longer than {seconds:g} s, and was ended."
    if operation.kind is OperationType.MUTATION:
        return f"{ended} What it was to change may have been changed all the same: look before you send it again."
    return f"{ended} Ask for less at a time."
