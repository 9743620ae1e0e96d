"""GraphQL operations that requests send."""

from functools import cached_property

from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse
from pydantic import model_validator

from gateway.connectors.format.base import Part, Value

_MAX_TOKENS = 2_000


class GraphqlBody(Part):
    """One GraphQL operation. Its text is constant: what differs from request to request comes in variables.

    Errors in the answer are a refusal, with the app's text, whatever the status and however much data stands beside them.
    """

    query: str
    variables: dict[str, Value] = {}

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing."""
        return self._operation.operation is OperationType.QUERY

    @cached_property
    def _operation(self) -> OperationDefinitionNode:
        try:
            definitions = parse(self.query, max_tokens=_MAX_TOKENS).definitions
        except GraphQLSyntaxError as error:
            raise ValueError(f"`query` is no GraphQL: {error.message}") from None
        operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].operation is OperationType.SUBSCRIPTION:
            raise ValueError("`query` must hold one operation, a query or a mutation")
        return operations[0]

    @model_validator(mode="after")
    def _is_complete(self) -> "GraphqlBody":
        declared = {definition.variable.name.value for definition in self._operation.variable_definitions or ()}
        unknown = sorted(self.variables.keys() - declared)
        if unknown:
            raise ValueError(f"`query` declares no variable ${unknown[0]}; it declares {', '.join(sorted(declared)) or 'none'}")
        return self
