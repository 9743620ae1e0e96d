"""The commands that need no server."""

import subprocess
import sys
from pathlib import Path

from gateway import __version__
from gateway.storage.database import Database

ROOT = Path(__file__).parents[2]


def test_the_schema_is_the_committed_one(gateway):
    outcome = gateway("schema")

    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


def test_the_schema_with_files_of_models_has_their_types(gateway, tmp_path):
    sprints = "  sprints: {name: Sprint, plural_name: Sprints, description: Two weeks., fields: {name: string}}\n"
    (tmp_path / "models.yaml").write_text(f"format: models/v1\nmodels:\n{sprints}", encoding="utf-8")
    (tmp_path / "more.yaml").write_text("format: models/v1\nextensions: {tasks: {fields: {sprintId: -> sprints}}}\n", encoding="utf-8")

    outcome = gateway("schema", "--models", "models.yaml", "--models", "more.yaml")

    assert outcome.exit_code == 0
    assert "type UnifiedSprint implements UnifiedRecord {" in outcome.stdout
    assert "\n  sprint: UnifiedSprint\n" in outcome.stdout.split("type UnifiedTask ")[1].split("\n}")[0]


def test_a_mistake_in_a_file_of_models_is_told_with_its_line(gateway, tmp_path):
    (tmp_path / "models.yaml").write_text("format: models/v1\nextensions: {tasks: {fields: {mood: moody}}}\n", encoding="utf-8")

    outcome = gateway("schema", "--models", "models.yaml")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert outcome.stderr.startswith("Error: models.yaml:2: extensions.tasks.fields.mood: 'moody' is no kind of field; there are string, ")


def run_alone(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with this environment and no other."""
    return subprocess.run([sys.executable, "-m", "gateway", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)


async def test_migrate_makes_a_database_that_answers_and_needs_no_secret(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/new.db"

    run = run_alone("migrate", GATEWAY_DATABASE_URL=url)

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "The database is up to date.\n")
    database = Database.connect(url)
    await database.check()
    await database.close()


def test_a_database_that_cannot_be_used_is_a_matter_of_configuration(gateway, environment):
    environment(database_url="mysql://host/name")

    outcome = gateway("migrate")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert "GATEWAY_DATABASE_URL: it must start with sqlite+aiosqlite: or postgresql+asyncpg:" in outcome.stderr
    assert "mysql" not in outcome.stderr


def test_serve_does_not_start_without_keys_and_leaves_no_file(gateway, tmp_path):
    outcome = gateway("serve")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert outcome.stderr == (
        "Error: The configuration is not right. GATEWAY_TOKEN_SECRET: it is not set; GATEWAY_ENCRYPTION_KEYS: it is not set. "
        "See docs/configuration.md.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_the_packages(gateway):
    outcome = gateway("--version")

    assert (outcome.exit_code, outcome.stdout) == (0, f"{__version__}\n")


def test_without_a_command_the_help_names_them_all(gateway):
    outcome = gateway()

    assert outcome.exit_code == 2
    for command in ("demo", "serve", "migrate", "schema", "token", "connectors"):
        assert command in outcome.stdout + outcome.stderr


def test_a_misspelt_command_is_told_with_the_one_that_was_meant(gateway):
    outcome = gateway("tokn")

    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == "Error: No such command 'tokn'. Did you mean 'token'? Add --help to see how it is meant.\n"
