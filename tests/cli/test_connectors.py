"""`gateway connectors`."""

import json
import shutil
from pathlib import Path

import jsonschema_rs

CATALOG = Path(__file__).parents[2] / "gateway" / "connectors" / "catalog"


def test_the_connectors_are_listed_by_key(gateway):
    outcome = gateway("connectors", "list")

    assert outcome.exit_code == 0
    assert keys_of(outcome.stdout) == ["Key", "datasette", "demo", "kinto", "pocketbase"]
    demo = " ".join(outcome.stdout.split()).partition(" demo ")[2].partition(" kinto ")[0]
    assert demo == "Demo 1.0.0 tasks, projects, tasks, projects, users users"


def test_the_operators_own_files_are_listed_too(gateway, environment, tmp_path):
    (tmp_path / "mine.yaml").write_text((CATALOG / "demo.yaml").read_text().replace("key: demo", "key: mine", 1))
    environment(connector_files="mine.yaml")

    outcome = gateway("connectors", "list")

    assert outcome.exit_code == 0
    assert keys_of(outcome.stdout) == ["Key", "datasette", "demo", "kinto", "mine", "pocketbase"]


def test_an_own_file_that_is_missing_or_takes_a_key_that_is_taken_is_told(gateway, environment, tmp_path):
    shutil.copy(CATALOG / "demo.yaml", tmp_path / "copy.yaml")
    environment(connector_files="nowhere.yaml")
    missing = gateway("connectors", "list")
    environment(connector_files="copy.yaml")
    taken = gateway("connectors", "list")

    assert (missing.exit_code, missing.stderr) == (78, "Error: nowhere.yaml: the file cannot be read (No such file or directory).\n")
    assert taken.exit_code == 78
    assert taken.stderr == f"Error: copy.yaml: connector 'demo' comes from {CATALOG / 'demo.yaml'} already; give this one another key.\n"


def test_a_right_file_is_told_what_it_holds(gateway, tmp_path):
    shutil.copy(CATALOG / "demo.yaml", tmp_path / "mine.yaml")

    outcome = gateway("connectors", "check", "mine.yaml")

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == (
        "mine.yaml: connector demo 1.0.0 is right. Collections: tasks, projects, users. Authentication: token, api_key.\n"
    )


def test_every_wrong_file_is_told_of_with_line_and_key(gateway, tmp_path):
    right = (CATALOG / "demo.yaml").read_text()
    (tmp_path / "one.yaml").write_text(right.replace("version: 1.0.0", "version: one"))
    (tmp_path / "two.yaml").write_text(right)
    (tmp_path / "three.yaml").write_text(right.replace("pagination: pages, items", "pagination: sheets, items"))

    outcome = gateway("connectors", "check", "one.yaml", "two.yaml", "three.yaml")

    assert outcome.exit_code == 78
    assert "one.yaml:5: version: " in outcome.stderr
    assert "there is no pagination 'sheets'; there are none, pages" in outcome.stderr
    assert outcome.stdout.startswith("two.yaml: connector demo 1.0.0 is right.")


def test_a_file_that_is_not_there_is_usage(gateway):
    assert gateway("connectors", "check", "nowhere.yaml").exit_code == 2


def test_the_printed_schema_takes_the_connectors_of_the_catalog_and_refuses_others(gateway):
    schema = json.loads(gateway("connectors", "schema").stdout)

    assert jsonschema_rs.meta.is_valid(schema)
    assert schema["title"] == "Connector, format version 1"
    assert not jsonschema_rs.is_valid(schema, {"format": "connector/v2"})


def keys_of(table: str) -> list[str]:
    """The first column: a row goes on in lines that begin with nothing in it."""
    return [line.split()[0] for line in table.splitlines() if not line.startswith("  ")]
