"""A collection without a mapping of its own for a model is read through that of a model like it, one level deep."""

import pytest

from gateway.errors import InvalidError, UnsupportedError
from gateway.models import Condition, FilterOperator
from gateway.udm import MODELS, Native, load_models, translation
from tests.udm.mappings import mapping, record, rule

TASKS = mapping("tasks", subject="title", content="notes", status=rule("state", values={"o": "open"}), ownerId="owner", priority="p")


def through(udm, *mappings):
    by_key = {each.model.key: each for each in mappings}
    return translation(MODELS, udm, by_key.get)


def test_a_collections_own_mapping_comes_first():
    activities = mapping("activities", title="title")

    assert through("activities", TASKS, activities) is activities


def test_fallbacks_are_tried_in_their_order_and_never_further_than_one_level():
    emails, notes = mapping("emails", subject="s"), mapping("notes", title="t")

    assert through("activities", emails, notes).mapping is notes
    assert through("tasks", emails) is None
    assert through("nonsense", TASKS) is None
    assert through("users") is None


def test_a_task_is_an_activity_under_the_names_of_activities():
    activity = through("activities", TASKS)

    assert activity.model is MODELS["activities"]
    assert activity.read(record(title="A", notes="B", state="o", owner=3, p="high")) == {
        "id": "7",
        "title": "A",
        "description": "B",
        "status": "open",
        "ownerId": "3",
    }
    assert activity.comparable_fields == ("title", "description", "status", "ownerId")
    assert activity.condition(Condition(field="title", operator=FilterOperator.EQ, value="A")).field == "title"


def test_a_write_says_what_the_other_model_has_no_place_for():
    written = through("activities", TASKS).write(
        {"title": "A", "location": "Bern", "subject": "?", "a.b": 1, "createdTime": "x", "dueTime": None, "description": "B"},
        fields_schema=None,
    )

    assert written == Native(fields={"title": "A", "notes": "B"}, unmapped=("location", "subject", "a.b", "createdTime", "dueTime"))


def test_refusals_use_the_names_of_the_model_that_was_asked_for():
    renamed = mapping("tasks", subject=rule("title", values={"x": "y"}), content=rule("c", values={"1": "a", "2": "a"}))
    activity = through("activities", renamed)

    with pytest.raises(InvalidError) as refused:
        activity.write({"title": "x"}, fields_schema=None)
    assert (refused.value.message, refused.value.field) == ("title cannot be 'x' in this app. It can be 'y'.", ["title"])
    with pytest.raises(UnsupportedError) as refused:
        activity.condition(Condition(field="title", operator=FilterOperator.GT, value="x"))
    assert refused.value.field == ["title"]
    assert refused.value.message.startswith("title can be compared by EQ, NE and IN only")
    with pytest.raises(UnsupportedError, match=r"^subject cannot be filtered through the model here"):
        activity.condition(Condition(field="subject", operator=FilterOperator.EQ, value="x"))


@pytest.mark.parametrize(
    ("udm", "other", "field", "there"),
    [
        ("tasks", "activities", "subject", "title"),
        ("tasks", "activities", "content", "description"),
        ("activities", "tasks", "title", "subject"),
        ("activities", "emails", "description", "body"),
        ("notes", "activities", "content", "description"),
        ("emails", "activities", "subject", "title"),
        ("employees", "users", "workEmail", "primaryEmail"),
        ("employees", "users", "mobileNumber", "primaryPhone"),
        ("employees", "users", "workAddress", "primaryAddress"),
        ("leads", "contacts", "jobTitle", "jobTitle"),
        ("customers", "companies", "name", "name"),
        ("suppliers", "companies", "websiteUrl", "websiteUrl"),
        ("contact-lists", "campaigns", "name", "name"),
        ("meetings", "activities", "location", "location"),
    ],
)
def test_fields_of_fallbacks_are_translated_as_documented(udm, other, field, there):
    found = through(udm, mapping(other, **{there: "native"}))

    assert found.write({field: "A"}, fields_schema=None) == Native(fields={"native": "A"}, unmapped=())


def test_a_fallback_is_the_same_one_each_time():
    assert through("activities", TASKS) is through("activities", TASKS)
    assert through("activities", TASKS) is not through("activities", mapping("tasks", subject="title"))


def test_the_id_of_a_model_is_the_records_through_a_fallback_too():
    keyed = through("activities", mapping("tasks", id="key", subject="title"))

    assert keyed.read(record(key="8", title="A")) == {"id": "7", "title": "A"}
    assert keyed.comparable_fields == ("title",)
    assert keyed.write({"id": "8"}, fields_schema=None) == Native(fields={}, unmapped=("id",))


def test_a_field_stands_for_one_of_the_other_model_that_no_field_is_renamed_to():
    """The `title` of a user is one of his own, as the `title` of an employee; the `primaryEmail` is the employee's `workEmail`."""
    employee = through("employees", mapping("users", primaryEmail="mail", title="job"))

    assert employee.read(record(mail="a@b", job="Boss")) == {"id": "7", "workEmail": "a@b", "title": "Boss"}


def test_a_substitute_stands_in_through_a_fallback_only_where_the_app_has_no_place():
    dated, timed = (mapping("tasks", dueTime="due", **more) for more in ({}, {"startTime": "start", "endTime": "end"}))
    due = "2026-01-05T00:00:00Z"

    assert through("activities", dated).read(record(due=due)) == {"id": "7", "dueTime": due, "startTime": due, "endTime": due}
    assert through("activities", timed).read(record(due=due)) == {"id": "7", "dueTime": due}


def test_an_operators_fallback_may_rename_to_a_field_that_it_has_by_that_name_too(tmp_path):
    (tmp_path / "m.yaml").write_text(
        """format: models/v1
models:
  tickets:
    name: Ticket
    plural_name: Tickets
    description: Something asked for.
    fallbacks: {tasks: {question: subject, origin: type}}
    fields: {question: string, subject: string, origin: "string, read-only"}
"""
    )
    ticket = translation(load_models([tmp_path / "m.yaml"]), "tickets", {"tasks": mapping("tasks", subject="s", type="t")}.get)

    assert ticket.read(record(s="Why?", t="mail")) == {"id": "7", "question": "Why?", "origin": "mail"}
    assert ticket.write({"subject": "A", "origin": "B", "question": "C"}, fields_schema=None) == Native(
        fields={"s": "C"}, unmapped=("subject", "origin")
    )


def test_parts_of_objects_are_compared_through_a_fallback_too():
    contacts = mapping("contacts", primaryAddress=rule(fields={"city": rule("town")}))
    employee = through("employees", mapping("users", primaryAddress=rule(fields={"city": rule("town")})))

    assert through("leads", contacts).comparable_fields == ("primaryAddress.city",)
    assert employee.comparable_fields == ("workAddress.city",)
    condition = Condition(field="workAddress.city", operator=FilterOperator.EQ, value="Bern")
    assert employee.condition(condition).field == "town"
    assert employee.write({"workAddress": {"city": "Bern", "zip": "3"}}, fields_schema=None).unmapped == ("workAddress.zip",)
