"""Records are read as a model and written back through the rules that a connector declares."""

from datetime import UTC, datetime

import pytest

from gateway.errors import InvalidError, UnsupportedError
from gateway.models import Condition, FilterOperator, Record
from gateway.udm import Native
from tests.udm.mappings import mapping, record, rule

TASK = mapping(
    "tasks",
    subject="title",
    content=rule(from_="${fields.notes || fields.summary}"),
    status=rule("state.id", values={"1": "open", "2": "open", "9": "done"}),
    assigneeId="assignee.id",
    tags=rule("labels", from_="${split(value, ',')}", to="${join(',', value)}"),
    dueTime="due",
)
PERSON = mapping(
    "contacts",
    fullName="name",
    emails=rule("mails", each={"value": rule("address"), "type": rule("kind", values={"w": "work", "h": "home"})}),
    primaryAddress=rule(fields={"city": rule("town"), "zip": rule("place.code"), "country": rule(from_="${upper(fields.land)}")}),
)
SCHEMA = {
    "type": "object",
    "properties": {
        "assignee": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "state": {"type": "object", "properties": {"id": {"type": "integer"}}},
    },
}


def native(fields, *unmapped):
    return Native(fields=fields, unmapped=unmapped)


def test_every_kind_of_rule_reads_values_of_the_models_types():
    read = TASK.read(record(title=5, notes=None, summary="S", state={"id": 2}, assignee={"id": 12}, labels="a,b", due="2026-01-05"))

    assert read == {
        "id": "7",
        "subject": "5",
        "content": "S",
        "status": "open",
        "assigneeId": "12",
        "tags": ["a", "b"],
        "dueTime": "2026-01-05T00:00:00Z",
        # What this app has no place for is told from what it has.
        "ownerId": "12",
    }


def test_what_the_app_does_not_have_is_left_out_and_odd_values_are_nothing():
    assert TASK.read(record()) == {"id": "7"}
    assert TASK.read(record(title={}, state="x", assignee=[1], labels={"a": 1}, due="soon")) == {"id": "7"}


def test_lists_of_objects_and_objects_are_read_part_by_part():
    read = PERSON.read(record(name="Ann Lee", mails=[{"address": "a@b", "kind": "w"}, {"kind": 3}, {}, 5], town="Bern", land="ch"))

    assert read["emails"] == [{"value": "a@b", "type": "work"}, {"type": "3"}]
    assert read["primaryAddress"] == {"city": "Bern", "country": "CH", "full": "Bern, CH"}


def test_a_single_object_is_a_list_of_one():
    assert PERSON.read(record(mails={"address": "a@b"}))["emails"] == [{"value": "a@b"}]


def test_a_field_whose_name_holds_a_dot_is_found_before_the_way_into_an_object():
    dotted = mapping("tasks", subject="sys.title")

    assert dotted.read(record(**{"sys.title": "A", "sys": {"title": "B"}}))["subject"] == "A"
    assert dotted.read(record(sys={"title": "B"}))["subject"] == "B"
    closed = {"type": "object", "properties": {"sys.title": {"type": "string"}}}
    assert dotted.write({"subject": "A"}, fields_schema=closed) == native({"sys.title": "A"})
    assert dotted.write({"subject": "A"}, fields_schema=None) == native({"sys": {"title": "A"}})


def test_the_times_that_the_app_tells_of_a_record_are_the_models():
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    told = Record(external_id="7", fields={"made": "2020-01-01"}, created_at=at, updated_at=at)

    assert TASK.read(told) == {"id": "7", "createdTime": "2026-01-05T09:00:00Z", "updatedTime": "2026-01-05T09:00:00Z"}
    assert mapping("tasks", createdTime="made").read(told)["createdTime"] == "2020-01-01T00:00:00Z"
    assert mapping("deal-stages").read(told) == {"id": "7"}


def test_a_write_is_of_the_apps_fields_with_the_types_of_its_schema():
    written = TASK.write({"subject": "A", "status": "done", "assigneeId": "12", "tags": ["a", "b"]}, fields_schema=SCHEMA)

    assert written == native({"title": "A", "state": {"id": 9}, "assignee": {"id": 12}, "labels": "a,b"})


def test_of_several_values_that_read_alike_the_first_is_written():
    assert TASK.write({"status": "open"}, fields_schema=SCHEMA) == native({"state": {"id": 1}})


def test_null_empties_the_apps_field_and_what_is_not_given_is_not_touched():
    assert TASK.write({"assigneeId": None, "status": None, "tags": None}, fields_schema=SCHEMA) == native(
        {"assignee": {"id": None}, "state": {"id": None}, "labels": None}
    )
    assert PERSON.write({"emails": None, "primaryAddress": None}, fields_schema=None) == native(
        {"mails": None, "town": None, "place": {"code": None}}
    )
    assert TASK.write({}, fields_schema=SCHEMA) == native({})


def test_what_has_no_place_is_named_in_the_order_given():
    written = PERSON.write(
        {"nickname": 1, "fullName": "A", "id": "8", "createdTime": "2026-01-05", "emails": [{"value": "a", "x": 1}, {"x": 2}]}
        | {"primaryAddress": {"zip": "3000", "country": "CH", "street": "S"}, "stage": "new"},
        fields_schema=None,
    )

    assert written.fields == {"name": "A", "mails": [{"address": "a"}, {}], "place": {"code": "3000"}}
    assert written.unmapped == ("nickname", "id", "createdTime", "emails.x", "primaryAddress.country", "primaryAddress.street", "stage")


@pytest.mark.parametrize(
    ("unified", "message", "field"),
    [
        ({"status": "7"}, None, None),
        ({"status": "9"}, "status cannot be '9' in this app. It can be 'open', 'done'.", ["status"]),
        ({"status": 2}, "status cannot be '2' in this app. It can be 'open', 'done'.", ["status"]),
        ({"tags": [1]}, "tags cannot be written as the app's field 'labels': expression", ["tags"]),
        ({"tags": 5}, "tags cannot be written as the app's field 'labels': expression", ["tags"]),
    ],
    ids=repr,
)
def test_a_value_that_would_read_as_another_one_is_refused_with_its_path(unified, message, field):
    if message is None:
        assert TASK.write(unified, fields_schema=None).fields == {"state": {"id": "7"}}
        return
    with pytest.raises(InvalidError) as caught:
        TASK.write(unified, fields_schema=None)
    assert caught.value.message.startswith(message)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("unified", "message", "field"),
    [
        ({"emails": "a@b"}, "emails is a list of objects.", ["emails"]),
        ({"emails": ["a@b"]}, "emails is a list of objects.", ["emails"]),
        ({"emails": [{"type": "w"}]}, "emails.type cannot be 'w' in this app. It can be 'work', 'home'.", ["emails", "type"]),
        ({"primaryAddress": "Bern"}, "primaryAddress is an object, not a single value.", ["primaryAddress"]),
        ({"primaryAddress": []}, "primaryAddress is an object, not a list.", ["primaryAddress"]),
    ],
    ids=repr,
)
def test_a_value_of_the_wrong_shape_is_refused_with_its_path(unified, message, field):
    with pytest.raises(InvalidError) as caught:
        PERSON.write(unified, fields_schema=None)
    assert (caught.value.message, caught.value.field) == (message, field)


def test_two_fields_that_are_one_in_the_app_must_agree():
    both = mapping("tasks", subject="title", content="title", status="state.name", priority="state")

    assert both.write({"subject": "A", "content": "A"}, fields_schema=None) == native({"title": "A"})
    for unified in ({"subject": "A", "content": "B"}, {"subject": True, "content": 1}, {"priority": "x", "status": "y"}):
        with pytest.raises(InvalidError, match="with different values"):
            both.write(unified, fields_schema=None)


def test_a_write_holds_nothing_but_what_was_given_no_neighbours_and_no_gaps_filled():
    nested = mapping("contacts", fullName="name.full", firstName="name.first", primaryEmail="mail", companyId="company.id")
    nested_address = mapping("contacts", primaryAddress=rule(fields={"city": rule("at.city"), "full": rule("at.whole")}))

    assert nested.write({"firstName": "Ann"}, fields_schema=None) == native({"name": {"first": "Ann"}})
    assert nested.write({"fullName": "Ann Lee", "firstName": "Ann"}, fields_schema=None) == native(
        {"name": {"full": "Ann Lee", "first": "Ann"}}
    )
    assert nested.write({"fullName": "Ann Lee"}, fields_schema=None) == native({"name": {"full": "Ann Lee"}})
    assert nested_address.write({"primaryAddress": {"city": "Bern"}}, fields_schema=None) == native({"at": {"city": "Bern"}})


def test_a_part_of_what_another_field_gives_whole_joins_it_and_leaves_what_was_given_as_it_is():
    joined = mapping("contacts", primaryAddress="address", companyName="address.company")
    unified = {"primaryAddress": {"city": "Bern"}, "companyName": "A"}

    assert joined.write(unified, fields_schema=None) == native({"address": {"city": "Bern", "company": "A"}})
    assert unified == {"primaryAddress": {"city": "Bern"}, "companyName": "A"}


def condition(field, operator, value):
    return Condition(field=field, operator=FilterOperator(operator), value=value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("subject", "CONTAINS", "a"), ("title", "CONTAINS", "a")),
        (("assigneeId", "EQ", "12"), ("assignee.id", "EQ", 12)),
        (("assigneeId", "EQ", None), ("assignee.id", "EQ", None)),
        (("assigneeId", "IN", ["1", "2"]), ("assignee.id", "IN", [1, 2])),
        (("status", "EQ", "done"), ("state.id", "EQ", 9)),
        (("status", "NE", "done"), ("state.id", "NE", 9)),
        (("status", "EQ", "open"), ("state.id", "IN", [1, 2])),
        (("status", "IN", ["open", "done"]), ("state.id", "IN", [1, 2, 9])),
        (("status", "EQ", "7"), ("state.id", "EQ", 7)),
        (("tags", "EQ", ["a", "b"]), ("labels", "EQ", "a,b")),
        (("dueTime", "GTE", "2026-01-05T00:00:00Z"), ("due", "GTE", "2026-01-05T00:00:00Z")),
    ],
    ids=repr,
)
def test_a_condition_is_one_on_the_apps_field(given, expected):
    assert TASK.condition(condition(*given), fields_schema=SCHEMA) == condition(*expected)


def test_what_is_read_as_more_than_the_apps_value_is_not_compared_with_it():
    computed = mapping("tasks", subject=rule("title", from_="${upper(value)}"), content="text")

    assert computed.comparable_fields == ("content",)
    with pytest.raises(UnsupportedError, match=r"^subject cannot be filtered through the model here\. Fields that can: content\.$"):
        computed.condition(condition("subject", "EQ", "A"))


def test_what_a_list_contains_has_the_type_of_the_apps_items():
    numbers = {"type": "object", "properties": {"labels": {"type": "array", "items": {"type": "integer"}}}}

    assert mapping("tasks", tags="labels").condition(condition("tags", "CONTAINS", "5"), fields_schema=numbers).value == 5


def test_items_are_written_with_the_types_of_the_apps_items():
    items = {"type": "array", "items": {"type": "object", "properties": {"address": {"type": "integer"}}}}

    written = PERSON.write({"emails": [{"value": "5"}]}, fields_schema={"type": "object", "properties": {"mails": items}})
    assert written == native({"mails": [{"address": 5}]})


def test_what_only_the_app_sets_is_not_written_although_it_has_a_place():
    stamped = mapping("tasks", id="key", createdTime="made", subject="title")

    assert stamped.write({"id": "8", "createdTime": None, "subject": "A"}, fields_schema=None) == native(
        {"title": "A"}, "id", "createdTime"
    )
    assert stamped.read(record(key="8", made="2026-01-05"))["id"] == "7"


def test_parts_of_objects_can_be_compared_by_their_names_with_dots():
    assert PERSON.comparable_fields == ("fullName", "primaryAddress.city", "primaryAddress.zip")
    assert PERSON.condition(condition("primaryAddress.zip", "EQ", "3000")) == condition("place.code", "EQ", "3000")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("content", "EQ", "a"), "content cannot be filtered through the model here. Fields that can: subject, status, assigneeId, tags, "),
        (("priority", "EQ", "a"), "priority cannot be filtered through the model here. "),
        (("nonsense.of.it", "EQ", "a"), "nonsense.of.it cannot be filtered through the model here. "),
        (("status", "GT", "open"), "status can be compared by EQ, NE and IN only: its values differ from the app's."),
        (("status", "NE", "open"), "Several values of the app's field 'state.id' stand for this one, and"),
        (("status", "EQ", "9"), "status is never '9' in this app. It can be 'open', 'done'."),
        (("tags", "CONTAINS", "a"), "tags can be compared by EQ, NE and IN only: its values differ from the app's."),
        (("tags", "EQ", 5), "tags cannot be compared with this value: expression"),
    ],
    ids=repr,
)
def test_a_condition_that_says_another_thing_of_the_app_is_refused(given, message):
    with pytest.raises(UnsupportedError) as caught:
        TASK.condition(condition(*given), fields_schema=SCHEMA)
    assert caught.value.message.startswith(message)
    assert caught.value.field == [given[0]]


def test_values_nested_a_thousand_deep_are_read_and_written_as_any_other():
    deep = []
    for _ in range(900):
        deep = [deep]

    assert TASK.read(record(title=deep, state={"id": deep})) == {"id": "7"}
    assert TASK.write({"status": deep}, fields_schema=SCHEMA).unmapped == ()
