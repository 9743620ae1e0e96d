"""The page of limits is true: each setting is on it with its default, and what goes beyond it is refused with the code told there."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from gateway.config import LimitSettings, Settings
from gateway.runtime import open_runtime
from gateway.testing import FakeClock
from gateway.web.app import create_app

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = [
    (setting, default, code, held_by)
    for _, setting, default, code, held_by in re.findall(r"^\| (.+?) \| (.*?) ?\| (\S+) \| `([A-Z_]+)` \| `(\S+)` \|$", PAGE, re.M)
]
SETTINGS = {
    match.group(1).lower(): (default, code) for setting, default, code, _ in ROWS if (match := re.search(r"`GATEWAY_(\w+)`", setting))
}
NO_LIMITS = {"persisted_documents", "status_codes"}

VIEWER = "{ viewer { isAdmin } }"
FIFTY = "{ connectors(first: 49) { nodes { key } } }"

Asking = Callable[[httpx.AsyncClient], Awaitable[Any]]


def posting(query: str, *, times: int = 1) -> Asking:
    async def ask(http: httpx.AsyncClient) -> Any:
        answers = [(await http.post("/graphql", json={"query": query})).json() for _ in range(times)]
        return answers[-1]

    return ask


async def two_in_a_list(http: httpx.AsyncClient) -> Any:
    return (await http.post("/graphql", json=[{"query": VIEWER}] * 2)).json()


async def a_long_body(http: httpx.AsyncClient) -> Any:
    return (await http.post("/graphql", json={"query": VIEWER + " " * 1_024})).json()


REFUSED: dict[str, tuple[Any, Asking]] = {
    "max_body_bytes": (1_024, a_long_body),
    "max_batch_size": (1, two_in_a_list),
    "max_document_tokens": (10, posting("{ viewer { isAdmin customer { id name } } }")),
    "max_depth": (1, posting(VIEWER)),
    "max_aliases": (0, posting("{ who: viewer { isAdmin } }")),
    "max_root_fields": (1, posting("{ viewer { isAdmin } __typename }")),
    "max_directives": (0, posting("{ viewer @include(if: true) { isAdmin } }")),
    "introspection": (False, posting("{ __schema { queryType { name } } }")),
    "max_cost": (49, posting(FIFTY)),
    "cost_bucket": (55, posting("{ universalDataModels { key } }", times=12)),
    "cost_restored_per_second": (1e-6, posting("{ __schema { queryType { name } } }", times=501)),
    "max_page_size": (60, posting("{ connectors(first: 61) { totalCount } connections(first: 61) { totalCount } }")),
    "operation_timeout_seconds": (1e-9, posting("{ connections { totalCount } }")),
}
"""For each setting a value with which a request is refused that the default allows."""
HELD_ELSEWHERE = {
    "persisted_documents_only",
    "max_sockets_per_customer",
    "max_subscriptions_per_socket",
    "max_subscriptions_per_customer",
    "max_app_page_size",
    "upstream_calls_per_operation",
    "upstream_deadline_seconds",
    "upstream_max_response_bytes",
    "max_webhook_bytes",
}
"""What takes several connections, an app or a file to be refused: by the tests that the page names."""


def codes_of(answer: Any) -> set[str]:
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


def test_every_limit_is_on_the_page_with_its_default():
    assert set(LimitSettings.model_fields) - NO_LIMITS - set(SETTINGS) == set()
    for name, (default, _) in SETTINGS.items():
        assert str(Settings.model_fields[name].default).removesuffix(".0") == default, name


def test_every_limit_is_held_by_a_refusal_here_or_by_the_test_that_the_page_names():
    assert set(REFUSED) | HELD_ELSEWHERE == set(SETTINGS)
    assert len(ROWS) == len(SETTINGS) + 2  # Two are no settings.


@pytest.mark.parametrize("name", REFUSED)
async def test_what_goes_beyond_a_limit_is_refused_with_the_code_of_the_page(name: str, settings: Settings, clock: FakeClock, bearer: Any):
    value, ask = REFUSED[name]
    lowered = settings.model_copy(update={name: value})

    async with open_runtime(lowered, clock=clock) as runtime:
        app: Starlette = create_app(runtime)
        headers = {"authorization": bearer("acme")}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test", headers=headers) as http:
            assert codes_of(await ask(http)) == {SETTINGS[name][1]}
