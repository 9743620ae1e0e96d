"""The connectors that a gateway knows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.connectors.catalog import Catalog
from gateway.connectors.executor import DeclarativeConnector
from gateway.connectors.http import Http
from gateway.errors import ConfigurationError
from gateway.models import AuthMethod, AuthType, CollectionSpec, ConnectorSpec
from tests.connectors.format.conftest import SMALL


@dataclass
class InPython:
    """As much of a connector as a catalog looks at."""

    spec: ConnectorSpec


def spec(key: str = "python", **changes: object) -> ConnectorSpec:
    method = AuthMethod(key="none", name="None", type=AuthType.NONE, credentials_schema={"type": "object"})
    return ConnectorSpec(key=key, name="Python", version="1.0.0", auth_methods=(method,), collections=(), **changes)  # type: ignore[arg-type]


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http()
    yield http
    await http.aclose()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


async def test_the_connectors_that_come_along_are_known_by_their_keys_in_order(http):
    catalog = Catalog.load(http)

    assert list(catalog) == ["datasette", "demo", "kinto", "pocketbase"]
    assert len(catalog) == 4
    assert isinstance(catalog["kinto"], DeclarativeConnector)
    assert catalog["kinto"].spec.name == "Kinto"
    assert catalog.get("hubspot") is None
    assert "hubspot" not in catalog


async def test_files_and_connectors_of_the_caller_join_in(http, small):
    connector = InPython(spec())

    catalog = Catalog.load(http, files=[small], connectors=[connector])

    assert list(catalog) == ["datasette", "demo", "kinto", "pocketbase", "python", "small"]
    assert catalog["python"] is connector
    assert catalog["small"].spec.version == "1.2.3"


async def test_the_problems_of_all_files_are_told_at_once(http, small, tmp_path):
    small.write_text(SMALL.replace("name: Small", "nmae: Small"))
    missing = tmp_path / "missing.yaml"

    with pytest.raises(ConfigurationError) as caught:
        Catalog.load(http, files=[small, missing])

    assert caught.value.message.splitlines() == [
        f"{small}:1: the key `name` is missing",
        f"{small}:3: nmae: unknown key; did you mean `name`?",
        f"{missing}: the file cannot be read (No such file or directory).",
    ]


async def test_a_key_is_taken_once(http, small, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(SMALL)

    with pytest.raises(ConfigurationError) as caught:
        Catalog.load(http, files=[small, other])
    assert caught.value.message == f"{other}: connector 'small' comes from {small} already; give this one another key."

    with pytest.raises(
        ConfigurationError, match=r"InPython: connector 'kinto' comes from .*kinto\.yaml already; give this one another key\."
    ):
        Catalog.load(http, connectors=[InPython(spec("kinto"))])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (spec("9key"), "connector key '9key' must start with a letter and hold letters, digits, '-' and '_'."),
        (
            spec(connection_schema={"type": "object", "properties": {"key": {"writeOnly": True}}}),
            "InPython: connection_schema marks a secret, and parameters are shown. Ask for it in a `credentials_schema`.",
        ),
        (spec(connection_schema={"type": "txt"}), "InPython: connection_schema: not a usable JSON Schema at type: "),
        (
            spec(integration_schema={"$ref": "http://127.0.0.1:1/x"}),
            "InPython: integration_schema: not a usable JSON Schema: Resource 'http://127.0.0.1:1/x' is not present",
        ),
    ],
)
async def test_a_connector_in_python_that_cannot_be_used_is_refused(http, made, message):
    with pytest.raises(ConfigurationError) as caught:
        Catalog.load(http, connectors=[InPython(made)])

    assert message in caught.value.message


async def test_the_schemas_of_a_python_connectors_collections_are_checked(http):
    broken = ConnectorSpec(
        key="python",
        name="Python",
        version="1.0.0",
        auth_methods=(),
        collections=(CollectionSpec(key="things", name="Things", fields_schema={"properties": 5}),),
    )

    with pytest.raises(ConfigurationError, match=r"collections\.things\.fields_schema: not a usable JSON Schema at properties: "):
        Catalog.load(http, connectors=[InPython(broken)])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with one entry point, whose module and entry the test writes."""
    info = tmp_path / "extra_connectors-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra-connectors\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


MODULE = """
from gateway.models import AuthMethod, AuthType, ConnectorSpec

class Extra:
    spec = ConnectorSpec(key="extra", name="Extra", version="1.0.0", auth_methods=(), collections=())

    def __init__(self, http):
        self.http = http

def nothing(http):
    return None
"""


def enter(package: Path, *, module: str, value: str) -> None:
    (package / f"{module}.py").write_text(MODULE)
    (package / "extra_connectors-1.0.dist-info" / "entry_points.txt").write_text(f"[gateway.connectors]\nextra = {value}\n")


async def test_a_package_adds_a_connector_by_its_entry_point(http, package):
    enter(package, module="extra_connectors_a", value="extra_connectors_a:Extra")

    catalog = Catalog.load(http)

    assert list(catalog) == ["datasette", "demo", "extra", "kinto", "pocketbase"]
    assert catalog["extra"].http is http


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:Extra", "(no_such_module:Extra) cannot be loaded: No module named 'no_such_module'."),
        ("extra_connectors_b:Missing", "(extra_connectors_b:Missing) cannot be loaded: "),
        ("extra_connectors_b:nothing", "(extra_connectors_b:nothing) gives no connector: it must name what takes an Http and returns one."),
        ("extra_connectors_b:MODULE_OF", "cannot be loaded"),
        ("extra_connectors_b:Extra.spec", "(extra_connectors_b:Extra.spec) gives no connector"),
    ],
)
async def test_an_entry_point_that_gives_no_connector_is_refused(http, package, value, message):
    enter(package, module="extra_connectors_b", value=value)

    with pytest.raises(ConfigurationError) as caught:
        Catalog.load(http)

    assert caught.value.message.startswith("Entry point 'extra' of the group gateway.connectors (")
    assert message in caught.value.message
