"""An operator's files of models: what they add, and how every mistake in them is told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import MAX_BYTES
from gateway.errors import ConfigurationError
from gateway.udm import MODELS, UnifiedMapping, load_models
from gateway.udm.shapes import shapes
from tests.udm.mappings import record, rule

RIGHT = """\
format: models/v1
models:
  tickets:
    name: Support ticket
    plural_name: Support tickets
    description: Something a customer asks for.
    categories: [Ticketing]
    fallbacks: {tasks: {question: subject}}
    fields:
      question: string
      severity: low | high
      reporter: -> contacts as reporterContact
      sprintId: -> sprints
      steps:
        - text: string
          done: boolean
    gaps:
      severity: "question && 'low'"
  sprints:
    name: Sprint
    plural_name: Sprints
    description: Two weeks of work.
    audited: false
    fields: {name: string}
extensions:
  tasks:
    fields:
      sprintId: -> sprints
      storyPoints: number
    substitutes:
      storyPoints: priority && `1`
"""


@pytest.fixture
def load(tmp_path):
    def load(*texts):
        paths = [tmp_path / f"{number}.yaml" for number in range(1, len(texts) + 1)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        return load_models(paths)

    return load


def test_without_files_the_models_are_those_of_the_gateway():
    assert load_models() is MODELS
    assert load_models([]) is MODELS


def test_a_file_adds_models_and_fields(load):
    models = load(RIGHT)

    assert sorted(set(models) - set(MODELS)) == ["sprints", "tickets"]
    assert list(models["tasks"].properties)[-5:] == ["storyPoints", "createdTime", "createdBy", "updatedTime", "updatedBy"]
    assert set(models["tasks"].properties) - set(MODELS["tasks"].properties) == {"sprintId", "storyPoints"}
    assert "createdTime" not in models["sprints"].properties
    assert models["users"].fields_schema == MODELS["users"].fields_schema
    assert "storyPoints" not in MODELS["tasks"].properties
    assert [shapes(models)[key].name for key in ("tickets", "sprints")] == ["UnifiedSupportTicket", "UnifiedSprint"]


def test_what_a_file_adds_is_read_like_everything_else(load):
    models = load(RIGHT)
    ticket = UnifiedMapping(models["tickets"], {"question": rule("q"), "steps": rule("s", each={"done": rule("d")})})

    assert ticket.read(record(q="Why?", s=[{"d": 1}])) == {"id": "7", "question": "Why?", "steps": [{"done": True}], "severity": "low"}
    assert UnifiedMapping(models["tasks"], {"priority": rule("p")}).read(record(p=3))["storyPoints"] == 1


def test_files_may_build_on_each_other_in_any_order(load):
    first = "format: models/v1\nextensions:\n  tickets:\n    fields: {mood: string}\n"

    assert "mood" in load(first, RIGHT)["tickets"].properties


def wrong(old: str, new: str) -> str:
    assert RIGHT.count(old) == 1
    return RIGHT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (wrong("format: models/v1", "format: models/v2"), "1: format: input should be 'models/v1'"),
        (
            wrong("      question: string", "      question: strnig"),
            "10: models.tickets.fields.question: 'strnig' is no kind of field; there are ",
        ),
        (wrong("low | high", "low | LOW"), "11: models.tickets.fields.severity: a choice is of different texts with ` | ` between them"),
        (wrong("low | high", "low |  high"), "11: models.tickets.fields.severity: a choice is of different texts"),
        (wrong("-> contacts as", "-> contcats as"), "12: models.tickets.fields.reporter: 'reporter' refers to 'contcats', which is no "),
        (wrong(" as reporterContact", ""), "12: models.tickets.fields.reporter: 'reporter' does not say how the record itself is called"),
        (
            wrong(" as reporterContact", " as question"),
            "12: models.tickets.fields.reporter: the record of 'reporter' would be called 'question'",
        ),
        (
            wrong(" as reporterContact", " as record"),
            "12: models.tickets.fields.reporter: the record of 'reporter' would be called 'record'",
        ),
        (wrong(" as reporterContact", " as the reporter"), "12: models.tickets.fields.reporter: 'the reporter' is no name of a field"),
        (
            wrong("      question: string", "      externalId: string"),
            "10: models.tickets.fields.externalId: every model has 'externalId' already",
        ),
        (
            wrong("      question: string", "      __typename: string"),
            "10: models.tickets.fields.__typename: '__typename' is no name of a field",
        ),
        (wrong("      question: string", "      tïtle: string"), "10: models.tickets.fields.tïtle: 'tïtle' is no name of a field"),
        (
            wrong("      question: string", "      question: [string, number]"),
            "10: models.tickets.fields.question: a list is written with the one",
        ),
        (
            wrong("      question: string", "      question: [[string]]"),
            "10: models.tickets.fields.question: a list is written with the one",
        ),
        (wrong("      question: string", "      question: {}"), "10: models.tickets.fields.question: a field is one of string, number, "),
        (wrong("      question: string", "      question: 5"), "10: models.tickets.fields.question: a field is one of string, number, "),
        (
            wrong("      question: string", "      question: {a: {b: {c: {d: {e: string}}}}}"),
            "10: models.tickets.fields.question.a.b.c.d: objects nest at most 5 levels",
        ),
        (wrong("{question: subject}", "{questoin: subject}"), "8: models.tickets.fallbacks.tasks.questoin: the model has no such field"),
        (wrong("{question: subject}", "{question: title}"), "8: models.tickets.fallbacks.tasks.question: 'tasks' has no field 'title'"),
        (
            wrong("{question: subject}", "{question: type, severity: type}"),
            "8: models.tickets.fallbacks.tasks: two fields are the same one there",
        ),
        (
            wrong("{tasks: {", "{taks: {"),
            "8: models.tickets.fallbacks.taks: 'taks' is no other universal data model; did you mean 'tasks'?",
        ),
        (
            wrong('      severity: "question', '      sverity: "question'),
            "18: models.tickets.gaps.sverity: the model has no field 'sverity'",
        ),
        (
            wrong("question && 'low'", "questoin && 'low'"),
            "18: models.tickets.gaps.severity: the expression reads 'questoin', which the model does",
        ),
        (wrong("question && 'low'", "question &&"), "18: models.tickets.gaps.severity: 'question &&' is not JMESPath: it ends too early"),
        (wrong("    name: Sprint", "    name: sprint"), "20: models.sprints.name: string should match pattern"),
        (
            wrong("    name: Sprint", "    name: Task"),
            "20: models.sprints.name: the type UnifiedTask stands for something else in model 'tasks'",
        ),
        (
            wrong("    name: Sprint", "    name: Record"),
            "20: models.sprints.name: the type UnifiedRecord stands for something else in the schema",
        ),
        (
            wrong("    name: Sprint", "    name: Address"),
            "20: models.sprints.name: the type UnifiedAddress stands for something else in model",
        ),
        (wrong("    name: Sprint", "    nmae: Sprint"), "20: models.sprints.nmae: unknown key; see docs/universal-data-models.md"),
        (wrong("    description: Two weeks of work.\n", ""), "19: models.sprints: the key `description` is missing"),
        (wrong("  sprints:\n", "  Sprints:\n"), "19: models.Sprints: string should match pattern"),
        (wrong("    audited: false", "    audited: sometimes"), "23: models.sprints.audited: input should be True, False or 'times'"),
        (
            wrong("  tasks:\n", "  taks:\n"),
            "26: extensions.taks: there is no universal data model 'taks' to add fields to; there are activities, bills",
        ),
        (
            wrong("storyPoints: number", "subject: string"),
            "29: extensions.tasks.fields.subject: the model has a field 'subject' already (in the gateway's work.yaml)",
        ),
        (
            wrong("storyPoints: number", "createdBy: string"),
            "29: extensions.tasks.fields.createdBy: the model has a field 'createdBy' already; give",
        ),
        (
            wrong("storyPoints: priority &&", "ownerId: priority &&"),
            "31: extensions.tasks.substitutes.ownerId: the model says already what",
        ),
        (
            wrong("storyPoints: priority &&", "pionts: priority &&"),
            "31: extensions.tasks.substitutes.pionts: the model has no field 'pionts'",
        ),
        (
            wrong("  tickets:", "  tasks:"),
            "3: models.tasks: the gateway's work.yaml has a model 'tasks' already; give this one another key, or add fields to that one",
        ),
        (
            wrong("{tasks: {question: subject}}", "{tickets: {}}"),
            "8: models.tickets.fallbacks.tickets: 'tickets' is no other universal data",
        ),
        (wrong("    name: Sprint", "    name: " + "S" * 61), "20: models.sprints.name: string should have at most 60 characters"),
        (wrong("Two weeks of work.", "''"), "22: models.sprints.description: string should have at least 1 character"),
        (
            "format: models/v1\nextensions: {tasks: {fields: {" + ", ".join(f"a{n}: string" for n in range(301)) + "}}}",
            "2: extensions.tasks.fields: dictionary should have at most 300 items",
        ),
        ("format: models/v1\nmodels: !secret {a: b}", "2: models: the tag !secret means nothing here"),
        ("format: models/v1\nmodels: {a: !secret [b]}", "2: models.a: the tag !secret means nothing here"),
        ("[]", "1: a file of models is a mapping that starts with `format: models/v1`"),
        ("", ": the file is empty."),
        ("a: [", "1: not YAML"),
        ("format: models/v1\nmodels: {a: !secret b}", "2: models.a: the tag !secret means nothing here"),
        ("format: models/v1\nmodels: 5", "2: models: input should be a valid dictionary"),
        ("format: models/v1\nextensions: {tasks: {fields: {}}}", "2: extensions.tasks.fields: dictionary should have at least 1 item"),
        ("x" * (MAX_BYTES + 1), ": the file is larger than"),
    ],
    ids=range(51),
)
def test_a_mistake_is_told_with_its_file_and_line(load, tmp_path, text, message):
    with pytest.raises(ConfigurationError) as refused:
        load(text)

    expected = f"{tmp_path}/1.yaml:{message.removeprefix(':')}"
    assert [line[: len(expected)] for line in refused.value.message.splitlines()].count(expected) == 1


def test_all_mistakes_of_all_files_are_told_at_once(load, tmp_path):
    first = wrong("      question: string", "      question: strnig")
    with pytest.raises(ConfigurationError) as refused:
        load(first, "format: models/v1\nextensions: {nonsense: {fields: {a: string}}}", "models: {}", "{")

    lines = refused.value.message.splitlines()
    assert [line.split(":")[0].removeprefix(f"{tmp_path}/") for line in lines] == ["4.yaml", "1.yaml", "2.yaml", "3.yaml"]


def test_two_files_cannot_add_the_same_thing(load):
    again = "format: models/v1\nextensions:\n  tasks:\n    fields: {storyPoints: string}\n"

    with pytest.raises(
        ConfigurationError, match=r"2\.yaml:4: extensions\.tasks\.fields\.storyPoints: the model has a field .* \(in .*1\.yaml\)"
    ):
        load(RIGHT, again)
    with pytest.raises(ConfigurationError, match=r"2\.yaml:3: models\.tickets: .*1\.yaml has a model 'tickets' already"):
        load(RIGHT, RIGHT)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("assignee: string", "assignee: the record of 'assigneeId' is called 'assignee'; give this field another name"),
        ("createdByUser: string", "createdByUser: the record of 'createdBy' is called 'createdByUser'; give this field another name"),
        (
            "assignId: -> users as assignee",
            "assignId: the record of 'assignId' would be called 'assignee', as another field is; write `as`",
        ),
        ("subjectId: -> notes", "subjectId: the record of 'subjectId' would be called 'subject', as another field is; write `as` and"),
        ("self: -> users as self", "self: the record of 'self' would be called 'self', as another field is; write `as` and another name"),
        ("a: {bId: -> users, b: string}", "a: the record of 'bId' is called 'b'; give this field another name"),
    ],
)
def test_a_name_that_a_model_has_already_is_told_where_it_was_added(load, tmp_path, fields, message):
    with pytest.raises(ConfigurationError) as refused:
        load(f"format: models/v1\nextensions:\n  tasks:\n    fields: {{{fields}}}\n")

    (line,) = refused.value.message.splitlines()
    assert line.startswith(f"{tmp_path}/1.yaml:4: extensions.tasks.fields.{message}")


def test_a_type_that_another_model_has_already_is_told_where_it_was_added(load, tmp_path):
    with pytest.raises(ConfigurationError) as refused:
        load("format: models/v1\nextensions:\n  deals:\n    fields: {product: {name: string}}\n")

    (line,) = refused.value.message.splitlines()
    assert line == (
        f"{tmp_path}/1.yaml:4: extensions.deals.fields.product: "
        "the type UnifiedDealProduct stands for something else in model 'deal-products' already; use another name"
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.yaml: the file cannot be read \(No such file or directory\)"):
        load_models([tmp_path / "missing.yaml"])
    with pytest.raises(ConfigurationError, match="the file cannot be read"):
        load_models([tmp_path])


WORDS = st.sampled_from(
    ["string", "time", "address", "-> users", "-> sprints as sprint", "a | b", "[]", "id", "name", "fields", "tasks", "Éa", ""]
)
PIECES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
ENTRIES = st.fixed_dictionaries(
    {"name": st.sampled_from(["Task", "Sprint", "Big sprint"]), "plural_name": st.just("Sprints"), "description": st.just("Two weeks.")},
    optional={
        "fields": st.dictionaries(st.sampled_from(["a", "sprintId", "userIds"]), PIECES | WORDS, min_size=1),
        "gaps": st.dictionaries(st.sampled_from(["a", "a.b", "sprintId"]), st.sampled_from(["userIds", "a.b", "nonsense", "("])),
        "fallbacks": st.dictionaries(st.sampled_from(["tasks", "sprints", "?"]), st.dictionaries(WORDS, WORDS, max_size=2), max_size=2),
    },
)


@given(
    st.fixed_dictionaries(
        {"format": st.just("models/v1")},
        optional={
            "models": st.dictionaries(st.sampled_from(["sprints", "tasks", "s-s"]), ENTRIES) | PIECES,
            "extensions": st.dictionaries(st.sampled_from(["sprints", "tasks"]), ENTRIES | st.fixed_dictionaries({"fields": PIECES}))
            | PIECES,
        },
    )
    | PIECES
)
def test_any_file_at_all_is_right_or_refused(load, content):
    try:
        models = load(json.dumps(content))
    except ConfigurationError:
        return
    assert set(shapes(models)) >= set(MODELS)
