"""A real browser on a really served gateway."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, async_playwright, expect
from starlette.applications import Starlette

from gateway.config import Settings
from gateway.runtime import Runtime, open_runtime
from gateway.web.server import serve

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REPORT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
expect.set_options(timeout=20_000)  # A busy machine starts the editor late; a test that passes waits for nothing.


@dataclass
class Visit:
    """A page, and all that went on around it."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def violations(self) -> list[str]:
        return await self.page.evaluate("window.violations")

    def foreign_requests(self) -> list[str]:
        return [address for address in self.requests if not address.startswith((f"{self.url}/", "data:", "blob:"))]


Browsing = Callable[[str], AbstractAsyncContextManager[Visit]]
Visiting = Callable[[Starlette], AbstractAsyncContextManager[Visit]]


@pytest.fixture
async def runtime(sqlite_url: str) -> AsyncIterator[Runtime]:
    keys = "test:" + base64.b64encode(b"k" * 32).decode()
    settings = Settings(database_url=sqlite_url, token_secret="a-secret-of-more-than-32-bytes-for-tests", encryption_keys=keys)
    async with open_runtime(settings) as runtime:
        yield runtime


@pytest.fixture
def browsing() -> Browsing:
    """Opens a browser for what is served at an address; skips where there is none."""
    executable = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip(f"No browser: none of {', '.join(BROWSERS)} is on the PATH. On Debian, install the package `chromium`.")

    @asynccontextmanager
    async def browse(url: str) -> AsyncIterator[Visit]:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            context = await browser.new_context(viewport={"width": 1440, "height": 900})
            await context.grant_permissions(["clipboard-read", "clipboard-write"])
            await context.add_init_script(REPORT_VIOLATIONS)
            visited = Visit(page=await context.new_page(), url=url)
            visited.page.on("request", lambda request: visited.requests.append(request.url))
            visited.page.on("pageerror", lambda error: visited.complaints.append(str(error)))
            visited.page.on("console", lambda message: visited.complaints.append(message.text) if message.type == "error" else None)
            yield visited
            await browser.close()

    return browse


@pytest.fixture
def visiting(browsing: Browsing) -> Visiting:
    """Serves an application and opens a browser at it."""

    @asynccontextmanager
    async def visit(app: Starlette) -> AsyncIterator[Visit]:
        async with _served(app) as url, browsing(url) as visited:
            yield visited

    return visit


@asynccontextmanager
async def _served(app: Starlette) -> AsyncIterator[str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
    try:
        yield await asyncio.wait_for(ready, 10)
    finally:
        server.cancel()
        with suppress(asyncio.CancelledError):
            await server
