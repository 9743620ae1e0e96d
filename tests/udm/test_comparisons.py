"""What a field of a model is compared with means the same of the app's field, or is refused."""

import pytest

from gateway.errors import InvalidError, UnsupportedError
from gateway.models import Condition, FilterOperator
from tests.udm.mappings import mapping, rule

DEAL = mapping("deals", amount="sum", closeTime="closes", status="state", name="title")
TASK = mapping("tasks", tags=rule("labels", values={"1": "a", "2": "b"}), subject=rule("title", to="${upper(value)}"))
DAY, TIME, TEXT = {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, {"type": "string"}


def condition(field, operator, value):
    return Condition(field=field, operator=FilterOperator(operator), value=value)


def told(translation, given, native):
    schema = {"type": "object", "properties": dict.fromkeys(("sum", "closes", "state", "title"), native)}
    found = translation.condition(condition(*given), fields_schema=schema if native is not None else None)
    return found.operator, found.value


@pytest.mark.parametrize("native", [None, TIME, TEXT], ids=repr)
def test_a_time_is_told_in_utc_as_it_is_read(native):
    assert told(DEAL, ("closeTime", "GTE", "2026-01-05T23:00:00-08:00"), native) == ("GTE", "2026-01-06T07:00:00Z")
    assert told(DEAL, ("closeTime", "IN", ["2026-01-05t10:00:00z", None]), native) == ("IN", ["2026-01-05T10:00:00Z", None])
    assert told(DEAL, ("closeTime", "EQ", "2026-01-05"), native) == ("EQ", "2026-01-05")
    assert told(DEAL, ("closeTime", "STARTS_WITH", "2026-01"), native) == ("STARTS_WITH", "2026-01")


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("LT", "LTE"), ("LTE", "LTE"), ("GT", "GT"), ("GTE", "GT")],
)
def test_of_days_those_that_begin_before_or_after_a_time_are_found(operator, expected):
    assert told(DEAL, ("closeTime", operator, "2026-01-05T23:00:00-08:00"), DAY) == (expected, "2026-01-06")
    assert told(DEAL, ("closeTime", operator, "2026-01-06T00:00:00Z"), DAY) == (operator, "2026-01-06")
    assert told(DEAL, ("closeTime", operator, "2026-01-06"), DAY) == (operator, "2026-01-06")


def test_a_day_equals_no_later_time_of_it():
    assert told(DEAL, ("closeTime", "EQ", "2026-01-06T01:00:00+01:00"), DAY) == ("EQ", "2026-01-06")
    for operator, value in (("EQ", "2026-01-06T10:00:00Z"), ("NE", "2026-01-06T10:00:00Z"), ("IN", ["2026-01-06", "2026-01-06T10:00:00Z"])):
        with pytest.raises(UnsupportedError, match=r"^closeTime is a day in this app: compare it with one, such as 2026-11-21\.$"):
            told(DEAL, ("closeTime", operator, value), DAY)


def test_numbers_that_the_app_keeps_as_text_are_compared_by_equality_alone():
    assert told(DEAL, ("amount", "EQ", 5), TEXT) == ("EQ", "5")
    assert told(DEAL, ("amount", "GT", "5"), {"type": ["number", "string"]}) == ("GT", 5)
    assert told(DEAL, ("amount", "GT", 5), {"type": {"odd": []}}) == ("GT", 5)
    assert told(DEAL, ("amount", "EQ", "20260105"), None) == ("EQ", 20260105)
    assert told(DEAL, ("name", "GT", "5"), TEXT) == ("GT", "5")
    with pytest.raises(UnsupportedError, match=r"^amount is a text in this app, and texts have another order than numbers"):
        told(DEAL, ("amount", "GT", 5), TEXT)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("closeTime", "LT", "soon"), "closeTime is compared with 'soon', which is no time."),
        (("closeTime", "IN", ["2026-01-05", True]), "closeTime is compared with 'True', which is no time."),
        (("closeTime", "EQ", {"year": 2026}), "closeTime is compared with \"{'year': 2026}\", which is no time."),
        (("amount", "EQ", "much"), "amount is compared with 'much', which is no number."),
        (("status", "EQ", "gone"), "status is compared with 'gone', which is no choice: there are open, won, lost."),
    ],
    ids=repr,
)
def test_a_value_that_the_field_never_has_is_refused_before_the_app_is_asked(given, message):
    with pytest.raises(InvalidError) as refused:
        told(DEAL, given, None)
    assert (refused.value.message, refused.value.field) == (message, [given[0]])


def test_a_choice_is_told_as_the_model_spells_it():
    assert told(DEAL, ("status", "EQ", "WON"), None) == ("EQ", "won")


def test_a_value_that_the_field_never_has_is_refused_through_a_fallback_too():
    activity = mapping("tasks", dueTime="due").as_model(mapping("activities").model)
    with pytest.raises(InvalidError, match=r"^dueTime is compared with 'soon'"):
        activity.condition(condition("dueTime", "EQ", "soon"))


def test_nothing_is_nothing_in_the_app_whatever_becomes_of_values():
    assert told(TASK, ("subject", "EQ", None), None) == ("EQ", None)
    assert told(mapping("tasks", subject=rule("title", to="${value.sub}")), ("subject", "IN", [None]), None) == ("IN", [None])


def test_a_list_of_values_that_the_app_calls_otherwise_is_refused():
    assert told(TASK, ("tags", "IN", ["a", "b"]), None) == ("IN", ["1", "2"])
    with pytest.raises(UnsupportedError, match=r"^tags cannot be compared with a list: the app's values differ"):
        told(TASK, ("tags", "EQ", ["a"]), None)
