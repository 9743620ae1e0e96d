"""Places where only values of records are asked for as a model has them: they are read at once, and nothing else is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_abstract_type
from graphql.execution.collect_fields import FieldDetailsList
from graphql.execution.executor import Executor

from gateway.graphql.execution import values
from gateway.graphql.execution.plans import Plans
from gateway.graphql.execution.resolvers import definition_of
from gateway.graphql.fields import PICKS
from gateway.udm import PageReader, Picked, Translation
from gateway.udm.shapes import type_name

__all__ = ["Picks", "picks_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """What is picked at one place, by the names of the types that the place may have. Calling it gives what reads it of records."""

    by_type: Mapping[str, Mapping[str, Picked]]
    plans: Plans

    def __call__(self, translation: Translation) -> PageReader:
        """What reads records by a translation; what it gives stands in an answer as it is.

        Raises DeviationError where values may be of other types than the schema says.
        """
        picked = self.by_type[type_name(translation.model)]
        # A translation has one `read` for ever.
        reader = self.plans.later((self, translation.read), lambda: translation.reading(picked), fields=len(picked))
        if reader is None:
            values.deviate()
        return reader


def picks_of(executor: Executor[Any], plans: Plans, type: Any, details: FieldDetailsList) -> Picks | None:
    """What is picked at a place; None where more is asked for than values, or what only the stock executor can tell."""
    if not is_abstract_type(type):
        return None
    by_type = {}
    for possible in executor.schema.get_possible_types(type):
        fields, deferred, _ = executor.collect_subfields(possible, details)
        picked = dict(_picked(executor, possible, fields))
        if deferred or len(picked) < len(fields):
            return None
        by_type[possible.name] = picked
    return Picks(by_type, plans) if all(plans.has_room() for picked in by_type.values() for _ in picked) else None


def _picked(executor: Executor[Any], parent: GraphQLObjectType, fields: Mapping[str, FieldDetailsList]) -> Iterator[tuple[str, Picked]]:
    for name, details in fields.items():
        node = details[0].node
        field = executor.schema.get_field(parent, node.name.value)
        if node.name.value == "__typename":
            yield name, Picked(None)
        elif field is not None and (pick := _pick(field)) is not None:
            yield name, pick


def _pick(field: GraphQLField) -> Picked | None:
    definition = definition_of(field)
    picked = definition.metadata.get(PICKS) if definition is not None else None
    if not isinstance(picked, Picked) or picked.made is None:
        return picked if isinstance(picked, Picked) else None
    leaf: Any = get_named_type(field.type)
    return Picked(picked.name, _completed(picked.made, leaf.coerce_output_value))


def _completed(made: Callable[[Any], Any], coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    complete = values.leaf(coerce)

    def completed(value: Any) -> Any:
        found = made(value)
        return complete(found) if found is not None else None

    return completed
