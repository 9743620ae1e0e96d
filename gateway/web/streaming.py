"""Subscriptions as they are run: a source for each subscriber, and each event answered and encoded once for all who ask alike.

Whoever asks with the same document, as the same principal and with the same variables below the subscribed field, gets the
same answer to the same event. So an event that many get carries a dict, `results`, in which the first leaves the answer for
the rest. An event without one is answered for each.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast
from weakref import WeakValueDictionary

from graphql import DocumentNode, ExecutionResult, Executor, GraphQLError, create_source_event_stream, execute_subscription_event
from strawberry import Schema
from strawberry.http import GraphQLRequestData

from gateway.graphql.masking import readable
from gateway.models import JsonObject, Principal
from gateway.web.bodies import encode_json
from gateway.web.documents import Documents, SubscriptionDocument
from gateway.web.refusals import with_codes

__all__ = ["Frame", "Subscription", "Subscriptions"]

_END = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What one event becomes, as JSON: a result, or, where `is_refusal`, the list of the errors that ended the stream.

    `code` is that of its first error. `cursor` is where the stream resumes after this frame.
    """

    text: str
    code: str | None = None
    cursor: str | None = None
    is_refusal: bool = False


class Subscriptions:
    """Runs the subscriptions of a schema. `make_context` is called for each source and for each answer."""

    def __init__(self, schema: Schema, *, make_context: Callable[[Principal], object]) -> None:
        self.schema = schema
        self.make_context = make_context
        self._documents = Documents(schema._schema)
        self._askings: WeakValueDictionary[object, _Asking] = WeakValueDictionary()

    def subscription(self, asked: GraphQLRequestData, principal: Principal, *, after: str | None = None) -> "Subscription | None":
        """The subscription that is asked for; None for every other operation, and for what cannot be executed.

        `after` overrides the argument of that name: it is where the last connection of the same subscriber ended.
        """
        document = self._documents.subscription(asked.query or "", asked.operation_name)
        if document is None:
            return None
        variables = asked.variables or {}
        return Subscription(
            self,
            asking=self._asking(document, variables, principal),
            document=document.document if after is None else document.resumed_after(after, self.schema._schema),
            variables=variables,
        )

    def executor(
        self, document: DocumentNode, operation_name: str | None, *, root: object, variables: JsonObject, principal: Principal
    ) -> Executor[Any] | list[GraphQLError]:
        """What executes the operation once, with a context of its own; errors where the variables do not fit."""
        return self.schema.execution_context_class.build(
            self.schema._schema,
            document,
            root,
            self.make_context(principal),
            variables,
            operation_name,
            operation_extensions=None,
        )

    def _asking(self, document: SubscriptionDocument, variables: JsonObject, principal: Principal) -> "_Asking":
        key = (document.query, document.operation_name, _as_key(document.answer_variables, variables), principal)
        asking = self._askings.get(key)
        if asking is None:
            asking = self._askings[key] = _Asking(self, document, variables, principal)
        return asking


class Subscription:
    """One subscriber's stream, begun when its frames are."""

    def __init__(self, subscriptions: Subscriptions, *, asking: "_Asking", document: DocumentNode, variables: JsonObject) -> None:
        self._subscriptions = subscriptions
        self._asking = asking
        self._document = document
        self._variables = variables

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """The frames as events come; nothing is asked of the source before the last frame was taken.

        An error of the source is the last frame, a refusal.
        """
        failure = _Failure()
        source = await self._source(failure)
        if source is None:
            yield failure.frame()
            return
        async with aclosing(source):
            while True:
                event: object = _END
                with failure:
                    event = await anext(source, _END)
                if failure.errors:
                    yield failure.frame()
                if event is _END:
                    return
                yield await self._asking.answer(event)

    async def _source(self, failure: "_Failure") -> AsyncGenerator[object, None] | None:
        source: object = None
        with failure:
            executor = self._subscriptions.executor(
                self._document, self._asking.operation_name, root=None, variables=self._variables, principal=self._asking.principal
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
    """What answers depend on. All who ask alike share one, so that it finds their answers by itself."""

    def __init__(self, subscriptions: Subscriptions, document: SubscriptionDocument, variables: JsonObject, principal: Principal) -> None:
        self.operation_name = document.operation_name
        self.principal = principal
        self._document = document.document
        self._subscriptions = subscriptions
        self._variables = variables

    async def answer(self, event: object) -> Frame:
        """The frame of an event: found with it, or waited for where another is making it."""
        results: dict[object, _Answer] | None = getattr(event, "results", None)
        if results is None:
            return await _Answer(self._begin(event), event).frame()
        answer = results.get(self)
        if answer is None:
            answer = results[self] = _Answer(self._begin(event), event)
        return answer.known or await answer.frame()

    def _begin(self, event: object) -> "Awaitable[ExecutionResult] | ExecutionResult | _Failure":
        failure = _Failure()
        with failure:
            # An executor for each event: what graphql-core remembers of one, it would keep for the whole stream.
            executor = self._subscriptions.executor(
                self._document, self.operation_name, root=event, variables=self._variables, principal=self.principal
            )
            if not isinstance(executor, list):
                return execute_subscription_event(executor)
            failure.add(executor)
        return failure


class _Answer:
    """The answer to an event, perhaps still in the making; `known` is its frame once it is made."""

    def __init__(self, outcome: "Awaitable[ExecutionResult] | ExecutionResult | _Failure", event: object) -> None:
        self.known: Frame | None = None
        self._cursor = _cursor_of(event)
        if isinstance(outcome, Awaitable):
            # A task of its own: the first to ask may leave before the answer is there, and the others still wait for it.
            self._made = asyncio.Event()
            self._making = asyncio.create_task(self._make(outcome))
        else:
            self.known = self._frame_of(outcome)

    async def frame(self) -> Frame:
        """The frame, as soon as it is made."""
        if self.known is None:
            await self._made.wait()
        assert self.known is not None  # noqa: S101  # The event is set when it is known.
        return self.known

    async def _make(self, outcome: Awaitable[ExecutionResult]) -> None:
        failure = _Failure()
        made: ExecutionResult | _Failure = failure
        with failure:
            made = await outcome
        self.known = self._frame_of(made)
        self._made.set()

    def _frame_of(self, made: "ExecutionResult | _Failure") -> Frame:
        failure = made if isinstance(made, _Failure) else _Failure()
        with failure:
            if isinstance(made, ExecutionResult):
                return _encoded(made, self._cursor)
        return failure.frame(ends=False)


class _Failure:
    """The errors that something ended with, as clients may see them; a defect is logged.

    A context that ends quietly on an error, as the masking of a whole answer does.
    """

    def __init__(self) -> None:
        self.errors: list[dict[str, object]] = []

    def add(self, errors: Sequence[GraphQLError]) -> None:
        """Keeps the errors in their readable form."""
        self.errors += _formatted(errors)

    def frame(self, *, ends: bool = True) -> Frame:
        """The last frame of a stream, or a result without data."""
        told: object = self.errors if ends else {"data": None, "errors": self.errors}
        return Frame(text=encode_json(told).decode(), code=_code_of(self.errors), is_refusal=ends)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> bool:
        if not isinstance(error, Exception):
            return False
        self.add([error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)])
        return True


def _as_key(names: frozenset[str], variables: JsonObject) -> object:
    """Equal for equal values of these variables; equal to nothing where they are nested too deep to tell."""
    try:
        return encode_json([[name, variables[name]] for name in sorted(names) if name in variables])
    except (ValueError, RecursionError):
        return object()


def _encoded(result: ExecutionResult, cursor: str | None) -> Frame:
    errors = _formatted(result.errors or ())
    body = {"data": result.data, "errors": errors} if errors else {"data": result.data}
    return Frame(text=encode_json(body).decode(), code=_code_of(errors), cursor=cursor)


def _cursor_of(event: object) -> str | None:
    cursor = getattr(event, "cursor", None)
    return cursor if isinstance(cursor, str) and cursor.isprintable() else None


def _formatted(errors: Sequence[GraphQLError]) -> list[dict[str, object]]:
    return with_codes([dict(readable(error).formatted) for error in errors])


def _code_of(errors: Sequence[dict[str, object]]) -> str | None:
    extensions = errors[0]["extensions"] if errors else None
    return str(extensions["code"]) if isinstance(extensions, dict) else None
