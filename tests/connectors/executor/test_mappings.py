"""What a connector file says of models becomes mappings that translate."""

from gateway.connectors.executor.mappings import unified_mapping, unified_mappings
from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.mappings import ModelMapping
from gateway.expressions import Template
from gateway.models import Record
from gateway.udm import MODELS, FieldRule
from tests.connectors.executor.notes import notes_file


def test_every_key_of_a_mapping_becomes_its_part_of_a_rule():
    mapping = ModelMapping.model_validate(
        {
            "fields": {
                "fullName": "name",
                "stage": {"field": "state", "values": {"1": "new"}},
                "jobTitle": {"field": "job", "from": "${upper(value)}", "to": "${lower(value)}"},
                "primaryAddress": {"fields": {"city": "town"}},
                "emails": {"field": "mails", "each": {"value": "address", "type": {"from": "${fields.kind}"}}},
            }
        }
    )

    assert unified_mapping(mapping, MODELS["contacts"]).rules == {
        "fullName": FieldRule(path="name"),
        "stage": FieldRule(path="state", values={"1": "new"}),
        "jobTitle": FieldRule(path="job", from_=Template.compile("${upper(value)}"), to=Template.compile("${lower(value)}")),
        "primaryAddress": FieldRule(fields={"city": FieldRule(path="town")}),
        "emails": FieldRule(
            path="mails", each={"value": FieldRule(path="address"), "type": FieldRule(from_=Template.compile("${fields.kind}"))}
        ),
    }


def test_the_mappings_of_a_file_are_found_by_collection_and_model():
    content = notes_file("http://127.0.0.1:1")
    (key,) = content["collections"]
    content["collections"][key]["universal_data_models"] = {"notes": {"fields": {"title": "text"}}, "nonsense": {}}

    found = unified_mappings(ConnectorFile.model_validate(content), MODELS)

    assert list(found) == [(key, "notes")]
    assert found[key, "notes"].read(Record(external_id="1", fields={"text": "A"})) == {"id": "1", "title": "A"}
