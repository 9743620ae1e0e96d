"""What an app does not say is told from what it says, where that can be."""

from datetime import UTC, datetime

import pytest

from gateway.models import Record
from gateway.udm import MODELS, FieldRule
from gateway.udm.filling import fillable
from tests.udm.mappings import mapping, record

EVERYTHING = {
    model: mapping(
        model, **{name: name for name in ("fullName", "firstName", "lastName", "primaryEmail", "emails", "primaryPhone", "phones")}
    )
    for model in ("contacts", "leads", "users")
}
ADDRESS = mapping("contacts", primaryAddress="primaryAddress", addresses="addresses")


@pytest.mark.parametrize("model", EVERYTHING)
@pytest.mark.parametrize(
    ("fields", "filled"),
    [
        ({"fullName": "Ann Maria Lee"}, {"firstName": "Ann", "lastName": "Maria Lee"}),
        ({"fullName": "Ann"}, {"firstName": "Ann"}),
        ({"firstName": "Ann", "lastName": "Lee"}, {"fullName": "Ann Lee"}),
        ({"lastName": "Lee"}, {"fullName": "Lee"}),
        ({"firstName": "Ann", "fullName": "Ann van Dyke"}, {"lastName": "van Dyke"}),
        ({"firstName": "Mary Ann", "fullName": "Mary Ann Lee"}, {"lastName": "Lee"}),
        ({"lastName": "van Dyke", "fullName": "Mary Ann van Dyke"}, {"firstName": "Mary Ann"}),
        ({"fullName": "Cher", "lastName": "Cher"}, {}),
        ({"fullName": "Lee, Ann", "lastName": "Lee"}, {}),
        ({"fullName": "Ann Ann Lee", "firstName": "Ann"}, {"lastName": "Ann Lee"}),
        ({"fullName": "Lee Ann Lee", "lastName": "Lee"}, {"firstName": "Lee Ann"}),
        ({"fullName": " Ann  Lee "}, {"firstName": "Ann", "lastName": "Lee"}),
        ({"fullName": "", "firstName": "Ann", "lastName": "Lee"}, {"fullName": "Ann Lee"}),
        ({"fullName": "Ann Lee", "firstName": "", "lastName": ""}, {"firstName": "Ann", "lastName": "Lee"}),
        ({"fullName": "", "firstName": "", "lastName": ""}, {}),
        ({"primaryEmail": "", "emails": [{"value": "a@b"}]}, {"primaryEmail": "a@b"}),
        ({"primaryEmail": "a@b", "emails": []}, {"emails": [{"value": "a@b"}]}),
        ({"primaryEmail": "a@b"}, {"emails": [{"value": "a@b"}]}),
        ({"emails": [{"value": "a@b"}, {"value": "c@d"}]}, {"primaryEmail": "a@b"}),
        ({"emails": []}, {}),
        ({"emails": [{"type": "work"}]}, {}),
        ({"phones": [{"value": "1"}]}, {"primaryPhone": "1"}),
        ({"primaryPhone": "1"}, {"phones": [{"value": "1"}]}),
        ({}, {}),
    ],
    ids=repr,
)
def test_of_a_person_names_and_addresses_tell_each_other(model, fields, filled):
    assert EVERYTHING[model].read(record(**fields)) == {"id": "7", **fields, **filled}


def test_a_first_address_is_the_primary_one_and_its_parts_are_the_whole():
    bern = {"street": "Hauptgasse 1", "zip": "3000", "city": "Bern", "type": "home"}

    assert ADDRESS.read(record(addresses=[bern, {"city": "Basel"}])) == {
        "id": "7",
        "addresses": [bern, {"city": "Basel"}],
        "primaryAddress": {**bern, "full": "Hauptgasse 1, Bern, 3000"},
    }
    assert ADDRESS.read(record(primaryAddress={"full": "Somewhere", "city": "Bern"}))["primaryAddress"]["full"] == "Somewhere"
    assert "addresses" in ADDRESS.read(record(primaryAddress={"city": "Bern"}))
    assert ADDRESS.read(record(primaryAddress={})) == {"id": "7", "primaryAddress": {}}


def test_filling_a_gap_does_not_change_the_apps_record():
    fields = {"addresses": [{"city": "Bern"}]}

    ADDRESS.read(record(**fields))

    assert fields == {"addresses": [{"city": "Bern"}]}


def test_of_a_meeting_two_times_tell_the_third():
    meeting = mapping("meetings", startTime="start", endTime="end", durationSeconds="seconds")
    nine, ten = "2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z"

    whole = {"id": "7", "startTime": nine, "endTime": ten, "durationSeconds": 3600}
    assert meeting.read(record(start=nine, end=ten)) == whole
    assert meeting.read(record(start=nine, seconds=3600)) == whole
    assert meeting.read(record(end=ten, seconds=3600)) == whole
    assert meeting.read(record(start=nine)) == {"id": "7", "startTime": nine}


def test_what_stands_in_for_a_field_does_so_only_where_the_app_has_no_place_for_it():
    owner_alone, both = mapping("tasks", ownerId="owner"), mapping("tasks", ownerId="owner", assigneeId="assignee")

    assert owner_alone.read(record(owner="1")) == {"id": "7", "ownerId": "1", "assigneeId": "1"}
    assert both.read(record(owner="1", assignee=None)) == {"id": "7", "ownerId": "1"}
    assert mapping("activities", dueTime="due").read(record(due="2026-01-05"))["startTime"] == "2026-01-05T00:00:00Z"


def test_a_gap_is_filled_from_a_field_that_was_itself_a_gap_and_one_that_nothing_can_tell_is_not_tried():
    by_seconds = mapping("activities", durationSeconds="seconds", dueTime="due")
    subject_alone = mapping("activities", title="title")
    nine = "2026-01-05T09:00:00Z"

    # What stands in for a field comes after what is told of it: the end stands in for the start, not the start and its duration.
    assert by_seconds.read(record(due=nine, seconds=3600)) == {
        "id": "7",
        "durationSeconds": 3600,
        "dueTime": nine,
        "startTime": nine,
        "endTime": nine,
    }
    assert [gap.path for gap in fillable(MODELS["activities"].gaps, mapped=["title"], told=["id", "title"])] == []
    assert subject_alone.read(record(title="A")) == {"id": "7", "title": "A"}


def test_what_is_there_but_false_is_no_gap():
    assert (
        mapping("meetings", startTime="start", endTime="end", durationSeconds="seconds").read(
            record(start="2026-01-05T09:00:00Z", end="2026-01-05T10:00:00Z", seconds=0)
        )["durationSeconds"]
        == 0
    )


def test_a_field_called_like_a_time_of_the_record_goes_before_it_and_null_leaves_the_record_its_own():
    made = datetime(2026, 1, 5, 9, tzinfo=UTC)
    task = mapping("tasks", createdTime="made", subject="title")

    def read(**fields):
        return task.read(Record(external_id="7", fields=fields, created_at=made, updated_at=made))

    assert read(made="2020-01-01", title="A") == {
        "id": "7",
        "createdTime": "2020-01-01T00:00:00Z",
        "subject": "A",
        "updatedTime": "2026-01-05T09:00:00Z",
    }
    assert read(made=None)["createdTime"] == "2026-01-05T09:00:00Z"


def test_a_text_that_a_mapping_has_given_parts_fills_no_gap():
    odd = mapping("tasks", ownerId=FieldRule(fields={"value": FieldRule(path="owner")}))

    assert odd.read(record(owner="101")) == {"id": "7", "ownerId": {"value": "101"}}
