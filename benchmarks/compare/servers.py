"""How the others are started."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from contenders import Contender, peer, raw
from tools import HERE, MODULES, NODE, PYTHON, in_production

PEERS = HERE / "peers"
Command = Callable[[str, int, Path], list[str]]
"""Given the app's address, the port to listen on, and a folder to write to."""


def _python(script: str) -> Command:
    return lambda app, port, folder: [PYTHON, str(PEERS / script), app, str(port)]


def _node(script: str) -> Command:
    return lambda app, port, folder: [NODE, str(PEERS / script), app, str(port)]


def _hive(app: str, port: int, folder: Path) -> list[str]:
    """Makes the gateway's schema of the app's OpenAPI document first, as its own command does."""
    supergraph, log = folder / "supergraph.graphql", folder / "compose.log"
    command = [NODE, str(MODULES / ".bin" / "mesh-compose"), "-c", str(PEERS / "mesh.config.mjs"), "-o", str(supergraph)]
    environment = in_production(APP=app, APP_DESCRIPTION=str(PEERS / "openapi.json"))
    with log.open("w") as written:
        composed = subprocess.run(command, env=environment, cwd=folder, stdout=written, stderr=written, timeout=60)
    if composed.returncode != 0:
        raise SystemExit(f"Hive Gateway's schema cannot be made:\n{log.read_text()}")
    script = str(MODULES / ".bin" / "hive-gateway")
    return [NODE, script, "supergraph", str(supergraph), "--host", "127.0.0.1", "--port", str(port), "--fork", "1"]


OTHERS: dict[str, tuple[Contender, Command]] = {
    "least": (raw("least", "uvicorn, aiohttp and orjson alone"), _python("least.py")),
    "raw": (raw("raw", "proxy of Starlette and httpx"), _python("httpx_proxy.py")),
    "strawberry": (peer("strawberry", "Strawberry, a list of typed objects, httpx"), _python("strawberry_list.py")),
    "yoga": (peer("yoga", "GraphQL Yoga"), _node("yoga.mjs")),
    "apollo": (peer("apollo", "Apollo Server"), _node("apollo.mjs")),
    "hive": (peer("hive", "Hive Gateway, OpenAPI source", inner="items"), _hive),
}
"""By key, in the order of the table."""
