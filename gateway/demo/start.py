"""Everything that `gateway demo` runs, opened and closed together."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.clock import SystemClock
from gateway.config import Settings, read_settings
from gateway.demo import app as external_app
from gateway.demo.examples import examples
from gateway.demo.hosting import hosted
from gateway.demo.keys import keys_beside
from gateway.demo.seed import CUSTOMER_ID, seed
from gateway.demo.workplace import Workplace
from gateway.runtime import open_runtime
from gateway.storage.lock import lock_file
from gateway.sync.worker import running_worker
from gateway.web import tokens
from gateway.web.app import create_app
from gateway.web.graphiql import ExampleTab
from gateway.web.server import serve

SECONDS_BETWEEN_CHANGES = 3.0
SECONDS_BETWEEN_PULLS = 5
"""How soon a change shows whose webhook was lost."""
SECONDS_BETWEEN_FULL_SYNCS = 15
"""The same of a deletion."""
APP_KEY = "demo-key"
"""What the external app asks for. It answers on the loopback only, and all it holds is made up."""
_TOKEN_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A demo that is ready: where it is, and how to get in."""

    address: str
    """Where GraphiQL and the GraphQL endpoint are."""
    app_address: str
    are_tabs_signed_in: bool
    """Whether GraphiQL's example tabs carry the tokens; else the reader pastes them."""
    customer_token: str = field(repr=False)
    admin_token: str = field(repr=False)


async def run(*, host: str, port: int, database: Path | None, on_ready: Callable[[Demo], None]) -> None:
    """Runs the demo until it is told to stop; without a `database` file nothing of it stays.

    Raises ConfigurationError when the port or the file cannot be used.
    """
    with TemporaryDirectory(prefix="gateway-demo-") as directory:
        # Known before the server listens: the app is told where to send its webhooks.
        port = port or _free_port(host)
        settings = _settings(database if database is not None else Path(directory) / "demo.db", public_url=_url(host, port))
        with lock_file(settings.database_url):
            await _run(settings, host=host, port=port, on_ready=on_ready)


async def _run(settings: Settings, *, host: str, port: int, on_ready: Callable[[Demo], None]) -> None:
    async with _external_app() as app_address, open_runtime(settings) as runtime:
        await seed(runtime, app_url=app_address, app_key=APP_KEY)
        customer = tokens.mint(settings.token_secret, customer_external_id=CUSTOMER_ID, expires_in=_TOKEN_LIFETIME)
        admin = tokens.mint(settings.token_secret, is_admin=True, expires_in=_TOKEN_LIFETIME)
        tabs = tabs_for(host, customer_token=customer, admin_token=admin)

        def announce(address: str) -> None:
            on_ready(
                Demo(
                    address=f"{address}/graphql",
                    app_address=app_address,
                    are_tabs_signed_in=all(tab.headers is not None for tab in tabs),
                    customer_token=customer,
                    admin_token=admin,
                )
            )

        async with running_worker(runtime):
            await serve(create_app(runtime, tabs=tabs), host=host, port=port, on_ready=announce)


def tabs_for(host: str, *, customer_token: str, admin_token: str) -> tuple[ExampleTab, ...]:
    """The example tabs, with the tokens in them only where nobody beyond this machine can ask for the page."""
    if not _is_loopback(host):
        return examples(customer=None, admin=None)
    return examples(customer=header(customer_token), admin=header(admin_token))


def header(token: str) -> dict[str, str]:
    """What a client sends along to be who the token names."""
    return {"Authorization": f"Bearer {token}"}


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _external_app() -> AsyncIterator[str]:
    app = external_app.create_app(Workplace(), key=APP_KEY, now=SystemClock().now, seconds_between_changes=SECONDS_BETWEEN_CHANGES)
    async with hosted(app) as address:
        yield address


def _free_port(host: str) -> int:
    """A port of the host that nobody listens on; 0 where there is no such host, as the server says it better."""
    try:
        with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            port: int = listener.getsockname()[1]
            return port
    except OSError:
        return 0


def _url(host: str, port: int) -> str | None:
    """Where the app reaches the gateway, on the same machine; null where that cannot be told."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://localhost:{port}" if host == "localhost" else None
    if "%" in host:
        return None
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"


def _settings(database: Path, *, public_url: str | None) -> Settings:
    keys = keys_beside(database)
    return read_settings(
        Settings,
        database_url=f"sqlite+aiosqlite:///{database.absolute()}",
        token_secret=keys.token_secret,
        encryption_keys=keys.encryption_keys,
        allowed_networks="127.0.0.0/8",
        public_url=public_url,
        minimum_pull_updates_interval_seconds=SECONDS_BETWEEN_PULLS,
        minimum_full_sync_interval_seconds=SECONDS_BETWEEN_FULL_SYNCS,
    )
