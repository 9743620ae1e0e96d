"""The JSON Schema of connector files, for editors."""

import json
from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from gateway.connectors.loading import format_schema
from gateway.connectors.schemas import CompiledSchema
from tests.connectors.format.conftest import SMALL

BUNDLED = sorted(file.name for file in files("gateway.connectors.catalog").iterdir() if file.name.endswith(".yaml"))


def violations(text: str) -> list[str]:
    content = YAML(typ="safe", pure=True).load(text)
    return [violation.message for violation in CompiledSchema.compile(format_schema(), at="format").violations(content)]


@pytest.mark.parametrize("name", BUNDLED)
def test_each_connector_file_that_comes_along_satisfies_the_schema(name):
    assert violations(files("gateway.connectors.catalog").joinpath(name).read_text(encoding="utf-8")) == []


def test_an_unknown_key_breaks_the_schema_and_a_note_does_not():
    assert violations(SMALL) == []
    assert violations(SMALL.replace("name: Small", "name: Small\nx-note: 1")) == []
    assert violations(SMALL.replace("name: Small", "name: Small\nnote: 1")) == [
        "Additional properties are not allowed ('note' was unexpected)"
    ]
    assert violations(SMALL.replace("name: Small\n", "")) == ['"name" is a required property']


def test_the_schema_stands_by_itself_and_describes_its_parts():
    schema = format_schema()

    assert schema["title"] == "Connector, format version 1"
    assert json.loads(json.dumps(schema)) == schema
    assert all(part.get("description") for part in schema["$defs"].values())
