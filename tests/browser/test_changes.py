"""What a person sees of changes: in the demo's GraphiQL they arrive by themselves."""

import asyncio
import json

import pytest
from playwright.async_api import expect

from tests.browser.test_graphiql import answer_with, replace, run
from tests.support.demo import demo_process

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.long]

WATCH = """subscription Watch {
  recordsChanged(
    dataSourceInstance: {of: {connection: {integrationKey: "demo"}, dataSource: {key: "tasks"}}}
  ) {
    cursor
    events {
      type
      record { name }
    }
  }
}"""
CREATE = """mutation Create($fields: JSON!) {
  recordCreate(input: {
    in: {dataSourceInstance: {of: {connection: {integrationKey: "demo"}, dataSource: {key: "tasks"}}}}, values: {unifiedFields: $fields}
  }) { userErrors { message } }
}"""


async def test_changes_in_the_demos_app_and_own_writes_arrive_in_the_page(browsing):
    with demo_process() as demo:
        async with browsing(demo.address.removesuffix("/graphql")) as visit:
            page = visit.page
            await page.goto(demo.address)
            await expect(page.locator(".graphiql-query-editor .view-lines")).not_to_be_empty()
            await page.click("[aria-label='New tab']")
            await replace(page, ".graphiql-editor-tool", json.dumps(dict(demo.customer)))
            await replace(page, ".graphiql-query-editor", WATCH)
            await expect(page.locator(".graphiql-tab-button").last).to_have_text("Watch")
            await run(page)
            await answer_with(page, "cursor")

            # Somebody works in the demo's app all the time.
            changed = await answer_with(page, '"type"')
            written = await asyncio.to_thread(
                demo.execute, CREATE, fields={"subject": "Seen in the browser", "priority": "medium", "projectId": "1"}
            )
            assert written == {"data": {"recordCreate": {"userErrors": []}}}
            arrived = await answer_with(page, "Seen in the browser")

            assert '"recordsChanged"' in changed
            assert '"type": "CREATED"' in arrived
            assert visit.complaints == []
