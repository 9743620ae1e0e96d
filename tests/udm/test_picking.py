"""What is picked of a model is what the whole record has there, and nothing else is read."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import defstruct
from msgspec.structs import replace

from gateway.models import Record
from gateway.models.read_fields import ReadFields, attribute_of, object_of
from gateway.udm import MODELS, Picked, Translation, UnifiedMapping, UniversalDataModel, load_models, translation
from gateway.udm.shapes import type_name
from tests.support.examples import ANY_JSON
from tests.support.plain import plain
from tests.udm.mappings import mapping, record, rule

TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
VALUES = ANY_JSON | st.lists(ANY_JSON, max_size=2) | st.sampled_from(["2026-11-21T09:30:00Z", "2026-02-30T09:30:00Z", "true", 7])


def wanted_of(whole: dict[str, Any], picked: dict[str, Picked], translated: Translation) -> dict[str, Any]:
    return {key: whole.get(each.name) if each.name is not None else type_name(translated.model) for key, each in picked.items()}


def only_read(record: Record, names: list[str], *, are_types_known: bool = False) -> Record:
    """The record as of a page of which no more than these fields were read, those that are texts or list some perhaps known as such."""
    values = [*map(record.fields.get, names)]
    types = frozenset((name, kind) for name, value in zip(names, values, strict=True) for kind in (str, list[str]) if is_of(value, kind))
    members = [(attribute_of(name), Any) for name in names]
    item = defstruct("Item", members, bases=(ReadFields,), namespace={"types": types if are_types_known else frozenset()})
    return replace(record, fields=item(*values))


def is_of(value: Any, kind: Any) -> bool:
    """Whether it is null or of the type, `str` or `list[str]`."""
    texts = value if kind == list[str] and type(value) is list else [value] if kind is str else [None]
    return value is None or all(type(each) is str for each in texts)


def parcels(folder: Path, fields: str) -> UniversalDataModel:
    """A model of these fields that no gateway comes with."""
    file = folder / "parcels.yaml"
    told = f"name: Parcel, plural_name: Parcels, description: What is sent., audited: false, fields: {fields}"
    file.write_text(f"format: models/v1\nmodels: {{parcels: {{{told}}}}}")
    return load_models([file])["parcels"]


@given(model=st.sampled_from(sorted(MODELS)), through=st.booleans(), data=st.data())
def test_what_is_picked_is_what_the_whole_record_has_there(model: str, through: bool, data: st.DataObject):
    names = [name for name in MODELS[model].properties if name != "id"]
    mapped = data.draw(st.lists(st.sampled_from(names), unique=True))
    computed = data.draw(st.sets(st.sampled_from(names)))
    own = mapping(model, **{name: rule(name, from_="${value}") if name in computed else rule(name) for name in mapped})
    others = [key for key, other in MODELS.items() if model in other.fallbacks] if through else []
    translated = translation(MODELS, data.draw(st.sampled_from(others)), {model: own}.get) if others else own
    assert translated is not None
    fields = data.draw(st.dictionaries(st.sampled_from(names), VALUES))
    told = Record("7", fields, created_at=data.draw(TIMES), updated_at=data.draw(TIMES))
    known = st.sampled_from([None, "id", *translated.model.properties])
    picked = data.draw(st.dictionaries(st.sampled_from("abcdefgh"), known.map(Picked)))

    reading = translated.reading(picked)

    assert reading is not None
    found = plain(reading([told, Record("8", {}), told]))
    # As text: true is equal to 1. The order is that of what is picked.
    wanted = [wanted_of(translated.read(each), picked, translated) for each in (told, Record("8", {}), told)]
    assert repr(found) == repr(wanted)
    # The same of a page of which no more was read than models read.
    unknown, known_to_be = only_read(told, names), only_read(told, names, are_types_known=True)
    for page in ([unknown] * 2, [known_to_be] * 2, [unknown, known_to_be]):
        assert repr(plain(reading(page))) == repr(wanted[:1] * 2)
    assert repr(translated.read(only_read(told, names))) == repr(translated.read(told))


def test_a_gap_is_filled_of_what_is_not_picked():
    contact = mapping("contacts", firstName="first", lastName="last")

    reading = contact.reading({"name": Picked("fullName"), "kind": Picked(None)})

    assert reading is not None
    assert plain(reading([record(first="Ada", last="Lovelace")])) == [{"name": "Ada Lovelace", "kind": "UnifiedContact"}]


def test_of_a_value_that_is_there_is_made_what_is_wanted():
    task = mapping("tasks", subject="title", content="note", dueTime="due")

    reading = task.reading({"a": Picked("subject", str.upper), "b": Picked("content", str.upper), "c": Picked("updatedTime")})

    assert reading is not None
    read = record(title="read", due=7), Record("7", {"note": ""}, updated_at=datetime(2026, 11, 21, tzinfo=UTC))
    assert plain(reading(read)) == [
        {"a": "READ", "b": None, "c": None},
        {"a": None, "b": "", "c": "2026-11-21T00:00:00Z"},
    ]


def test_parts_in_the_place_of_one_value_are_nobodys_to_pick_but_beside_them_all_is():
    task = mapping("tasks", subject=rule(fields={"a": rule("a")}), tags=rule("tags", each={"a": rule("a")}), content="note")

    assert task.reading({"subject": Picked("subject")}) is None
    assert task.reading({"tags": Picked("tags")}) is None
    reading = task.reading({"content": Picked("content")})
    assert reading is not None
    assert plain(reading([record(a="x", note="y")])) == [{"content": "y"}]


def test_texts_that_are_known_as_such_become_what_the_model_wants():
    product = mapping("products", name="title", price="cost", isActive="live")
    sold = record(title="Lamp", cost="12.5", live="true")

    reading = product.reading({name: Picked(name) for name in ("name", "price", "isActive")})

    assert reading is not None
    page = [only_read(sold, ["title", "cost", "live"], are_types_known=True)]
    assert plain(reading(page)) == [{"name": "Lamp", "price": 12.5, "isActive": True}]


def test_lists_of_texts_that_are_known_as_such_are_what_the_model_wants_where_it_wants_them():
    task = mapping("tasks", subject="title", content="labels", tags="labels")
    labelled = record(title="Read", labels=["a", "b"])

    reading = task.reading({name: Picked(name) for name in ("subject", "content", "tags")})

    assert reading is not None
    page = [
        only_read(labelled, ["title", "labels"], are_types_known=True),
        only_read(record(title="7"), ["title", "labels"], are_types_known=True),
    ]
    assert [fields.fields.types for fields in page] == [
        {("title", str), ("labels", list[str])},
        {("title", str), ("labels", str), ("labels", list[str])},
    ]
    assert plain(reading(page)) == [
        {"subject": "Read", "content": None, "tags": ["a", "b"]},
        {"subject": "7", "content": None, "tags": None},
    ]


def test_lists_of_texts_that_are_known_as_such_become_lists_of_what_the_model_wants(tmp_path):
    parcel = UnifiedMapping(parcels(tmp_path, "{weights: [number]}"), {"weights": rule("weights")})

    reading = parcel.reading({"weights": Picked("weights")})

    assert reading is not None
    assert plain(reading([only_read(record(weights=["1.5", "heavy"]), ["weights"], are_types_known=True)])) == [{"weights": [1.5]}]


def test_a_text_that_tells_a_time_stands_in_for_that_of_the_record_and_nothing_is_written_into_the_record(tmp_path):
    parcel = UnifiedMapping(parcels(tmp_path, "{createdTime: string, note: string}"), {"createdTime": rule("sent"), "note": rule("sent")})
    told = [replace(record(sent=sent), created_at=datetime(2026, 11, 21, tzinfo=UTC)) for sent in (None, "Monday")]
    page = [only_read(each, ["sent"], are_types_known=True) for each in told]

    both = parcel.reading({"at": Picked("createdTime"), "note": Picked("note")})
    one = parcel.reading({"note": Picked("note")})

    assert both is not None
    assert one is not None
    assert plain(both(page)) == [{"at": "2026-11-21T00:00:00Z", "note": None}, {"at": "Monday", "note": "Monday"}]
    assert plain(one(page)) == [{"note": None}, {"note": "Monday"}]
    assert [object_of(each.fields) for each in page] == [{"sent": None}, {"sent": "Monday"}]


def test_what_is_known_of_one_record_only_is_known_of_none():
    names = ["title", "note"]
    known = only_read(record(title="Read", note="Twice"), names, are_types_known=True)
    other = only_read(record(title=7, note=None), names, are_types_known=True)

    reading = mapping("tasks", subject="title", content="note").reading({"a": Picked("subject"), "b": Picked("content")})

    assert reading is not None
    assert known.fields.types == {("title", str), ("note", str)}
    assert other.fields.types == {("note", str), ("note", list[str])}
    assert plain(reading([known, other])) == [{"a": "Read", "b": "Twice"}, {"a": "7", "b": None}]
