"""The schema keeps the house's conventions, and is what the committed file says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from gateway import errors
from gateway.errors import GatewayError
from tests.support.printed_schema import PRINTED as SCHEMA
from tests.support.printed_schema import SDL

COMMITTED = Path(__file__).parents[2] / "schema.graphql"
OWN = {name: t for name, t in SCHEMA.type_map.items() if not is_introspection_type(t) and not is_specified_scalar_type(t)}
OBJECTS = {name: t for name, t in OWN.items() if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)}
INPUTS = {name: t for name, t in OWN.items() if isinstance(t, GraphQLInputObjectType)}
ENUMS = {name: t for name, t in OWN.items() if isinstance(t, GraphQLEnumType)}
PAGES = {name: t for name, t in OBJECTS.items() if name.endswith("Connection") and name != "Connection"}
MUTATIONS = SCHEMA.mutation_type.fields
VERBS = {
    "Create",
    "Update",
    "Upsert",
    "Delete",
    "Archive",
    "Restore",
    "Test",
    "Apply",
    "Setup",
    "Reset",
    "Native",
    "Subscribe",
    "Unsubscribe",
    "Sync",
    "Cancel",
    "Release",
}


def described() -> Iterator[tuple[str, str | None]]:
    for name, type_ in OWN.items():
        yield name, type_.description
        if isinstance(type_, GraphQLEnumType):
            yield from ((f"{name}.{value}", found.description) for value, found in type_.values.items())
        elif not isinstance(type_, GraphQLScalarType):
            yield from ((f"{name}.{field}", found.description) for field, found in type_.fields.items())
    for owner, type_ in OBJECTS.items():
        for name, field in type_.fields.items():
            yield from ((f"{owner}.{name}({argument})", found.description) for argument, found in field.args.items())


def fields() -> Iterator[tuple[str, GraphQLField]]:
    for owner, type_ in OBJECTS.items():
        yield from ((f"{owner}.{name}", field) for name, field in type_.fields.items())


def of_models() -> Iterator[str]:
    """The types of universal data models and of their parts: the catalog names their fields, not the house."""
    waiting = [type_.name for type_ in SCHEMA.get_implementations(SCHEMA.type_map["UnifiedRecord"]).objects]
    seen = {"Record"}
    while waiting:
        name = waiting.pop()
        if name in OBJECTS and name not in seen:
            seen.add(name)
            waiting += [get_named_type(field.type).name for field in OBJECTS[name].fields.values()]
            yield name


OF_MODELS = set(of_models())


def own_fields() -> Iterator[tuple[str, GraphQLField]]:
    """The fields that the house names."""
    return ((name, field) for name, field in fields() if name.partition(".")[0] not in OF_MODELS)


def test_the_committed_schema_is_the_printed_one():
    assert COMMITTED.read_text(encoding="utf-8") == SDL, "Print it again: gateway schema > schema.graphql"


def test_everything_is_described_in_whole_sentences():
    lacking = [name for name, text in described() if not text or (not text[0].isupper() and text[0] != "`") or not text.endswith(".")]

    assert lacking == []


def test_no_description_speaks_of_python():
    assert re.findall(r"`[a-z]+_[a-z_]+`|\bNone\b|\bTrue\b", SDL) == []


def test_no_optional_argument_prints_a_null():
    assert "= null" not in SDL


def test_lists_hold_no_nulls():
    open_lists = {name for name, field in fields() if re.search(r"\[[^]!]+\]", str(field.type))}
    open_inputs = {
        f"{owner}.{name}"
        for owner, type_ in INPUTS.items()
        for name, field in type_.fields.items()
        if re.search(r"\[[^]!]+\]", str(field.type))
    }

    assert open_lists == {"Query.nodes"}
    assert open_inputs == set()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_shaped_as_relay_says(name: str):
    node = name.removesuffix("Connection")
    shape = {field: str(found.type) for field, found in PAGES[name].fields.items()}
    count = {"totalCount": "Int!"} if "totalCount" in shape else {}

    assert shape == {"edges": f"[{node}Edge!]!", "nodes": f"[{node}!]!", "pageInfo": "PageInfo!", **count}
    assert {field: str(found.type) for field, found in OBJECTS[f"{node}Edge"].fields.items()} == {"cursor": "String!", "node": f"{node}!"}


def test_only_the_domains_connection_ends_in_connection_without_being_a_page():
    assert [name for name in OBJECTS if name.endswith("Connection") and "pageInfo" not in OBJECTS[name].fields] == ["Connection"]
    assert "page" in (OBJECTS["Connection"].description or "")


def test_what_an_app_keeps_is_never_counted():
    assert {name for name in PAGES if "totalCount" not in PAGES[name].fields} == {"LocationConnection", "RecordConnection"}


def test_every_page_is_read_forward_only_and_alike():
    for name, field in fields():
        if get_named_type(field.type).name in PAGES:
            arguments = {key: str(argument.type) for key, argument in field.args.items()}
            assert (arguments["first"], arguments["after"]) == ("Int!", "String"), name
            assert {"last", "before"} & set(arguments) == set(), name
            assert str(field.args["first"].ast_node.default_value.value) == "50", name


def test_every_mutation_takes_one_input_and_gives_one_payload_named_after_it():
    for name, field in MUTATIONS.items():
        title = name[0].upper() + name[1:]
        assert [f"{key}: {argument.type}" for key, argument in field.args.items()] == [f"input: {title}Input!"], name
        assert str(field.type) == f"{title}Payload"


def test_every_mutation_is_named_noun_first():
    assert {re.search(r"[A-Z][a-z]+$", name).group() for name in MUTATIONS} == VERBS


def test_every_payload_has_refusals_and_else_only_what_may_be_null():
    for name in MUTATIONS:
        payload = OBJECTS[f"{name[0].upper()}{name[1:]}Payload"]
        assert str(payload.fields["userErrors"].type) == "[UserError!]!"
        assert [key for key, field in payload.fields.items() if isinstance(field.type, GraphQLNonNull)] == ["userErrors"]


def test_inputs_and_payloads_are_never_shared():
    used = [get_named_type(argument.type).name for _, field in fields() for argument in field.args.values()]
    payloads = [get_named_type(field.type).name for _, field in fields()]

    # A part of inputs is no input of a mutation: fields stand in many places.
    assert [name for name in INPUTS if name.endswith("Input") and used.count(name) > 1] == ["FieldsInput"]
    assert [name for name in OBJECTS if name.endswith("Payload") and payloads.count(name) != 1] == []


def test_an_input_type_says_what_it_is_by_its_name():
    assert [name for name in INPUTS if not re.search(r"(Input|Selector|Filter|Key|KeyInIntegration|Order)$", name)] == []


def test_booleans_are_questions():
    plain = [
        f"{owner}.{name}"
        for owner, type_ in OBJECTS.items()
        for name, field in type_.fields.items()
        if owner not in OF_MODELS and get_named_type(field.type).name == "Boolean" and not re.match(r"(is|has|can|requires)[A-Z]", name)
    ]

    assert plain == []
    assert [
        name for name, field in fields() if get_named_type(field.type).name == "Boolean" and not field.description.startswith("Whether ")
    ] == []


def test_times_end_in_at_and_say_when():
    for name, field in own_fields():
        is_time = get_named_type(field.type).name == "DateTime"
        assert is_time == bool(re.search(r"[a-z]At$", name)), name
        assert not is_time or field.description.startswith("When "), name


def test_durations_carry_their_unit():
    everything = [*fields(), *((f"{owner}.{name}", f) for owner, type_ in INPUTS.items() for name, f in type_.fields.items())]

    assert [name for name, _ in everything if re.search(r"(interval|timeout)$", name, re.IGNORECASE)] == []


def test_what_asks_the_external_app_may_be_null():
    asking = [(name, field) for name, field in fields() if "Asks the external app" in (field.description or "")]

    # A location that was reached has a name: its path is what may be null.
    named = {"Location.name", "Directory.name", "DataCollection.name"}
    assert {name for name, field in asking if isinstance(field.type, GraphQLNonNull)} == named
    assert len([name for name, _ in asking if name.partition(".")[0] not in OF_MODELS]) == 19


def test_no_field_is_a_foreign_key():
    assert [name for name, _ in own_fields() if re.search(r"[a-z]Id$", name) and not re.search(r"xternalId$", name)] == []


def test_enums_have_singular_names_and_upper_case_values():
    assert [name for name in ENUMS if name.endswith("s") and not name.endswith("Status")] == []
    assert [value for type_ in ENUMS.values() for value in type_.values if not re.fullmatch(r"[A-Z][A-Z0-9_]*", value)] == []


def test_every_code_is_an_error_class_and_back():
    classes = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, GatewayError)]

    assert sorted(ENUMS["ErrorCode"].values) == sorted({error.code for error in classes if hasattr(error, "code")})


def test_whatever_has_an_identity_is_a_node():
    assert {name for name, type_ in OBJECTS.items() if "id" in type_.fields} - {"Node"} - OF_MODELS == {
        type_.name for type_ in SCHEMA.get_implementations(SCHEMA.type_map["Node"]).objects
    }


def test_root_fields_by_key_or_id_may_be_null():
    for name, field in SCHEMA.query_type.fields.items():
        is_look_up = not isinstance(field.type, GraphQLNonNull) or isinstance(field.type.of_type, GraphQLList)
        assert is_look_up or name == "viewer" or get_named_type(field.type).name in PAGES, name
