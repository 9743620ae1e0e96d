"""The parts of connector files that the docs show are right."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.connectors.format.connector import ConnectorFile
from gateway.connectors.format.rules import problems

PAGES = [Path(__file__).parents[3] / "docs" / name for name in ("connectors.md", "connector-format.md")]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
_, *FRAGMENTS = re.findall(r"```yaml\n(.*?)```", DOCS, flags=re.DOTALL)


def filled_in(part, content):
    """A connector with one of its parts as the docs show it."""
    collection = {"name": "Notes", "fields": FIELDS, "record": {"id": "${record.id}"}, "parameters": PARAMETERS}
    listing = {"request": {"path": "/notes"}, "records": "${body}"}
    file = {
        "format": "connector/v1",
        "key": "notes",
        "name": "Notes",
        "version": "1.0.0",
        "connection": {"check": {"request": {"path": "/me"}}},
        "auth": {"none": {"type": "none"}},
        "http": {"base_url": "https://notes.example.com"},
        "locations": [{"collection": "notes"}],
        "collections": {"notes": {**collection, "operations": {"list": listing}}},
    }
    of_collection = file["collections"]["notes"]
    if part == "auth":
        file["auth"] = {key: {"credentials": CREDENTIALS, **method} for key, method in content.items()}
    elif part == "list":
        of_collection["operations"] = {"list": content}
    elif part == "transforms":
        of_collection["transforms"] = content
    elif part == "sync":
        of_collection["record"] = {**of_collection["record"], "updated_at": "${record.updatedAt}"}
        of_collection["operations"]["list"] |= {"filters": BY_TIME, "order": {"fields": ["updatedAt"]}}
        of_collection["operations"]["list"]["request"] = {"path": "/notes", "query": {"sort": "${order.field}"}}
        of_collection["fields"] = {"type": "object", "properties": {**FIELDS["properties"], "updatedAt": {"type": "string"}}}
        of_collection["sync"] = content
    elif part == "webhooks":
        file["webhooks"] = content
        of_collection["webhook"] = next(iter(content))
    return file


CREDENTIALS = {
    "type": "object",
    "properties": {"privateKey": {"type": "string", "writeOnly": True}, "keyId": {"type": "string"}, "issuer": {"type": "string"}},
}
FIELDS = {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}
BY_TIME = {"updatedAt": {"gte": {"query": "from"}, "lte": {"query": "to"}}}
PARAMETERS = {"type": "object", "properties": {"folderId": {"type": "string"}}}
SHOWN = [
    (part, content)
    for text in FRAGMENTS
    for part, content in YAML(typ="safe", pure=True).load(text).items()
    if part in ("auth", "list", "sync", "transforms", "webhooks")
]


def test_every_kind_of_part_is_shown():
    assert sorted(part for part, _ in SHOWN) == ["auth", "auth", "list", "list", "sync", "sync", "transforms", "webhooks"]


@pytest.mark.parametrize(("part", "content"), SHOWN, ids=[f"{part} {index}" for index, (part, _) in enumerate(SHOWN)])
def test_a_part_that_the_docs_show_is_right(part, content):
    assert list(problems(ConnectorFile.model_validate(filled_in(part, content)))) == []
