"""Operations as they are executed: one at a time, each with a context of its own, and with answers that are safe to send."""

from collections.abc import Iterable
from typing import Any, Self

from graphql import DocumentNode, ExecutionResult, GraphQLError
from msgspec import Struct, field
from strawberry import Schema
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.errors import InternalError
from gateway.graphql.documents import Operation
from gateway.graphql.execution import FastExecutor, Plans, Prepared
from gateway.graphql.masking import Caught, readable
from gateway.models import JsonObject

__all__ = ["Answer", "Operations", "told_errors"]

_PREPARED = "prepared"


class Answer(Struct, frozen=True, kw_only=True):
    """What an operation is answered with. The errors are as clients may see them, each with a code."""

    data: JsonObject | None = None
    """Within it objects are dictionaries, or what compiled functions make in place of them: an `AnswerObject`."""
    errors: list[JsonObject] = field(default_factory=list)
    extensions: JsonObject = field(default_factory=dict)
    was_executed: bool = True
    """Where nothing was executed the request itself is at fault, and there is no `data` to speak of."""

    @classmethod
    def refusal(cls, errors: Iterable[GraphQLError]) -> Self:
        """The answer to what cannot be executed."""
        return cls(errors=told_errors(errors), was_executed=False)

    @property
    def body(self) -> JsonObject:
        """The answer as GraphQL writes it."""
        body: JsonObject = {"data": self.data} if self.was_executed else {}
        if self.errors:
            body["errors"] = self.errors
        if self.extensions:
            body["extensions"] = self.extensions
        return body


class Operations:
    """Executes the operations of a schema. What is compiled for one is kept with its document.

    With `may_suggest`, what is told of a wrong variable names those of the schema that are like it.
    """

    def __init__(self, schema: Schema, *, may_suggest: bool = True) -> None:
        self.schema = schema
        self._may_suggest = may_suggest

    async def execute(
        self, operation: Operation, *, variables: JsonObject, context: object, extensions: JsonObject | None = None
    ) -> Answer:
        """The answer to a query or a mutation, executed once; `extensions` are those of the request."""
        caught = Caught()
        with caught:
            executor = self.executor(operation, variables=variables, context=context, extensions=extensions)
            if isinstance(executor, list):
                return Answer.refusal(executor)
            result: Any = executor.execute_operation()
            return _answer(await result if optimized_is_awaitable(result) else result)
        return Answer.refusal([caught.error] if caught.error is not None else ())

    def executor(
        self,
        operation: Operation,
        *,
        variables: JsonObject,
        context: object,
        root: object = None,
        document: DocumentNode | None = None,
        extensions: JsonObject | None = None,
    ) -> FastExecutor | list[GraphQLError]:
        """What executes the operation once; errors where the variables do not fit. `document` stands in for the operation's own."""
        prepared = self._prepared(operation) if document is None else self._made(operation, document)
        return prepared.executor(variables, context=context, root=root, extensions=extensions)

    def _prepared(self, operation: Operation) -> Prepared:
        prepared: Prepared | None = operation.notes.get(_PREPARED)
        if prepared is None:
            plans = Plans(grown=operation.document.grown)
            prepared = operation.notes[_PREPARED] = self._made(operation, operation.document.node, plans)
            operation.document.grown(prepared.bytes)
        return prepared

    def _made(self, operation: Operation, document: DocumentNode, plans: Plans | None = None) -> Prepared:
        return Prepared(self.schema._schema, document, operation.name, plans=plans, hides_suggestions=not self._may_suggest)


def told_errors(errors: Iterable[GraphQLError]) -> list[JsonObject]:
    """The errors as JSON, with nothing in them that is not meant for clients."""
    errors = tuple(errors)
    told: list[JsonObject] = [dict((error if "code" in (error.extensions or {}) else readable(error)).formatted) for error in errors]
    # Others may still have to log a defect that several have met.
    _forget_traces(error for error, shown in zip(errors, told, strict=True) if shown["extensions"]["code"] != InternalError.code)
    return told


def _forget_traces(errors: Iterable[BaseException]) -> None:
    """Lets go of what ran where errors were raised: it holds them, too, and would keep all that was read until garbage is searched for."""
    left, seen = list(errors), set[int]()
    while left:
        error = left.pop()
        if id(error) not in seen:
            seen.add(id(error))
            error.__traceback__ = None
            below = (error.__cause__, error.__context__, error.original_error if isinstance(error, GraphQLError) else None)
            left += [each for each in below if each is not None]


def _answer(result: ExecutionResult) -> Answer:
    errors = told_errors(result.errors) if result.errors else []
    # An error without a path is none of a field: it ended the operation before it began.
    was_executed = result.data is not None or any("path" in error for error in errors)
    return Answer(data=result.data, errors=errors, was_executed=was_executed)
