"""Selections that show all there is: every field of every type that a place leads to."""

from collections.abc import Mapping

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from graphql.language import Lexer, Source, TokenKind

from gateway.config import LimitSettings
from tests.guard.arguments import Operation
from tests.support.printed_schema import PRINTED as SCHEMA

REQUIRED_ARGUMENTS: Mapping[str, str] = {
    "Connection.collection": '(key: "cards")',
    "Connection.dataSourceInstance": '(dataSource: {key: "jottings"})',
    "DataCollection.record": '(externalId: "1")',
    "DataCollection.match": '(by: {fields: {title: "card 1"}})',
    "DataSourceInstance.record": '(externalId: "1")',
    "DataSourceInstance.match": '(by: {fields: {title: "card 1"}})',
    "Record.reference": '(field: "personId")',
}
"""What fields below the roots are asked with, where they ask for anything."""
OTHER_MODELS = {each.name for each in SCHEMA.get_possible_types(SCHEMA.type_map["UnifiedRecord"])} - {"UnifiedTask"}
"""The types of the models that cards are not: a document that names them all is longer than one may be."""
HOPS = 3
"""How many elements one selection goes through at most: with three, everything is reached from everything that leads to it."""


MAXIMUM_TOKENS = LimitSettings().max_document_tokens


def widest(operation: Operation) -> str:
    """A document that asks an operation for all that one document can show of it."""
    kind = get_named_type(operation.field.type)
    documents = (operation.document(everything(kind, hops=hops)) for hops in range(HOPS, 0, -1))
    return next(document for document in documents if _tokens(document) <= MAXIMUM_TOKENS)


def everything(kind: GraphQLNamedType, *, hops: int = HOPS, is_part: bool = False) -> str:
    """A selection of every field of a type, and of what its fields lead to, up to that many elements deep; none for a leaf.

    A part is one of several selections for the types of an interface.
    """
    if is_leaf_type(kind):
        return ""
    if isinstance(kind, GraphQLInterfaceType):
        shown = [each for each in SCHEMA.get_possible_types(kind) if each.name not in OTHER_MODELS]
        parts = [f"... on {each.name} {everything(each, hops=hops, is_part=True)}" for each in shown]
        return "{ __typename " + " ".join(parts) + " }"
    assert isinstance(kind, GraphQLObjectType)
    is_page = kind.name.endswith(("Connection", "Edge")) and kind.name != "Connection"
    below = hops if is_page or kind.name == "PageInfo" else hops - 1
    # Aliased by type: the parts of an interface may give a name different types.
    named = [(f"{kind.name}_{name}: {name}" if is_part else name, name) for name in kind.fields if not (is_page and name == "edges")]
    fields = [_field(kind, name, shown_as=shown_as, hops=below) for shown_as, name in named]
    return "{ " + " ".join(filter(None, [*fields, "edges { cursor }" if "edges" in kind.fields else "__typename"])) + " }"


def _field(kind: GraphQLObjectType, name: str, *, shown_as: str, hops: int) -> str:
    field = kind.fields[name]
    inner = get_named_type(field.type)
    if not is_leaf_type(inner) and hops <= 0:
        return ""
    arguments = REQUIRED_ARGUMENTS[f"{kind.name}.{name}"] if any(map(is_required_argument, field.args.values())) else ""
    return f"{shown_as}{arguments} {everything(inner, hops=hops)}"


def _tokens(document: str) -> int:
    lexer = Lexer(Source(document))
    return sum(1 for _ in iter(lambda: lexer.advance().kind, TokenKind.EOF))
