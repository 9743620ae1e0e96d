"""The floors hold: imports only go down, nothing goes in circles, no file outgrows a sitting, and every effect has one home."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parents[1] / "gateway"
FLOORS = [
    {"errors", "clock", "expressions", "values"},
    {"config", "models"},
    {"documents"},
    {"udm"},
    {"storage", "connectors"},
    {"events"},
    {"runtime"},
    {"services"},
    {"sync"},
    {"graphql"},
    {"web"},
    {"testing", "demo"},
    {"cli"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
ABOVE_THE_FLOORS = {"__init__", "__main__"}
FILES = sorted(PACKAGE.rglob("*.py"))

HOME_OF = {
    "os.environ": {"config.py"},
    "os.getenv": {"config.py"},
    "datetime.now": {"clock.py"},
    "datetime.utcnow": set(),
    "datetime.today": set(),
    "date.today": set(),
    "time.time": set(),
    "time.time_ns": set(),
    "time.monotonic": {"clock.py"},
    "time.perf_counter": set(),
    "time.sleep": set(),
}
"""Where an effect may stand. Everywhere else it comes in as an argument."""
SERVICES_OF_THE_SYNC_ENGINE = {"gateway.services.access", "gateway.services.elements", "gateway.services.instance_context"}
"""What opens an instance and its app. In all else the two meet in tables: a service asks for work, and the engine finds it there."""
LEAVES_ERRORS_TO_GRAPHQL = {f"graphql/execution/{module}.py" for module in ("executor", "functions", "selections", "variables")}
"""Where any error is caught: resolvers raise them, and the stock executor tells of them."""
PASSES_EVERYTHING_ON = {"graphql/batching.py"}
"""Where even a cancellation is caught: it is passed on, to whoever waits or after cleaning up."""
LONGEST_FILE = 350
LONGEST_FUNCTION = 40


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


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


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def effects(tree: ast.Module) -> set[str]:
    """What a file takes from a module or class, as `owner.name`, whether it spells the owner each time or imports the name."""
    attributes = {".".join(ast.unparse(node).split(".")[-2:]) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return attributes | {f"{node.module}.{alias.name}" for node in imports for alias in node.names}


def test_every_part_stands_on_a_floor():
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}

    assert parts - ABOVE_THE_FLOORS <= set(FLOOR_OF)


def test_imports_only_go_down():
    wrong = []
    for path in FILES:
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        imported = {name.split(".")[1] for name in imported_modules(tree_of(path))} - {part}
        if part not in ABOVE_THE_FLOORS:
            wrong += [f"{name_of(path)} may not import {other}" for other in sorted(imported) if FLOOR_OF[other] >= FLOOR_OF[part]]

    assert wrong == []


def test_the_sync_engine_uses_of_the_services_only_what_opens_an_instance_and_its_app():
    used = {name for path in FILES if "sync" in path.relative_to(PACKAGE).parts for name in imported_modules(tree_of(path))}

    assert {name for name in used if name.startswith("gateway.services")} <= SERVICES_OF_THE_SYNC_ENGINE


def test_only_who_starts_processes_knows_the_sync_engine():
    users = {name_of(path) for path in FILES if any(name.startswith("gateway.sync") for name in imported_modules(tree_of(path)))}

    assert {user.split("/")[0] for user in users} <= {"sync", "cli", "demo"}


def test_no_import_goes_in_a_circle():
    graph = {module: imported_modules(tree_of(path)) & set(MODULES) for module, path in MODULES.items()}

    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_imports_stand_at_the_top_and_name_the_whole_path():
    wrong = []
    for path in FILES:
        inside = [node for function in functions(path) for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        relative = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom) and node.level > 0]
        wrong += [f"{name_of(path)}:{node.lineno}" for node in inside + relative]

    assert wrong == []


def test_no_file_outgrows_a_sitting():
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_longer_than_forty_lines():
    lengths = [(f"{name_of(path)}: {function.name}", length_of(function)) for path in FILES for function in functions(path)]

    assert [(name, length) for name, length in lengths if length > LONGEST_FUNCTION] == []


def test_functions_are_short_by_habit():
    assert median(length_of(function) for path in FILES for function in functions(path)) < 10


def test_every_effect_has_one_home():
    wrong = []
    for path in FILES:
        used = effects(tree_of(path))
        wrong += [f"{name_of(path)} uses {name}" for name, homes in HOME_OF.items() if name in used and name_of(path) not in homes]

    assert wrong == []


def test_what_is_caught_is_named():
    caught = [(path, node) for path in FILES for node in ast.walk(tree_of(path)) if isinstance(node, ast.ExceptHandler)]

    unnamed = {name_of(path) for path, node in caught if node.type is None or ast.unparse(node.type) == "Exception"}
    whole = {name_of(path) for path, node in caught if node.type is not None and ast.unparse(node.type) == "BaseException"}
    assert unnamed <= LEAVES_ERRORS_TO_GRAPHQL
    assert whole <= PASSES_EVERYTHING_ON


def test_what_a_module_lists_as_public_is_sorted_and_true():
    wrong = []
    for path in FILES:
        listed = [node for node in tree_of(path).body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
        names = ast.literal_eval(listed[0].value) if listed else []
        module = importlib.import_module(module_of(path)) if listed else None
        if names != sorted(set(names), key=as_ruff_sorts) or not all(hasattr(module, name) for name in names):
            wrong.append(name_of(path))

    assert wrong == []


def test_a_part_lists_all_that_it_imports_for_others():
    wrong = []
    for path in (path for path in FILES if path.name == "__init__.py"):
        imported = {alias.asname or alias.name for node in tree_of(path).body if isinstance(node, ast.ImportFrom) for alias in node.names}
        used = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
        listed = set(getattr(importlib.import_module(module_of(path)), "__all__", ()))
        wrong += [f"{name_of(path)}: {name}" for name in sorted(imported - used - listed) if not name.startswith("_")]

    assert wrong == []
