"""A small connector file to change, and the two ways to load what came out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.loading import load_connector_file
from gateway.errors import ConfigurationError

SMALL = """\
format: connector/v1
key: small
name: Small
version: 1.2.3
connection:
  schema: {type: object, additionalProperties: false, properties: {server: {type: string}}}
  check: {request: {path: /me}}
auth:
  key:
    type: apiKey
    parameter: X-Key
    value: "${credentials.key}"
    credentials: {type: object, required: [key], properties: {key: {type: string, writeOnly: true}}}
http:
  base_url: "${connection.server}"
  errors:
    - {when: {status: [409]}, action: retry}
pagination:
  pages: {type: page, size: {name: limit}}
schemas:
  thing: {type: object, properties: {id: {type: integer}}}
locations:
  - {collection: things, name: All things}
  - directory: shelf
    name: "${item.title}"
    parameters_schema: {type: object, required: [shelf], properties: {shelf: {type: integer}}}
    parameters: {shelf: "${item.id}"}
    list: {request: {path: /shelves}, items: "${body}"}
    locations:
      - {collection: things, parameters: {shelf: "${parameters.shelf}"}}
collections:
  things:
    name: Things
    parameters: {type: object, additionalProperties: false, properties: {shelf: {type: integer}}}
    fields: {$ref: "#/schemas/thing"}
    record: {id: "${record.id}"}
    operations:
      list:
        request: {path: /things, query: {shelf: "${parameters.shelf}"}}
        pagination: pages
        records: "${body.items}"
    universal_data_models: {tasks: {}}
default_collections:
  tasks: {collection: things, parameters: {shelf: 1}}
"""

Load = Callable[..., ConnectorFile]
Problems = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads the small file with parts of its text replaced."""

    def load(*changes: tuple[str, str]) -> ConnectorFile:
        text = SMALL
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the file"
            text = text.replace(old, new)
        path = tmp_path / "small.yaml"
        path.write_text(text, encoding="utf-8")
        return load_connector_file(path)

    return load


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Problems:
    """What is wrong with the small file once parts of it are replaced, each as `LINE: key.path: problem`."""

    def problems(*changes: tuple[str, str]) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(*changes)
        prefix = f"{tmp_path / 'small.yaml'}:"
        lines = caught.value.message.splitlines()
        assert all(line.startswith(prefix) for line in lines), caught.value.message
        return [line.removeprefix(prefix) for line in lines]

    return problems
