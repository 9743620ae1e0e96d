"""Subscriptions as they are run: a source for each subscriber, and each event answered and encoded once for all who ask alike.

Whoever asks with the same document, as the same principal and with the same variables below the subscribed field, gets the
same answer to the same event. So an event that many get carries a dict, `results`, in which the first leaves the answer for
the rest. An event without one is answered for each.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import ExitStack, aclosing
from hashlib import sha256
from typing import cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    OperationType,
    create_source_event_stream,
    execute_subscription_event,
)
from strawberry.http import GraphQLRequestData

from gateway.errors import InvalidError, SubscriptionsExceededError
from gateway.graphql.documents import Documents, Operation
from gateway.graphql.operations import Operations
from gateway.models import JsonObject, Principal
from gateway.web.answers import Answers, Failure, Frame
from gateway.web.bodies import encode_json
from gateway.web.occupancy import Occupancy

__all__ = ["Frame", "Subscription", "Subscriptions"]

_END = object()
_MAXIMUM_PER_CALLER = 2_000
_KEPT_BYTES = 32 * 1024 * 1024
"""Of answers that wait for the next who asks alike. Whoever comes later has them made again."""


class Subscriptions:
    """Runs the subscriptions of a schema. `make_context` is called for each source and for each answer."""

    def __init__(
        self,
        operations: Operations,
        *,
        documents: Documents,
        make_context: Callable[[Principal], object],
        charge: Callable[[Operation, JsonObject, Principal], object] | None = None,
        maximum_per_caller: int = _MAXIMUM_PER_CALLER,
        kept_bytes: int = _KEPT_BYTES,
    ) -> None:
        self.operations = operations
        self.make_context = make_context
        self.charge = charge
        """Takes from the caller what an operation may cost, where somebody counts it."""
        self.open = Occupancy("subscriptions", maximum=maximum_per_caller, refusal=SubscriptionsExceededError)
        self.answers = Answers(maximum_bytes=kept_bytes)
        self._documents = documents

    def subscription(self, asked: GraphQLRequestData, principal: Principal, *, after: str | None = None) -> "Subscription | None":
        """The subscription that is asked for; None for every other operation, and for what cannot be executed.

        `after` overrides the argument of that name: it is where the last connection of the same subscriber ended.
        """
        operation = self._operation(asked)
        if operation is None or operation.kind is not OperationType.SUBSCRIPTION:
            return None
        source = operation.document.node if after is None else operation.resumed_after(after, self.operations.schema._schema)
        return Subscription(self, operation, source=source, variables=asked.variables or {}, principal=principal)

    def _operation(self, asked: GraphQLRequestData) -> Operation | None:
        document = self._documents.get(asked.query or "")
        try:
            return None if document.errors else document.operation(asked.operation_name)
        except InvalidError:
            return None


class Subscription:
    """One subscriber's stream, begun when its frames are."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        operation: Operation,
        *,
        source: DocumentNode,
        variables: JsonObject,
        principal: Principal,
    ) -> None:
        self._subscriptions = subscriptions
        self._operation = operation
        self._source_document = source
        self._variables = variables
        self._principal = principal

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """The frames as events come; nothing is asked of the source before the last frame was taken.

        An error of the source is the last frame, a refusal; so is a caller's having too many open, or having spent too much.
        """
        failure = Failure()
        with ExitStack() as held:
            with failure:
                held.enter_context(self._subscriptions.open.place(self._principal))
                if self._subscriptions.charge is not None:
                    # Once for all of its events, which are answered once for all who ask alike.
                    self._subscriptions.charge(self._operation, self._variables, self._principal)
            source = None if failure.errors else await self._source(failure)
            if source is None:
                yield failure.frame()
                return
            # Only now: answers are made for others, too, and these variables fit.
            asking = _Asking(self._subscriptions, self._operation, self._variables, self._principal)
            async with aclosing(source):
                while True:
                    event: object = _END
                    with failure:
                        event = await anext(source, _END)
                    if failure.errors:
                        yield failure.frame()
                    if event is _END:
                        return
                    yield await asking.answer(event)

    async def _source(self, failure: "Failure") -> AsyncGenerator[object, None] | None:
        source: object = None
        with failure:
            executor = self._subscriptions.operations.executor(
                self._operation,
                document=self._source_document,
                variables=self._variables,
                context=self._subscriptions.make_context(self._principal),
            )
            if isinstance(executor, list):
                failure.add(executor)
                return None
            begun = create_source_event_stream(executor)
            source = await begun if isinstance(begun, Awaitable) else begun
        if isinstance(source, ExecutionResult):
            failure.add(source.errors or ())
            return None
        # Resolvers of subscriptions are generators.
        return cast("AsyncGenerator[object, None] | None", source)


class _Asking:
    """What answers depend on; `key` is the same for all who ask alike."""

    def __init__(self, subscriptions: Subscriptions, operation: Operation, variables: JsonObject, principal: Principal) -> None:
        self._subscriptions = subscriptions
        self._operation = operation
        self._variables = variables
        self._principal = principal
        self.key = _key(operation, variables, principal)

    async def answer(self, event: object) -> Frame:
        """The frame of an event."""
        return await self._subscriptions.answers.frame(event, asking=self.key, execute=self._execute)

    def _execute(self, event: object) -> "Awaitable[ExecutionResult] | ExecutionResult | Failure":
        failure = Failure()
        with failure:
            # An executor for each event: what graphql-core remembers of one, it would keep for the whole stream.
            executor = self._subscriptions.operations.executor(
                self._operation,
                root=event,
                variables=self._variables,
                context=self._subscriptions.make_context(self._principal),
            )
            if not isinstance(executor, list):
                return execute_subscription_event(executor)
            failure.add(executor)
        return failure


def _key(operation: Operation, variables: JsonObject, principal: Principal) -> Hashable:
    """Equal for those who ask alike; equal to nothing where variables are nested too deep to tell.

    It is kept with answers, and therefore short, however much was asked: else a megabyte of variables would wait with each.
    """
    stated = [[name, variables[name]] for name in sorted(operation.answer_variables) if name in variables]
    asks = [operation.document.query, operation.name, stated, str(principal.customer_id), principal.is_admin]
    try:
        return sha256(encode_json(asks)).digest()
    except (ValueError, RecursionError):
        return object()
