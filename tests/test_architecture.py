"""The floors hold: imports only go down, nothing goes in circles, no file outgrows a sitting, and every effect has one home."""

import ast
import importlib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gateway"
FLOORS = [
    {"errors", "clock", "expressions"},
    {"config", "models"},
    {"udm"},
    {"storage", "connectors"},
    {"runtime"},
    {"services"},
    {"graphql"},
    {"web"},
    {"testing", "demo"},
    {"cli"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
ABOVE_THE_FLOORS = {"__init__", "__main__"}
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

HOME_OF = {
    "os.environ": {"config.py"},
    "os.getenv": {"config.py"},
    "datetime.now": {"clock.py"},
    "datetime.utcnow": set(),
    "datetime.today": set(),
    "time.time": set(),
}
"""Where an effect may stand. Everywhere else it comes in as an argument."""
CATCHES_EVERYTHING = {"graphql/masking.py"}
"""A defect must not show its text to a client; everything else names what it catches."""


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}
each_file = pytest.mark.parametrize("path", FILES, ids=name_of)


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if is_for_types_only(node):
            continue
        yield node
        yield from nodes_that_run(node)


def imported_modules(tree: ast.Module) -> set[str]:
    """The modules of the gateway that a file imports, wherever in the file it does."""
    names = set()
    for node in nodes_that_run(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            names |= {full if (full := f"{node.module}.{alias.name}") in MODULES else node.module for alias in node.names}
    return {name for name in names if name.startswith("gateway.")}


def as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_part_stands_on_a_floor():
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}

    assert parts - ABOVE_THE_FLOORS <= set(FLOOR_OF)


@each_file
def test_imports_only_go_down(path: Path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ABOVE_THE_FLOORS:
        return

    for imported in {name.split(".")[1] for name in imported_modules(TREES[path])} - {part}:
        assert FLOOR_OF[imported] < FLOOR_OF[part], f"{part} may not import {imported}"


def test_no_import_goes_in_a_circle():
    graph = {module: imported_modules(TREES[path]) & set(MODULES) for module, path in MODULES.items()}

    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


@each_file
def test_imports_stand_at_the_top_and_name_the_whole_path(path: Path):
    inside = [node for function in functions(TREES[path]) for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
    relative = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.ImportFrom) and node.level > 0]

    assert [node.lineno for node in inside + relative] == []


@each_file
def test_no_file_outgrows_a_sitting(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


@each_file
def test_no_function_is_longer_than_forty_lines(path: Path):
    long = [f"{f.name}: {f.end_lineno - f.lineno + 1}" for f in functions(TREES[path]) if (f.end_lineno or 0) - f.lineno + 1 > 40]

    assert long == []


@each_file
def test_every_effect_has_one_home(path: Path):
    used = {ast.unparse(node) for node in ast.walk(TREES[path]) if isinstance(node, ast.Attribute)}

    assert [name for name, homes in HOME_OF.items() if name in used and name_of(path) not in homes] == []


@each_file
def test_what_is_caught_is_named(path: Path):
    caught = [node.type for node in ast.walk(TREES[path]) if isinstance(node, ast.ExceptHandler)]
    everything = [kind for kind in caught if kind is None or ast.unparse(kind) == "Exception"]

    assert not everything or name_of(path) in CATCHES_EVERYTHING


@each_file
def test_what_a_module_lists_as_public_is_sorted_and_true(path: Path):
    listed = [node for node in TREES[path].body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    if not listed:
        return

    names = ast.literal_eval(listed[0].value)
    module = importlib.import_module(module_of(path))
    assert names == sorted(set(names), key=as_ruff_sorts)
    assert [name for name in names if not hasattr(module, name)] == []


@each_file
def test_a_part_lists_all_that_it_imports_for_others(path: Path):
    if path.name != "__init__.py":
        return

    imported = {alias.asname or alias.name for node in TREES[path].body if isinstance(node, ast.ImportFrom) for alias in node.names}
    module = importlib.import_module(module_of(path))
    private = {name for name in imported if name.startswith("_")}
    used = {node.id for node in ast.walk(TREES[path]) if isinstance(node, ast.Name)}
    assert sorted(imported - private - used - set(getattr(module, "__all__", ()))) == []
