"""What a run found, as Markdown."""

import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contenders import PROXIES, Contender
from load import Figures
from tools import NODE, package_version

Measured = Mapping[tuple[str, int], Sequence[Figures]]
"""The rounds, by the row's key and the concurrency."""

TARGETS = {"yoga": 0.8, "apollo": 0.5, "hive": 0.25, "strawberry": 0.2}
"""What our typed records may cost at most, as a share of the other's CPU."""
TRIVIAL_MS = 0.35
_OURS = ("typed", "fields")
_PYTHON_PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "aiohttp",
    "orjson",
    "httpx",
    "sniffio",
)
_NODE_PACKAGES = ("graphql", "graphql-yoga", "@apollo/server", "@graphql-hive/gateway", "@omnigraph/openapi")


def printed(contenders: Sequence[Contender], measured: Measured, concurrencies: Sequence[int]) -> str:
    """All that a run prints."""
    parts = [_machine(), _figures(contenders, measured, concurrencies), _ratios(contenders, measured, concurrencies)]
    keys = {contender.key for contender in contenders}
    if "trivial" in keys:
        costs = _each(measured, "trivial", concurrencies, lambda figures: f"{figures.cpu_ms:.3f}")
        parts.append(f"A document that is known, `{{ __typename }}`: {costs} ms of CPU a request; the target is less than {TRIVIAL_MS}.")
    if "shared" in keys:
        shares = _each(measured, "shared", concurrencies, lambda figures: f"{figures.reached / figures.requests:.2f}")
        parts.append(f"Where all ask the same, the app was asked {shares} times for each request; in all other rows exactly once.")
    return "\n\n".join(part for part in parts if part)


def _figures(contenders: Sequence[Contender], measured: Measured, concurrencies: Sequence[int]) -> str:
    at = " / ".join(map(str, concurrencies))
    columns: list[tuple[str, Callable[[Figures], str]]] = [
        ("CPU ms a request", lambda figures: f"{figures.cpu_ms:.2f}"),
        ("requests a second", lambda figures: f"{figures.rate:.0f}"),
        ("p50 ms", lambda figures: _brief(figures.p50_ms)),
        ("p99 ms", lambda figures: _brief(figures.p99_ms)),
    ]
    lines = [f"| at concurrency {at} |" + "".join(f" {title} |" for title, _ in columns), "|---|" + "---:|" * len(columns)]
    for contender in contenders:
        cells = "".join(f" {_each(measured, contender.key, concurrencies, text)} |" for _, text in columns)
        lines.append(f"| {contender.name} |{cells}")
    return "\n".join(lines)


def _ratios(contenders: Sequence[Contender], measured: Measured, concurrencies: Sequence[int]) -> str:
    """CPU of ours by CPU of the others."""
    names = {contender.key: contender.name for contender in contenders}
    others = [key for key in (*TARGETS, *PROXIES) if key in names]
    own = [key for key in _OURS if key in names]
    if not own or not others:
        return ""
    at = " / ".join(map(str, concurrencies))
    lines = [f"| ours by theirs, CPU a request at {at} |" + "".join(f" {names[key]} |" for key in others), "|---|" + "---:|" * len(others)]
    for mine in own:
        lines.append(f"| {names[mine]} |" + "".join(f" {_ratio(measured, mine, key, concurrencies)} |" for key in others))
    lines.append("| target, at most |" + "".join(f" {TARGETS[key]:.2f} |" if key in TARGETS else " |" for key in others))
    return "\n".join(lines)


def _ratio(measured: Measured, mine: str, theirs: str, concurrencies: Sequence[int]) -> str:
    return " / ".join(f"{_median(measured[mine, at]).cpu_ms / _median(measured[theirs, at]).cpu_ms:.2f}" for at in concurrencies)


def _each(measured: Measured, key: str, concurrencies: Sequence[int], text: Callable[[Figures], str]) -> str:
    return " / ".join(text(_median(measured[key, at])) for at in concurrencies)


def _median(rounds: Sequence[Figures]) -> Figures:
    """Of each figure by itself."""
    return Figures(**{name: statistics.median(getattr(each, name) for each in rounds) for name in vars(rounds[0])})


def _brief(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"


def _machine() -> str:
    """What it was measured on, and with which versions."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    node = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    python = ", ".join(f"{name} {_version(name)}" for name in _PYTHON_PACKAGES)
    packages = ", ".join(f"{name} {package_version(name)}" for name in _NODE_PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} processors ({models[0] if models else platform.machine()}), load before {os.getloadavg()[0]:.1f}. "
        f"Python {platform.python_version()}: {python}. Node {node}: {packages}."
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
