"""The types that are made from the catalog of models: every kind of field, and fields of any name."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType
from graphql import build_schema as parse_schema
from hypothesis import given
from hypothesis import strategies as st
from strawberry.types import ExecutionResult

from gateway.config import Settings
from gateway.errors import ConfigurationError
from gateway.graphql import build_schema, make_context, print_schema
from gateway.models import JsonObject, Pointer, Principal
from gateway.runtime import Runtime, open_runtime
from gateway.storage.encryption import Cipher
from gateway.testing import FakeClock
from gateway.udm import MODELS, FieldRule, UnifiedMapping, UniversalDataModel, load_models
from gateway.udm.shapes import PREFIX, shapes
from tests.support.examples import ANY_JSON, part_of_examples
from tests.support.notes_connector import NotesApp, NotesConnector
from tests.support.printed_schema import PRINTED
from tests.support.runtime import connection, customer, integration

MODEL_FILE = """\
format: models/v1
models:
  gatherings:
    name: Gathering
    plural_name: Gatherings
    description: People at a place
    audited: false
    fields:
      from: string
      class: string
      self: string
      info: number
      external_id: string
      size: integer
      isOpen: boolean
      day: date
      startsAt: time
      notes: anything
      dates: [time]
      mood: good | bad
      venue:
        name: string
        keeperId: -> users
      guests:
        - personId: -> users
          plusOnes: number
      counts: [number]
      hostIds: [-> users]
      sponsorId: -> suppliers
"""
FIELDS: JsonObject = {
    "from": "Ada",
    "class": "first",
    "self": "me",
    "info": 1.5,
    "external_id": "X-7",
    "size": 5_000_000_000,
    "isOpen": False,
    "day": "2026-03-01",
    "startsAt": "2026-03-01T10:00:00Z",
    "notes": {"any": [1, None, "x"]},
    "dates": ["2026-03-01T10:00:00Z"],
    "mood": "good",
    "venue": {"name": "Hall", "keeperId": 103},
    "guests": [{"personId": 101, "plusOnes": 2}, {"personId": 999}],
    "hostIds": [102],
    "sponsorId": "s-1",
}


@dataclass
class GatheringConnector(NotesConnector):
    """Reads cards as gatherings, field by field."""

    models: dict[str, UniversalDataModel] = field(default_factory=dict)

    def mapping(self, collection: Pointer, model: str) -> UnifiedMapping | None:
        if model != "gatherings" or collection.key != "cards":
            return super().mapping(collection, model)
        rules = {name: FieldRule(path=name) for name in self.models[model].properties if name not in ("id", "venue", "guests")}
        person = FieldRule(path="personId")
        rules["guests"] = FieldRule(path="guests", each={"personId": person, "plusOnes": FieldRule(path="plusOnes")})
        rules["venue"] = FieldRule(fields={"name": FieldRule(path="venue.name"), "keeperId": FieldRule(path="venue.keeperId")})
        return UnifiedMapping(self.models[model], rules)


@pytest.fixture
async def gatherings(sqlite_url: str, clock: FakeClock, notes_app: NotesApp, tmp_path: Path) -> AsyncIterator[Runtime]:
    """A gateway whose operator has added a model, and whose cards are gatherings."""
    (tmp_path / "models.yaml").write_text(MODEL_FILE, encoding="utf-8")
    files = (tmp_path / "models.yaml",)
    settings = Settings(database_url=sqlite_url, token_secret="t" * 32, encryption_keys=Cipher.generate_key_ring(), udm_files=files)
    connector = GatheringConnector(notes_app, models=dict(load_models(files)))
    notes_app.tables["cards"].fields = {"1": FIELDS}
    async with open_runtime(settings, clock=clock, connectors=[connector]) as runtime:
        await integration(runtime)
        yield runtime


async def execute(runtime: Runtime, principal: Principal, selection: str) -> ExecutionResult:
    document = f"""{{ connection(by: {{ integrationKey: "notes" }}) {{ collection(key: "cards") {{ records {{ nodes {{
      unified(udm: "gatherings") {{ ... on UnifiedGathering {{ {selection} }} }} }} }} }} }} }}"""
    return await build_schema(runtime.udm).execute(document, context_value=make_context(runtime, principal))


async def ask(runtime: Runtime, principal: Principal, selection: str) -> dict[str, Any]:
    result = await execute(runtime, principal, selection)
    assert result.errors is None, result.errors
    return result.data["connection"]["collection"]["records"]["nodes"][0]["unified"]


@pytest.fixture
async def acme(gatherings: Runtime) -> Principal:
    principal = await customer(gatherings)
    await connection(gatherings, principal)
    return principal


async def test_every_kind_of_field_is_answered_whatever_its_name(gatherings: Runtime, acme: Principal):
    plain = "from class self info external_id externalId size isOpen day startsAt notes dates mood"

    assert await ask(gatherings, acme, plain) == {
        **{name: FIELDS[name] for name in plain.split() if name in FIELDS},
        "externalId": "1",
    }


async def test_a_number_that_no_float_has_is_the_nearest_and_exact_only_in_json(gatherings: Runtime, acme: Principal, notes_app: NotesApp):
    long = [2**53 + 1, -(10**30), 10**400]
    guest = {"personId": 101, "plusOnes": long[1]}
    notes_app.tables["cards"].fields["1"] = {**FIELDS, "size": long[0], "info": long[2], "counts": [*long, 1, 0.5], "guests": [guest]}

    found = await ask(gatherings, acme, 'size info counts guests { plusOnes } record { unifiedFields(udm: "gatherings") }')

    exact = found.pop("record")["unifiedFields"]
    assert (exact["size"], exact["counts"]) == (long[0], [*long, 1, 0.5])
    assert found == {"size": 2.0**53, "info": None, "counts": [2.0**53, -1e30, 1, 0.5], "guests": [{"plusOnes": -1e30}]}


@part_of_examples(percent=30)
@given(fields=st.fixed_dictionaries({}, optional={name: ANY_JSON | st.lists(ANY_JSON, max_size=2) for name in (*FIELDS, "counts")}))
async def test_whatever_a_record_holds_has_a_place_in_the_types_of_its_model(
    gatherings: Runtime, acme: Principal, notes_app: NotesApp, fields: JsonObject
):
    notes_app.tables["cards"].fields["1"] = fields

    plain = "from class self info external_id size isOpen day startsAt notes dates mood counts hostIds sponsorId"
    found = await ask(gatherings, acme, f"{plain} venue {{ name keeper {{ fullName }} }} guests {{ plusOnes }} hosts {{ fullName }}")

    assert found.keys() == {*plain.split(), "venue", "guests", "hosts"}


@part_of_examples(percent=30)
@given(fields=st.fixed_dictionaries({}, optional={name: ANY_JSON | st.lists(ANY_JSON, max_size=2) for name in FIELDS}))
async def test_values_alone_are_answered_as_they_are_beside_what_takes_the_whole_record(
    gatherings: Runtime, acme: Principal, notes_app: NotesApp, fields: JsonObject
):
    notes_app.tables["cards"].fields["1"] = fields
    values = "__typename like: info from class self info external_id size isOpen day startsAt notes dates mood hostIds sponsorId"

    alone = await ask(gatherings, acme, values)
    beside = await ask(gatherings, acme, f"{values} record {{ externalId }}")

    assert beside.pop("record") == {"externalId": "1"}
    # As text: 1 is equal to 1.0, and true to both.
    assert repr(alone) == repr(beside)


async def test_parts_of_a_record_lead_to_other_records_too(gatherings: Runtime, acme: Principal, notes_app: NotesApp):
    found = await ask(
        gatherings,
        acme,
        "venue { name keeperId keeper { fullName } } hosts { fullName }"
        "guests { personId plusOnes person { fullName record { externalId } } }",
    )

    assert found == {
        "venue": {"name": "Hall", "keeperId": "103", "keeper": {"fullName": "Edsger"}},
        "guests": [
            {"personId": "101", "plusOnes": 2, "person": {"fullName": "Ada", "record": {"externalId": "101"}}},
            {"personId": "999", "plusOnes": None, "person": None},
        ],
        "hosts": [{"fullName": "Grace"}],
    }
    # The app finds three at once, and the four of them are asked for together.
    assert sorted(len(ids) for ids in notes_app.ids) == [1, 3]


async def test_a_reference_to_what_no_collection_holds_says_so_and_asks_nobody(gatherings: Runtime, acme: Principal, notes_app: NotesApp):
    notes_app.requests.clear()

    result = await execute(gatherings, acme, "sponsorId sponsor { name }")

    (record,) = result.data["connection"]["collection"]["records"]["nodes"]
    assert record["unified"] == {"sponsorId": "s-1", "sponsor": None}
    (error,) = result.errors
    assert (error.path[-1], error.extensions["code"]) == ("sponsor", "UNSUPPORTED")
    assert "suppliers" in error.message
    assert notes_app.ids == []


def test_the_types_of_fields_are_those_of_the_catalog(gatherings: Runtime):
    printed = parse_schema(print_schema(gatherings.udm))
    gathering = printed.type_map["UnifiedGathering"]
    assert isinstance(gathering, GraphQLObjectType)

    assert {name: str(found.type) for name, found in gathering.fields.items()} == {
        "externalId": "String!",
        "record": "Record!",
        "from": "String",
        "class": "String",
        "self": "String",
        "info": "Float",
        "external_id": "String",
        "size": "Float",
        "isOpen": "Boolean",
        "day": "String",
        "startsAt": "DateTime",
        "notes": "JSON",
        "dates": "[DateTime!]",
        "counts": "[Float!]",
        "mood": "String",
        "venue": "UnifiedGatheringVenue",
        "guests": "[UnifiedGatheringGuest!]",
        "hostIds": "[String!]",
        "hosts": "[UnifiedUser!]",
        "sponsorId": "String",
        "sponsor": "UnifiedSupplier",
    }
    assert gathering.description == "People at a place."
    assert "UnifiedGathering" not in print_schema()


def test_every_model_has_a_type_and_every_reference_a_sibling():
    for key, shape in shapes(MODELS).items():
        made = PRINTED.type_map[shape.name]
        assert isinstance(made, GraphQLObjectType)
        assert [interface.name for interface in made.interfaces] == ["UnifiedRecord"], key
        wanted = {each.name for each in shape.fields} | {each.sibling for each in shape.fields if each.sibling is not None}
        assert set(made.fields) == wanted | {"externalId", "record"}


def test_types_of_the_schema_are_none_that_a_model_could_have():
    of_models = {name for name in PRINTED.type_map if name.startswith(PREFIX)}
    of_models -= {"UnifiedRecord", "UnifiedFieldsToNativeInput", "UnifiedFieldsToNativePayload"}
    parts = {each.shape.name for shape in shapes(MODELS).values() for each in shape.fields if each.shape is not None}

    assert of_models == {shape.name for shape in shapes(MODELS).values()} | parts


@pytest.mark.parametrize("name", ["Record", "Fields to native input", "Fields to native payload"])
def test_a_model_that_would_be_named_as_a_type_of_the_schema_is_refused(name: str, tmp_path: Path):
    file = tmp_path / "models.yaml"
    file.write_text(MODEL_FILE.replace("name: Gathering\n", f"name: {name}\n"), encoding="utf-8")

    with pytest.raises(ConfigurationError, match="stands for something else in the schema"):
        load_models([file])
