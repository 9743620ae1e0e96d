"""The docs are true: what they name exists, what exists is in them, and what they show works."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from gateway.cli.application import application
from gateway.config import Settings, read_settings
from gateway.connectors.loading import load_connector_file
from gateway.errors import GatewayError
from gateway.graphql import build_schema
from gateway.storage.encryption import Cipher
from tests.support.demo import demo_process
from tests.support.documents import documents_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
CATALOG = ROOT / "gateway" / "connectors" / "catalog"
PARTS = sorted({path.stem for path in (ROOT / "gateway").iterdir() if not path.stem.startswith("_")})
NAMES_FROM_ELSEWHERE = {
    "FILE.keys",
    "pyproject.toml",
    "extensions.cost",
    "extensions.field",
    "extensions.retryAfterSeconds",
    "extensions.userErrors",
    "headers.link.next",
    "order.direction",
    "order.field",
    "order.fields",
    "retry.max_seconds",
    "page.number",
    "http.rate_limit",
    "http.background",
    "since.start",
    "since.end",
    "since.token",
    "page.offset",
    "page.size",
    "page.token",
    "page.count",
    "webhook.secret",
    "webhook.url",
}
"""Files that users have, a part of GraphQL's answers, and what expressions in connector files know."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def headings(page: Path, *, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def tables(page: Path) -> list[list[str]]:
    return [table.splitlines() for table in re.findall(r"(?:^\|.*\|\n)+", page.read_text(encoding="utf-8"), flags=re.MULTILINE)]


def blocks(page: Path, *, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def in_backticks(page: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


def error_classes(parent: type[GatewayError] = GatewayError) -> set[type[GatewayError]]:
    return {parent}.union(*(error_classes(child) for child in parent.__subclasses__()))


def commands() -> dict[str, set[str]]:
    """Each command with its options."""
    found = {}
    for name, command in typer.main.get_command(application).commands.items():
        inner = {f"{name} {verb}": each for verb, each in command.commands.items()} if hasattr(command, "commands") else {name: command}
        for verb, each in inner.items():
            options = {option for parameter in each.params for option in parameter.opts if option.startswith("--")}
            found[f"gateway {verb}"] = options - {"--help"}
    return found


def test_every_setting_has_its_heading_and_the_right_default():
    page = DOCS / "configuration.md"
    text = page.read_text(encoding="utf-8")

    assert sorted(headings(page, level=2)) == sorted(f"GATEWAY_{name.upper()}" for name in Settings.model_fields)
    for name, field in Settings.model_fields.items():
        section = text.split(f"## GATEWAY_{name.upper()}\n\n")[1].split("\n\n")[0]
        if field.is_required():
            assert section.startswith("Required")
        elif field.default in ((), None):
            assert section.startswith("Default: none.")
        else:
            assert str(field.default).removesuffix(".0") in section


def test_every_error_code_has_its_heading():
    codes = {error.code for error in error_classes() if "code" in vars(error)}

    assert sorted(headings(DOCS / "errors.md", level=3)) == sorted(codes)


def test_something_gives_every_code():
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "gateway").rglob("*.py") if file.name != "errors.py")

    for error in error_classes():
        if "code" in vars(error):
            assert re.search(rf"\b{error.__name__}\b", code), error


def test_every_command_has_its_heading_and_every_option_its_word():
    page = DOCS / "cli.md"

    assert sorted(headings(page, level=2)) == sorted(commands())
    for command, options in commands().items():
        section = page.read_text(encoding="utf-8").split(f"## {command}\n")[1].split("\n## ")[0]
        assert options - set(re.findall(r"--[a-z-]+", section)) == set(), command


def test_every_connector_of_the_catalog_has_its_heading():
    documented = headings(DOCS / "catalog.md", level=2)

    assert documented == ["demo", "kinto", "datasette", "pocketbase"]
    assert sorted(file.stem for file in CATALOG.glob("*.yaml")) == sorted(documented)


def test_the_connector_that_the_docs_show_is_right(tmp_path):
    (tmp_path / "notes.yaml").write_text(blocks(DOCS / "connectors.md", language="yaml")[0], encoding="utf-8")

    assert load_connector_file(tmp_path / "notes.yaml").key == "notes"


def test_the_suite_that_the_docs_show_runs(tmp_path):
    page = DOCS / "connectors.md"
    (tmp_path / "notes.yaml").write_text(blocks(page, language="yaml")[0], encoding="utf-8")
    (tmp_path / "test_notes.py").write_text(blocks(page, language="python")[0], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "-q", "test_notes.py"]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.returncode, re.findall(r"\d+ passed|\d+ failed", run.stdout)) == (0, ["6 passed"]), run.stdout


@each_page
def test_every_link_to_a_heading_leads_to_one(page: Path):
    targets = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text(encoding="utf-8"))

    assert [(file, heading) for file, heading in targets if heading not in anchors(page.parent / file if file else page)] == []


def anchors(page: Path) -> set[str]:
    every = [heading for level in (1, 2, 3) for heading in headings(page, level=level)]
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in every}


@each_page
def test_every_link_to_a_file_leads_to_one(page: Path):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []


@each_page
def test_every_path_of_the_repository_that_is_named_exists(page: Path):
    named = {name for name in in_backticks(page) if re.fullmatch(r"(gateway|tests|docs|benchmarks|\.ci)(/[\w.-]+)+/?", name)}

    assert [name for name in named if not (ROOT / name).exists()] == []


@each_page
def test_every_test_that_is_named_exists(page: Path):
    named = {name for name in in_backticks(page) if "::" in name}

    assert [name for name in named if not is_test(name)] == []


def is_test(name: str) -> bool:
    file, _, function = name.partition("::")
    path = ROOT / file
    return path.is_file() and re.search(rf"^(async )?def {function}\(", path.read_text(encoding="utf-8"), re.M) is not None


def test_each_guarantee_of_the_events_names_a_test_that_holds_it():
    section = (DOCS / "events.md").read_text(encoding="utf-8").split("## Guarantees\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\|.*\|$", section, re.M)[2:]

    assert len(rows) == 17
    assert [row for row in rows if not re.search(r"`tests/[\w/.]+::test_\w+`", row)] == []


def test_each_protocol_audit_and_client_names_a_test_that_holds_it():
    rows = [row for table in tables(DOCS / "protocols.md") if table[0].endswith(" Held by |") for row in table[2:]]

    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r"\| `tests/[\w/.]+::test_\w+` \|$", row)] == []


def test_the_packages_that_are_run_are_pinned_exactly_and_told_as_they_are():
    pinned = json.loads((ROOT / "tests" / "clients" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    told = re.findall(r"npm `([^`]+)` ([0-9][0-9.]*)", (DOCS / "protocols.md").read_text(encoding="utf-8"))

    assert [version for version in pinned.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert ("graphql-http", pinned["graphql-http"]) in told
    assert [(name, version) for name, version in told if pinned.get(name) != version] == []


@each_page
def test_every_name_with_a_dot_resolves(page: Path):
    named = {name for name in in_backticks(page) if re.fullmatch(r"\w+(\.\w+)+", name)} - NAMES_FROM_ELSEWHERE

    assert [name for name in named if not (is_file(name) or is_python(name) or is_graphql(name))] == []


def is_file(name: str) -> bool:
    return (ROOT / name).exists()


def is_python(name: str) -> bool:
    *module, attribute = name.removeprefix("gateway.").split(".")
    home = ROOT / "gateway" / Path(*module)
    if (module or [attribute])[0] not in PARTS:
        return False
    file = home.with_suffix(".py")
    is_module = (home / attribute).is_dir() or (home / f"{attribute}.py").exists()
    return is_module or (file.exists() and re.search(rf"\b(class|def) {attribute}\b", file.read_text(encoding="utf-8")) is not None)


def is_graphql(name: str) -> bool:
    sdl = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    return all(re.search(rf"^  {part}[(:]", sdl, re.M) for part in name.split("."))


@each_page
def test_every_operation_that_is_shown_fits_the_schema_and_the_limits(page: Path):
    documents = documents_of(build_schema())

    assert [fault.message for operation in blocks(page, language="graphql") for fault in documents.get(operation).errors] == []


@each_page
def test_every_setting_that_is_named_exists(page: Path):
    named = set(re.findall(r"GATEWAY_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8"))) - {"GATEWAY_TEST_POSTGRES_URL"}

    assert sorted(named - {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}) == []


@pytest.mark.parametrize(
    "part", ["gateway/events/", "gateway/services/", "gateway/udm/", "gateway/connectors/executor/", "gateway/graphql/"]
)
def test_every_module_of_the_larger_parts_has_its_place(part: str):
    section = (DOCS / "code.md").read_text(encoding="utf-8").split(f"### `{part}`\n")[1].split("\n#")[0]
    named = [name for row in re.findall(r"^\|.*\|$", section, re.M) for name in re.findall(r"`(\w+)`", row.split(";")[0])]

    assert sorted(named) == sorted(path.stem for path in (ROOT / part).glob("*.py") if path.stem != "__init__")


def test_every_term_of_the_glossary_is_a_word_of_the_schema_or_the_code():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    terms = re.findall(r"^\| ([A-Z][a-z ]+) \|", (DOCS / "glossary.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]

    assert len(terms) > 20
    unknown = [term for term in terms if term.title().replace(" ", "") not in code and term.lower().replace(" ", "_") not in code]
    assert unknown == []


def test_the_readme_tells_the_two_commands_within_the_first_screen():
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:20]

    commands = [line.split("#")[0].strip() for line in first_screen if line.startswith("    python3")]
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/gateway demo",
        "python3 -m venv .venv && .venv/bin/pip install --quiet '.[test]' && .venv/bin/pytest",
    ]


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "configuration.md"], ids=lambda page: page.name)
def test_the_secrets_that_the_docs_make_are_right(page: Path):
    block = next(block for block in blocks(page, language="bash") if "export" in block)
    exports = "".join(line for line in block.splitlines(keepends=True) if line.startswith("export "))

    made = subprocess.run(["bash", "-c", f"{exports}env"], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)

    values = dict(line.split("=", 1) for line in made.stdout.splitlines() if line.startswith("GATEWAY_"))
    settings = read_settings(Settings, **{name.removeprefix("GATEWAY_").lower(): value for name, value in values.items()})
    Cipher.from_key_ring(settings.encryption_keys)
    assert sorted(values) == ["GATEWAY_ENCRYPTION_KEYS", "GATEWAY_TOKEN_SECRET"]


@pytest.mark.xdist_group("demo")
def test_the_operations_of_the_readme_work_as_they_stand():
    first, graph, point, follow = blocks(ROOT / "README.md", language="graphql")

    with demo_process() as demo:
        before = demo.execute(first)
        tasks = demo.execute(graph)["data"]["dataSourceInstance"]["records"]["nodes"]
        heard = demo.listen(follow, frames=2)
        pointed = demo.execute(point)

    instance = before["data"]["dataSourceInstance"]
    assert (instance["path"], instance["isCustomized"], len(instance["records"]["nodes"])) == ("/data/tasks", False, 3)
    assert instance["records"]["nodes"][0]["externalId"] == "101"
    payload = pointed["data"]["dataSourceInstanceUpdate"]
    assert payload["userErrors"] == []
    assert payload["dataSourceInstance"]["path"] == "/data/tasks?projectId=2&status=open"
    assert len(payload["dataSourceInstance"]["records"]["nodes"]) == 3
    assert [len(tasks), tasks[0]["unified"]["subject"]] == [20, "Measure the start page"]
    assert all(task["unified"]["project"]["name"] for task in tasks)
    assert any(task["unified"]["assignee"]["fullName"] for task in tasks)
    baseline, changes = (frame["data"]["recordsChanged"] for frame in heard)
    assert baseline["events"] == []
    assert changes["cursor"] != baseline["cursor"]
    assert {event["type"] for event in changes["events"]} <= {"CREATED", "UPDATED", "DELETED"}
    assert all(event["externalId"] and event["recordedAt"] for event in changes["events"])
