"""The fixtures that every part's tests may ask for."""

import gc
import os

import hypothesis
import pytest

from tests.support.database import database, database_url, migrated_file, sqlite_url
from tests.support.node import node, node_modules
from tests.support.postgres import postgres_server
from tests.support.shared_statements import share_statements
from tests.support.unsynced_files import leave_files_unsynced

__all__ = ["database", "database_url", "migrated_file", "node", "node_modules", "postgres_server", "sqlite_url"]

# The same examples each time: a search for others is somebody's who can look at what it finds (docs/code.md).
# No check of speed, which depends on the machine; and a fixture may serve many examples, as none leaves a trace that the next one sees.
BESIDE_THE_POINT = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=BESIDE_THE_POINT)
hypothesis.settings.register_profile("search", max_examples=5_000, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
hypothesis.settings.load_profile("suite")
share_statements()
leave_files_unsynced()
# What is imported while tests are collected stays: looking through it for garbage, again and again as it grows, finds none.
gc.disable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One test more at a time than there are processors: at times all of them wait for processes, databases or time.

    Where the environment says how many, that holds.
    """
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else _processors() + 1


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pytest_collection_finish() -> None:
    """Exempts what all tests share from the search for garbage, which else takes a fifth of their time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
