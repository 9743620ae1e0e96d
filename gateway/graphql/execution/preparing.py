"""Operations that are ready to be executed, any number of times: what does not depend on the request is done once."""

from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableValues,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import FragmentDetails
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.graphql.execution.executor import FastExecutor
from gateway.graphql.execution.plans import Plans
from gateway.graphql.execution.variables import Variables

__all__ = ["Prepared"]

_BYTES_OF_AN_OPERATION = 8_000
_BYTES_OF_A_FRAGMENT = 150


class Prepared:
    """One operation of a valid document; with `plans`, those of the operation, its executors answer by them."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        name: str | None,
        *,
        plans: Plans | None = None,
        hides_suggestions: bool = False,
    ) -> None:
        operations = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
        node = next(each for each in operations if (each.name.value if each.name is not None else None) == name)
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self._variables = Variables(schema, node, hides_suggestions=hides_suggestions)
        executor = FastExecutor(
            schema,
            fragments,
            {name: FragmentDetails(fragment) for name, fragment in fragments.items()},
            None,
            None,
            node,
            VariableValues({}, {}),
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=hides_suggestions,
            plans=plans,
        )
        self._pattern = vars(executor)
        self.bytes = _BYTES_OF_AN_OPERATION + len(fragments) * _BYTES_OF_A_FRAGMENT
        """Of memory that it takes, beside the plans."""

    def executor(
        self, variables: dict[str, Any], *, context: object, root: object = None, extensions: dict[str, Any] | None = None
    ) -> FastExecutor | list[GraphQLError]:
        """What executes the operation once; errors where the variables do not fit."""
        values = self._variables.values(variables)
        return values if isinstance(values, list) else FastExecutor.of(self._pattern, root, context, values, extensions)
