"""Documents are read and checked once for all who send them, and kept within bounds."""

import gc
import tracemalloc

import pytest
from graphql import OperationType

from gateway.errors import InvalidError
from gateway.graphql import make_context
from gateway.graphql.documents import Documents
from gateway.graphql.operations import Operations
from tests.graphql.world import SCHEMA, World
from tests.support.documents import documents_of

SEVERAL = "query A { viewer { isAdmin } } mutation B { __typename } subscription { __typename } "


def test_a_document_is_read_once_for_all_who_send_it():
    documents = documents_of(SCHEMA)
    valid, invalid, odd = "{ viewer { isAdmin } }", "{ nothing }", "{"

    assert documents.get(valid) is documents.get("{ viewer " + "{ isAdmin } }")
    assert documents.get(invalid) is documents.get(invalid)
    assert documents.get(odd) is documents.get(odd)
    assert documents.get(valid) is not documents.get(valid + " ")


def test_what_others_work_out_of_a_document_stays_with_it():
    documents = documents_of(SCHEMA)

    documents.get("{ viewer { isAdmin } }").operation(None).notes["cost"] = 1

    assert documents.get("{ viewer { isAdmin } }").operation(None).notes == {"cost": 1}
    assert documents.get("{ viewer { isAdmin } } ").operation(None).notes == {}


def test_of_a_document_that_is_refused_only_the_errors_are_kept():
    document = documents_of(SCHEMA).get("{ viewer { isAdmin nothing } }")

    assert document.node.definitions == ()
    assert [(error.nodes, error.source, error.original_error, error.__traceback__) for error in document.errors] == [(None,) * 4]


def test_documents_are_kept_within_bounds_and_those_that_are_refused_push_out_no_others():
    documents = Documents(SCHEMA, limits=documents_of(SCHEMA).limits, kept_bytes=1024 * 1024)
    used = documents.get("{ viewer { isAdmin } }")
    for number in range(100):
        documents.get(f"{{ a{number} }}")

    assert documents.get("{ viewer { isAdmin } }") is used
    assert (len(documents._kept), len(documents._refused)) == (1, 32)

    for number in range(100):
        documents.get(f"{{ viewer {{ a{number}: isAdmin }} }}")

    assert documents.get("{ viewer { isAdmin } }") is not used
    assert (len(documents._kept), len(documents._refused)) == (64, 32)


@pytest.mark.parametrize("name", ["A", "B"])
def test_an_operation_is_found_by_its_name(name: str):
    document = documents_of(SCHEMA).get(SEVERAL.replace("subscription", "query C"))

    operation = document.operation(name)

    assert (operation.name, operation.kind) == (name, {"A": OperationType.QUERY, "B": OperationType.MUTATION}[name])
    assert operation is document.operation(name)
    assert operation.document is document


def test_the_only_operation_needs_no_name():
    documents = documents_of(SCHEMA)

    assert documents.get("{ __typename }").operation(None).name is None
    assert documents.get("query A { ...F } fragment F on Query { __typename }").operation(None).name == "A"


def test_of_several_operations_one_must_be_named():
    document = documents_of(SCHEMA).get("query A { __typename } query B { __typename }")

    with pytest.raises(InvalidError) as refusal:
        document.operation(None)

    assert refusal.value.message == "The document has 2 operations. Say in `operationName` which one to execute."


@pytest.mark.parametrize(("name", "told"), [("b", "'b'"), ("", "''"), ("x" * 10_000, f"'{'x' * 100}'"), ("\x1b[2J\n", r"'\x1b[2J\n'")])
def test_a_name_that_no_operation_has_is_refused(name: str, told: str):
    with pytest.raises(InvalidError) as refusal:
        documents_of(SCHEMA).get("query B { __typename }").operation(name)

    assert refusal.value.message == f"The document has no operation named {told}."


@pytest.mark.parametrize(
    "query", ["", " \n", "#", "\ufeff", "\x00", '{ a(b: "\\ud800") }', "{" * 300, "type A { b: Int }", "{ a }" + "[" * 300]
)
def test_what_is_no_document_is_told_so(query: str):
    assert {error.extensions["code"] for error in documents_of(SCHEMA).get(query).errors} == {"INVALID"}


def test_a_document_shows_nothing_of_itself_where_it_is_logged():
    document = documents_of(SCHEMA).get('{ node(id: "a-secret") { id } }')

    assert "a-secret" not in repr(document) + repr(document.operation(None)) + repr(document.node.loc.source.body)


def test_a_kept_document_takes_no_more_memory_than_it_counts_for():
    documents = documents_of(SCHEMA)
    queries = [f"{{ viewer {{ {'isAdmin ' * 100} a{number}: isAdmin }} }}" for number in range(20)]
    documents.get("{ __typename }")
    gc.collect()
    tracemalloc.start()
    try:
        for query in queries:
            documents.get(query)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < documents._kept.weight


@pytest.mark.parametrize("fragments", [0, 60])
async def test_many_operations_of_one_document_take_no_more_memory_than_it_counts_for(world: World, fragments: int):
    documents = documents_of(SCHEMA)
    spread = " ".join(f"...F{number}" for number in range(fragments))
    texts = [f"query Q{number} {{ viewer {{ isAdmin }} }}" for number in range(150)]
    texts += [f"fragment F{number} on Viewer {{ isAdmin }}" for number in range(fragments)]
    document = documents.get(" ".join([f"query All {{ viewer {{ isAdmin {spread} }} }}", *texts]))
    assert document.errors == ()
    context = make_context(world.runtime, world.acme)
    operations = Operations(SCHEMA)
    await operations.execute(document.operation("All"), variables={}, context=context)
    before = documents._kept.weight
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(150):
            await operations.execute(document.operation(f"Q{number}"), variables={}, context=context)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < documents._kept.weight - before


async def test_what_is_compiled_for_a_document_counts_too_and_may_push_it_out(world: World):
    documents = documents_of(SCHEMA)
    document = documents.get("{ viewer { " + " ".join(f"a{number}: isAdmin" for number in range(25)) + " } }")
    before = documents._kept.weight
    context = make_context(world.runtime, world.acme)
    await Operations(SCHEMA).execute(document.operation(None), variables={}, context=context)

    # The operation, and one field of the root with those of the viewer.
    assert documents._kept.weight - before == 8_000 + (1 + 25) * 2_000

    document.grown(64 * 1024 * 1024)

    assert documents._kept.weight == 0
    assert documents.get(document.query) is not document

    document.grown(1_000)

    assert documents._kept.weight == before
