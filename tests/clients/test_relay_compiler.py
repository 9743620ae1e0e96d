"""Relay's compiler takes the schema, and what it makes of an application's documents runs as it is."""

import json
import re
import shutil
from hashlib import sha256

import pytest

from gateway.web.persisted import PersistedDocuments, read_manifest
from tests.support.node import CLIENTS

pytestmark = pytest.mark.xdist_group("clients")

SCHEMA = CLIENTS.parents[1] / "schema.graphql"
TASKS = {"of": {"connection": {"integrationKey": "demo"}, "dataSource": {"key": "tasks"}}}


@pytest.fixture
async def compiled(node, tmp_path):
    """The documents of tests/clients/relay, compiled: their texts by name, and the file of them that the compiler wrote."""
    place = tmp_path / "relay"
    shutil.copytree(CLIENTS / "relay", place)
    shutil.copy(SCHEMA, place)
    await node.output(str(node.modules / "relay-compiler" / "cli.js"), folder=place)
    manifest = place / "documents.json"
    return {re.match(r"\w+ (\w+)", text)[1]: text for text in json.loads(manifest.read_text()).values()}, manifest


async def test_relays_compiler_takes_the_schema_and_its_documents_run(compiled, demo):
    texts, _ = compiled

    def run(name, **variables):
        answer = demo.execute(texts[name], **variables)
        assert "errors" not in answer, (name, answer)
        return answer["data"]

    assert sorted(texts) == [
        "tasksChangedSubscription",
        "tasksCreateMutation",
        "tasksNodeQuery",
        "tasksQuery",
        "tasksRecordQuery",
        "tasksRecordsQuery",
    ]
    instance = run("tasksQuery", instance=TASKS)["dataSourceInstance"]
    edges = [
        run("tasksRecordsQuery", id=instance["id"], count=2, cursor=cursor)["node"]["records"]["edges"]
        for cursor in (None, instance["records"]["edges"][1]["cursor"])
    ]
    assert [edge["node"]["id"] for page in edges for edge in page] == [edge["node"]["id"] for edge in instance["records"]["edges"][:4]]
    record = run("tasksRecordQuery", id=edges[0][0]["node"]["id"])["node"]
    assert record["unified"]["__typename"] == "UnifiedTask"
    values = {"unifiedFields": {"subject": "Made by Relay", "priority": "medium", "projectId": "1"}}
    assert run("tasksCreateMutation", input={"in": {"dataSourceInstance": TASKS}, "values": values})["recordCreate"]["userErrors"] == []
    (baseline,) = demo.listen(texts["tasksChangedSubscription"], instance=TASKS)
    assert baseline["data"]["recordsChanged"]["events"] == []


async def test_the_file_of_documents_that_relays_compiler_writes_is_a_manifest(compiled):
    texts, manifest = compiled
    trusted = PersistedDocuments(read_manifest(manifest), only_trusted=True)

    assert {trusted.resolved({"documentId": sha256(text.encode()).hexdigest()}) for text in texts.values()} == set(texts.values())
