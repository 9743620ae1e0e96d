"""Models that an operator's file describes are known wherever models are: settings, connectors, schema."""

from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.errors import ConfigurationError, InvalidError
from gateway.graphql import build_schema, make_context
from gateway.models import Pointer, Record
from gateway.models.principal import SYSTEM
from gateway.runtime import open_runtime
from gateway.services import data_sources
from gateway.storage.encryption import Cipher
from tests.support.runtime import definition

MODELS = """\
format: models/v1
models:
  sprints:
    name: Sprint
    plural_name: Sprints
    description: Two weeks of work.
    fallbacks: {projects: {goal: description}}
    fields: {name: string, goal: string, leadId: -> users}
extensions:
  tasks:
    fields: {sprintId: -> sprints}
"""
CONNECTOR = """\
format: connector/v1
key: scrum
name: Scrum
version: 1.0.0
connection: {check: {request: {path: /}}}
auth: {open: {type: none}}
http: {base_url: "http://127.0.0.1:1"}
locations: [{collection: sprints}]
collections:
  sprints:
    name: Sprints
    fields: {type: object, properties: {title: {type: string}, lead: {type: integer}}}
    record: {id: "${record.id}"}
    operations: {list: {request: {path: /}, records: "${body}"}}
    universal_data_models: {sprints: {fields: {name: title, leadId: lead}}}
"""


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """Settings that name both files."""
    (tmp_path / "models.yaml").write_text(MODELS, encoding="utf-8")
    (tmp_path / "scrum.yaml").write_text(CONNECTOR, encoding="utf-8")
    return Settings(
        database_url=sqlite_url,
        token_secret="t" * 32,
        encryption_keys=Cipher.generate_key_ring(),
        udm_files=(tmp_path / "models.yaml",),
        connector_files=(tmp_path / "scrum.yaml",),
    )


async def test_a_data_source_a_connector_and_a_client_know_the_model(settings):
    async with open_runtime(settings) as runtime:
        await definition(runtime, "iterations", udm="sprints")
        asked = """{
          universalDataModel(key: "sprints") { pluralName }
          dataSource(by: { key: "iterations" }) { udm { key } fieldsSchema }
          connectors(first: 1, search: "Scrum") { nodes { universalDataModels { key } } }
        }"""
        schema = build_schema(runtime.udm)
        result = await schema.execute(asked, context_value=make_context(runtime, SYSTEM))

    assert result.errors is None
    assert result.data == {
        "universalDataModel": {"pluralName": "Sprints"},
        "dataSource": {"udm": {"key": "sprints"}, "fieldsSchema": runtime.udm["sprints"].fields_schema},
        "connectors": {"nodes": [{"universalDataModels": [{"key": "sprints"}]}]},
    }
    assert "sprint: UnifiedSprint" in schema.as_str()


async def test_the_connector_translates_into_the_model(settings):
    async with open_runtime(settings) as runtime:
        mapping = runtime.connectors["scrum"].mapping(Pointer("sprints"), "sprints")

    assert mapping is not None
    assert mapping.read(Record(external_id="1", fields={"title": "Ice", "lead": 5})) == {"id": "1", "name": "Ice", "leadId": "5"}
    assert runtime.connectors["scrum"].mapping(Pointer("sprints"), "projects") is None


async def test_without_the_file_nobody_knows_the_model(settings):
    with pytest.raises(
        ConfigurationError, match=r"scrum\.yaml:15: .*universal_data_models\.sprints: there is no universal data model 'sprints'"
    ):
        async with open_runtime(settings.model_copy(update={"udm_files": ()})):
            pass
    async with open_runtime(settings.model_copy(update={"udm_files": (), "connector_files": ()})) as runtime:
        with pytest.raises(InvalidError, match="There is no universal data model 'sprints'"):
            await data_sources.create(runtime, SYSTEM, key="iterations", udm="sprints")


async def test_a_wrong_file_keeps_the_gateway_from_starting(settings, tmp_path):
    (tmp_path / "models.yaml").write_text("format: models/v2", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"models\.yaml:1: format: input should be 'models/v1'"):
        async with open_runtime(settings):
            pass
