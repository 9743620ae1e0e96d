"""Every argument of the schema, and values for each: what is new in the schema and has no row here fails the tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from tests.guard.world import Names, World
from tests.support.notes_connector import GOOD_TOKEN, parameters
from tests.support.printed_schema import PRINTED as SCHEMA

Value = Any
Values = Callable[[World, Names], Sequence[Value]]


def _always(*values: Value) -> Values:
    return lambda world, names: values


def _of(*attributes: str) -> Values:
    return lambda world, names: [getattr(names, attribute) for attribute in attributes]


NODES = (
    *("customer", "connection", "archived_connection", "instance", "keyed_instance", "archived_instance", "record"),
    *("subscription", "run"),
)
"""Of a customer's names, those that are ids of nodes."""
VALUES: Mapping[str, Values] = {
    # What names a customer's rows.
    "ConnectionSelector.id": _of("connection", "archived_connection"),
    "ConnectionSelector.integrationKey": _of("integration"),
    "CustomerIntegrationKey.customerExternalId": _of("external_id"),
    "CustomerIntegrationKey.integrationKey": lambda world, names: [names.integration, world.shared],
    "DataSourceInstanceSelector.id": _of("instance", "keyed_instance", "archived_instance"),
    "DataSourceInstanceKey.instanceKey": lambda world, names: [None, names.instance_key],
    "DataSourceInstanceCreateInput.instanceKey": lambda world, names: [None, names.instance_key],
    "ConnectionRestoreInput.id": _of("connection", "archived_connection"),
    "DataSourceInstanceRestoreInput.id": _of("instance", "archived_instance"),
    "ConnectionFilter.customerExternalId": _of("external_id"),
    "ConnectionCreateInput.customerExternalId": _of("external_id"),
    "CustomerUpsertInput.externalId": _of("external_id"),
    "CustomerDeleteInput.externalId": _of("external_id"),
    "Query.customer.externalId": _of("external_id"),
    "SyncRunCancelInput.id": _of("run"),
    "SyncRunReleaseInput.id": _of("run"),
    "Subscription.syncRunProgressed.id": _of("run"),
    "Query.node.id": _of(*NODES),
    "Query.nodes.ids": _of(*NODES),
    # What everybody sees.
    "ConnectionFilter.integrationKey": _of("integration"),
    "DataSourceInstanceFilter.integrationKey": _of("integration"),
    "ConnectionCreateInput.integrationKey": _of("integration"),
    "DataSourceSelector.id": lambda world, names: [world.definition, world.customization],
    "DataSourceSelector.key": lambda world, names: [world.key],
    "KeyInIntegration.key": lambda world, names: [world.key],
    "KeyInIntegration.integrationKey": lambda world, names: [world.shared],
    "DataSourceFilter.integrationKey": lambda world, names: [world.shared],
    "DataSourceApplyInput.key": lambda world, names: [world.key],
    "DataSourceApplyInput.integrationKeys": _of("integration"),
    "DataSourceCreateInput.key": lambda world, names: [f"another{world.suffix}"],
    "DataSourceCreateInput.integrationKey": _of("integration"),
    "DataSourceCreateInput.universalKey": _always(None),
    "DataSourceRestoreInput.id": lambda world, names: [world.definition],
    "IntegrationCreateInput.key": lambda world, names: [f"fresh{world.suffix}"],
    "IntegrationCreateInput.connectorKey": _always("notes"),
    "IntegrationUpdateInput.key": _of("integration"),
    "IntegrationArchiveInput.key": _of("integration"),
    "IntegrationRestoreInput.id": lambda world, names: [world.integration],
    "Query.connector.key": _always("notes"),
    "Query.integration.key": _of("integration"),
    "Query.universalDataModel.key": _always("notes"),
    # What an app holds: reached only through a connection.
    "ConnectionCollectionKey.key": _always("cards"),
    "RecordUpdateInput.externalId": _always("1"),
    "RecordDeleteInput.externalId": _always("2"),
    "FieldsInput.fields": _always({"title": "Hello"}),
    "FieldsInput.unifiedFields": _always({"subject": "Hello"}),
    "UnifiedFieldsToNativeInput.unifiedFields": _always({"subject": "Hello"}),
    "DataSourceInstanceSyncInput.kind": _always("FULL_SYNC"),
}
"""By argument and by input field; those that no row names take the value of their name below, or null."""
VALUES_BY_NAME: Mapping[str, Values] = {
    "first": _always(50),
    "after": _always(None),
    "search": _always(None),
    "includeArchived": _always(True),
    "ifRevision": _always(None),
    "dryRun": _always(False),
    "states": _always(None),
    "isUniversal": _always(None),
    "udm": _always(None),
    "name": _always("Renamed"),
    "pullUpdatesIntervalSeconds": _always(600),
    "fullSyncIntervalSeconds": _always(7200),
    "eventBodies": _always(True),
    "fields": _always({"plan": "free"}),
    "authMethod": _always("token"),
    "credentials": _always({"token": GOOD_TOKEN}),
    "externalId": _always("1"),
    "filter": _always(None),
    "unifiedFilter": _always(None),
    "direction": _always("DESC"),
    "ifVersion": _always(None),
    "idempotencyKey": _always(None),
    "types": _always(None),
    "emitInitial": _always(False),
}
"""What means the same wherever it stands, and names no row."""
PARAMETERS: Mapping[str, Values] = {
    "ConnectionCreateInput.parameters": _always(parameters()),
    "ConnectionUpdateInput.parameters": _always(parameters()),
    "IntegrationCreateInput.parameters": _always({"region": "eu"}),
    "IntegrationUpdateInput.parameters": _always({"region": "eu"}),
    "CollectionPointerInput.key": _always("notes"),
    "CollectionPointerInput.parameters": _always({"notebookId": 7}),
    "PointerInput.path": _always("/data/notes?notebookId=7"),
    "Connection.location.path": _always("/"),
    "Connection.collection.key": _always("cards"),
    "Connection.collection.parameters": _always({"box": 7}),
    "Connection.dataSourceInstance.instanceKey": lambda world, names: [names.instance_key],
    "DataSourceInstance.locations.path": _always("/"),
    "Integration.dataCollections.path": _always("/data/archive"),
    "ConnectionCollectionKey.parameters": _always({"box": 7}),
    "RecordOrder.field": _always("title"),
    "Record.reference.field": _always("personId"),
}


@dataclass(frozen=True)
class Operation:
    """A query, mutation or subscription of the schema."""

    name: str
    """Such as `Query.node`."""
    field: GraphQLField

    @property
    def root(self) -> str:
        """`Query`, `Mutation` or `Subscription`."""
        return self.name.partition(".")[0]

    @property
    def field_name(self) -> str:
        """The name of its field."""
        return self.name.partition(".")[2]

    def document(self, selection: str) -> str:
        """A document that asks it, with all its arguments as variables."""
        variables = ", ".join(f"${name}: {argument.type}" for name, argument in self.field.args.items())
        arguments = ", ".join(f"{name}: ${name}" for name in self.field.args)
        head = f"{self.root.lower()}({variables})" if variables else self.root.lower()
        return f"{head} {{ {self.field_name}{f'({arguments})' if arguments else ''} {selection} }}"

    def spellings(self, world: World, names: Names) -> list[dict[str, Value]]:
        """Variables for the document, in every spelling that the schema has for these names."""
        choices = {name: list(_values(f"{self.name}.{name}", argument, world, names)) for name, argument in self.field.args.items()}
        return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def operations() -> dict[str, Operation]:
    """All queries, mutations and subscriptions of the printed schema, by name."""
    roots = [root for root in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type) if root is not None]
    return {f"{root.name}.{name}": Operation(f"{root.name}.{name}", field) for root in roots for name, field in root.fields.items()}


def object_types() -> Iterator[GraphQLObjectType]:
    """The types of the schema that have fields."""
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            yield kind


def is_required(place: GraphQLArgument | GraphQLInputField) -> bool:
    """Whether a value must be given."""
    return is_required_argument(place) if isinstance(place, GraphQLArgument) else is_required_input_field(place)


def good_values(path: str, world: World, names: Names) -> Sequence[Value]:
    """Values for an argument or an input field of a scalar type, such as `PointerInput.path`."""
    values = VALUES.get(path) or PARAMETERS.get(path) or VALUES_BY_NAME.get(path.rpartition(".")[2])
    assert values is not None, f"{path} is new: say in tests/guard/arguments.py which values it takes."
    return values(world, names)


def _values(path: str, place: GraphQLArgument | GraphQLInputField, world: World, names: Names) -> Iterator[Value]:
    kind: GraphQLInputType = place.type
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        yield from _objects(named, world, names)
        return
    found = good_values(path, world, names)
    inner = kind.of_type if is_non_null_type(kind) else kind
    yield from [list(found)] if is_list_type(inner) and found != (None,) else found


def _objects(kind: GraphQLInputObjectType, world: World, names: Names) -> Iterator[dict[str, Value]]:
    choices = {name: list(_values(f"{kind.name}.{name}", place, world, names)) for name, place in kind.fields.items()}
    if kind.is_one_of:
        for name, values in choices.items():
            yield from ({name: value} for value in values)
        return
    for values in product(*choices.values()):
        yield {name: value for name, value in zip(choices, values, strict=True) if value is not None or is_required(kind.fields[name])}
