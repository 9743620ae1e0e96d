"""Classes of objects of answers are shared, and kept for nobody."""

import gc
import tracemalloc

from gateway.models.answer_objects import AnswerObject, answer_class, members_of, values_of


def test_those_who_ask_for_the_same_names_share_a_class_that_goes_with_them():
    made = answer_class(["id", "__class__"])
    same = answer_class(("id", "__class__"))
    other = answer_class(["__class__", "id"])
    assert (made is same, made is other) == (True, False)
    names = {tuple(made.attributes), tuple(other.attributes)}

    del made, same, other
    gc.collect()

    assert names.isdisjoint(tuple(kind.attributes) for kind in AnswerObject.__subclasses__())


def test_objects_have_the_values_they_are_made_of_by_their_names_and_none_by_other_names():
    first, second = answer_class(["id", "__class__"])(1, None), answer_class(["id"])([2])

    assert members_of(first) == {"id": 1, "__class__": None}
    assert sorted(map(repr, values_of([first, second, {"id": 3}, {}], "id"))) == ["1", "3", "[2]"]
    assert values_of([first, second, {"id": 3}, {}], "__class__") == [None]
    assert values_of([], "id") == []


def test_what_is_no_object_has_no_values():
    assert values_of([[answer_class(["id"])(1)], "id", 1], "id") == []


def test_classes_share_the_memory_of_a_long_name():
    long = "x" * 60_000
    tracemalloc.start()
    try:
        classes = [answer_class([long, f"other{number}"]) for number in range(10)]
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert len(set(classes)) == 10
    assert taken < 2.5 * len(long)
