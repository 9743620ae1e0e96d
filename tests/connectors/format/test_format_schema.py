"""The JSON Schema of connector files, for editors, and the pages of the docs that explain them."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jmespath import functions
from ruamel.yaml import YAML

from gateway.connectors.loading import format_schema, load_connector_file
from gateway.connectors.schemas import CompiledSchema
from gateway.expressions.functions import ARITIES
from tests.connectors.format.conftest import SMALL

PAGES = [Path(__file__).parents[3] / "docs" / name for name in ("connectors.md", "connector-format.md")]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
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


def test_the_docs_name_every_key_of_the_format():
    schema = format_schema()
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}

    assert [key for key in sorted(keys) if not re.search(rf"`{key}`|\b{key}:", DOCS)] == []


def test_the_docs_name_every_function_beside_jmespaths_own():
    ours = set(ARITIES) - set(functions.Functions.FUNCTION_TABLE)

    listed = DOCS.split("Beside JMESPath's functions there are")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == ours


def test_the_error_rules_that_the_docs_show_are_right(load):
    rules = re.findall(r"```yaml\n(errors:\n.*?)```", DOCS, flags=re.DOTALL)

    file = load(("  errors:\n    - {when: {status: [409]}, action: retry}\n", "".join(f"  {line}\n" for line in rules[0].splitlines())))

    assert (len(rules), file.http.errors[0].wait.header) == (1, "x-ratelimit-reset")


@pytest.mark.parametrize(
    ("block", "fields"), [("operations", ["id", "text"]), ("universal_data_models", ["title", "body", "summary", "state", "due"])]
)
def test_what_the_docs_show_of_a_collection_is_right(tmp_path, block, fields):
    yaml = YAML(typ="safe", pure=True)
    (shown,) = re.findall(rf"```yaml\n({block}:\n.*?)```", DOCS, flags=re.DOTALL)
    (whole,) = re.findall(r"```yaml\n(format: .*?)```", DOCS, flags=re.DOTALL)
    file = yaml.load(whole)
    notes = file["collections"]["notes"]
    notes["fields"] = {"type": "object", "properties": {field: {} for field in fields}}
    notes |= yaml.load(shown)
    path = tmp_path / "notes.yaml"
    path.write_text(json.dumps(file), encoding="utf-8")

    assert load_connector_file(path).collections["notes"].model_dump(by_alias=True)[block]
