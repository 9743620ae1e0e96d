"""Whatever is written through a mapping that goes both ways is read back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UnsupportedError
from gateway.expressions import times
from gateway.models import Condition, FilterOperator, JsonObject
from gateway.udm import MODELS, FieldRule, UnifiedMapping, translation
from tests.udm.mappings import mapping, record, rule

TEXT = st.text(max_size=8)
STAMP = st.datetimes().map(lambda time: time.isoformat() + "Z")
NAMES = st.text(max_size=6).filter(lambda name: "." not in name)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)

ORDER = mapping(
    "orders",
    name="a.b.name",
    notes=rule("text", from_="${value.body}", to="${ {body: value} }"),
    status=rule("state", values={"1": "open", "2": "closed"}),
    totalAmount="sum",
    currency=rule("a.money", values={"EUR": "euro", "euro": "EUR"}),
    billingAddress=rule(fields={"city": rule("a.city"), "zip": rule("zip")}),
    lineItems=rule("a.lines", each={"name": rule("n"), "quantity": rule("q.count"), "sku": rule("s", values={"x": "y", "y": "x"})}),
)
ORDERS = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "notes": TEXT,
        "status": st.sampled_from(["open", "closed"]),
        "totalAmount": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "currency": st.sampled_from(["euro", "EUR", "CHF"]),
        "billingAddress": st.fixed_dictionaries({"city": TEXT}, optional={"zip": TEXT}),
        "lineItems": st.lists(
            st.fixed_dictionaries({"name": TEXT}, optional={"quantity": st.integers(), "sku": st.sampled_from(["x", "y", "z"])}), max_size=4
        ),
    },
)


@given(ORDERS)
def test_what_is_written_is_read_back(unified):
    written = ORDER.write(unified, fields_schema=None)

    assert written.unmapped == ()
    assert ORDER.read(record(**written.fields)) == {"id": "7", **unified}


@st.composite
def written_through_paths(draw) -> tuple[UnifiedMapping, JsonObject]:
    """A mapping of some fields of a task to paths of any names, and values for them."""
    values = {"subject": TEXT, "tags": st.lists(TEXT, max_size=3), "priority": TEXT, "dueTime": STAMP}
    fields = draw(st.lists(st.sampled_from(sorted(values)), unique=True))
    tops = draw(st.lists(NAMES, unique=True, min_size=len(fields), max_size=len(fields)))
    paths = [".".join([top, *draw(st.lists(NAMES, max_size=2))]) for top in tops]
    rules = {field: FieldRule(path=path) for field, path in zip(fields, paths, strict=True)}
    return UnifiedMapping(MODELS["tasks"], rules), {field: draw(values[field]) for field in fields}


@given(written_through_paths())
def test_paths_of_any_names_go_both_ways(given_):
    mapping_, unified = given_

    read = mapping_.read(record(**mapping_.write(unified, fields_schema=None).fields))

    assert {name: read[name] for name in unified if name != "dueTime"} == {name: unified[name] for name in unified if name != "dueTime"}
    assert ("dueTime" in unified) == ("dueTime" in read)


@given(st.dictionaries(st.sampled_from(["name", "notes", "status", "a", "text", "state", "zip", "sum", "lines"]), ANYTHING))
def test_reading_takes_any_json_and_gives_only_what_the_model_has(fields):
    read = ORDER.read(record(**fields))

    assert read["id"] == "7"
    assert set(read) <= set(MODELS["orders"].properties)
    assert None not in read.values()


TOLD = ANYTHING | STAMP | st.sampled_from(["2026-11-21T09:30:00Z", "2026-02-30T09:30:00Z", "2026-11-21", "1", "0.5", "true", "Open"])


@given(st.sampled_from(sorted(MODELS)), st.data())
def test_a_field_of_the_app_reads_the_same_by_its_path_as_by_an_expression_that_gives_its_value(model, data):
    names = [name for name in MODELS[model].properties if name != "id"]
    given_ = record(**data.draw(st.dictionaries(st.sampled_from(names), TOLD)))

    by_path = mapping(model, **{name: name for name in names})
    by_expression = mapping(model, **{name: rule(name, from_="${value}") for name in names})

    # As text: true is equal to 1.
    assert repr(by_path.read(given_)) == repr(by_expression.read(given_))


@given(
    STAMP
    | st.from_regex(r"[0-9]{4}-?[0-9W]{2,3}-?[0-9]{1,2}[Tt ][0-9]{2}:?[0-9]{2}:?[0-9]{2}(\.[0-9])?[Zz]?", fullmatch=True)
    | st.sampled_from(["2026-W47-6T09:30:00Z", "20261121T093000Z", "2026-11-21T093000.1Z", "2026-11-21T24:00:00Z", "2026-11-21T09:30:60Z"])
)
def test_a_time_reads_as_what_it_says_however_it_is_written(text):
    read = mapping("tasks", dueTime="due").read(record(due=text))

    assert read.get("dueTime") == times.to_text(times.parse(text))


@given(st.dictionaries(st.sampled_from(["title", "description", "status", "ownerId"]), TEXT))
def test_what_is_written_through_a_fallback_is_read_back(unified):
    task = mapping("tasks", subject="s", content="c", status="st", ownerId="o", assigneeId="a")
    activity = translation(MODELS, "activities", {"tasks": task}.get)

    assert activity is not None
    read = activity.read(record(**activity.write(unified, fields_schema=None).fields))
    assert {name: value for name, value in read.items() if name != "id"} == unified


@given(
    st.dictionaries(st.sampled_from("abcde"), st.sampled_from("abcxy"), max_size=5),
    st.lists(st.sampled_from("abcdexyz"), min_size=1, unique=True),
    st.sampled_from("abcdexyz"),
)
def test_a_condition_finds_exactly_the_records_that_read_as_its_value(values, natives, wanted):
    task = mapping("tasks", status=rule("state", values=values))
    fitting = [native for native in natives if task.read(record(state=native))["status"] == wanted]

    try:
        told = task.condition(Condition(field="status", operator=FilterOperator.EQ, value=wanted))
    except UnsupportedError:
        assert fitting == []
        return

    found = [native for native in natives if (native in told.value if told.operator is FilterOperator.IN else native == told.value)]
    if wanted in values.values() and wanted not in values:
        # An app's value may be spelt as the model's; those that the mapping names stand for it.
        fitting = [native for native in fitting if native != wanted]
    assert found == fitting
