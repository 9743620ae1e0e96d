"""GraphiQL: the page, its policy, its files and the examples inside it."""

import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from gateway.web import graphiql
from gateway.web.assembly import assemble
from gateway.web.graphiql import ExampleTab
from gateway.web.graphiql.assets import Assets
from gateway.web.graphiql.page import page
from tests.web.serving import SCHEMA, Context

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "accept-encoding": "gzip, br"}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self._in_script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self._in_script = False


def addresses(text):
    return [
        attributes.get("src") or attributes.get("href") for _, attributes in Elements(text).elements if {"src", "href"} & attributes.keys()
    ]


async def test_a_browser_gets_the_page_and_a_client_does_not(http):
    assert "GraphiQL" in (await http.get("/graphql", headers=BROWSER)).text
    assert (await http.get("/graphql", headers={"accept": "*/*"})).status_code == 400
    assert (await http.get("/graphql?query={hello}", headers=BROWSER)).json() == {"data": {"hello": "Hello, world!"}}
    assert (await http.post("/graphql", json={"query": "{ hello }"}, headers=BROWSER)).json() == {"data": {"hello": "Hello, world!"}}


async def test_the_page_runs_under_a_policy_that_allows_its_own_files_and_nothing_else(http):
    response = await http.get("/graphql", headers=BROWSER)

    told = response.headers["content-security-policy"]
    assert dict(directive.split(" ", 1) for directive in told.split("; ")) == POLICY
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-frame-options"] == "DENY"


async def test_all_that_the_page_names_is_there_and_of_this_origin(http):
    named = addresses((await http.get("/graphql", headers=BROWSER)).text)

    assert [name.rpartition("/")[2] for name in named] == ["favicon.svg", "graphiql.css", "graphiql.js"]
    for address in named:
        assert address.startswith("/graphiql/")
        assert (await http.get(address, headers=BROWSER)).status_code == 200


async def test_every_bundled_file_is_served_and_may_be_kept_for_ever(http):
    assets = Assets.bundled()

    for name in assets:
        response = await http.get(f"/graphiql/{assets.digest}/{name}", headers=BROWSER)
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["vary"].startswith("Accept-Encoding")
        assert response.headers["content-type"].startswith(("text/", "image/", "font/"))
        assert "script-src 'self';" in response.headers["content-security-policy"]


async def test_a_client_without_gzip_gets_the_plain_file(http):
    assets = Assets.bundled()
    address = f"/graphiql/{assets.digest}/favicon.svg"

    plain = await http.get(address, headers={"accept-encoding": "identity"})

    assert "content-encoding" not in plain.headers
    assert plain.content == gzip.decompress(assets.get("favicon.svg").compressed)
    assert plain.content.startswith(b"<svg")
    assert (await http.get("/favicon.ico")).content == plain.content


async def test_a_file_that_the_browser_has_is_not_sent_again(http):
    address = f"/graphiql/{Assets.bundled().digest}/graphiql.css"
    first = await http.get(address)

    second = await http.get(address, headers={"if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")


@pytest.mark.parametrize("path", ["0000000000000000/graphiql.js", "DIGEST/nothing.js", "DIGEST/LICENSES.txt", "DIGEST/..%2F..%2Fapp.py"])
async def test_a_file_of_another_version_or_no_file_is_refused(http, path):
    response = await http.get("/graphiql/" + path.replace("DIGEST", Assets.bundled().digest))

    assert response.status_code == 404
    assert response.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


TABS = [
    ExampleTab(title="Tasks", query="query Tasks { hello }", variables={"first": 5}, headers={"Authorization": "Bearer abc"}),
    ExampleTab(title="</script><script>alert(1)</script>", query='query X { hello(name: "<!-- é   {assets}") }'),
]


async def test_the_examples_reach_the_page_as_data_that_no_text_can_escape(runtime):
    app = assemble(runtime, SCHEMA, make_context=Context, tabs=TABS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client:
        parsed = Elements((await client.get("/graphql", headers=BROWSER)).text)

    scripts = [attributes for tag, attributes in parsed.elements if tag == "script"]
    assert [attributes["type"] for attributes in scripts] == ["application/json", "module"]
    assert json.loads("".join(parsed.scripts)) == [
        {
            "query": "# Tasks\n\nquery Tasks { hello }\n",
            "variables": '{\n  "first": 5\n}',
            "headers": '{\n  "Authorization": "Bearer abc"\n}',
        },
        {
            "query": '# </script><script>alert(1)</script>\n\nquery X { hello(name: "<!-- é   {assets}") }\n',
            "variables": None,
            "headers": None,
        },
    ]


def test_the_page_follows_a_prefix_and_escapes_it():
    assert addresses(page(assets_path='/a"b/graphiql/1')) == [
        f'/a"b/graphiql/1/{name}' for name in ("favicon.svg", "graphiql.css", "graphiql.js")
    ]


def test_the_page_holds_no_script_or_style_of_its_own():
    text = page(assets_path="/graphiql/1", tabs=TABS)

    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text)


def test_the_bundle_evaluates_no_text_and_names_no_foreign_file():
    assets = Assets.bundled()
    code = {name: assets.get(name).plain().decode() for name in assets if name.endswith((".js", ".css"))}

    assert [name for name, text in code.items() if re.search(r"new Function\(|[^\w.]eval\(", text)] == []
    assert [name for name, text in code.items() if re.search(r"sourceMappingURL|unpkg\.com|jsdelivr|esm\.sh|@import", text)] == []
    assert [name for name, text in code.items() if re.search(r"url\(\s*[\"']?(?:https?:)?//", text)] == []


def test_the_bundle_stays_small():
    assets = Assets.bundled()

    assert sum(len(assets.get(name).compressed) for name in assets) < 1.4 * 1024 * 1024


def test_the_bundle_was_built_from_the_sources_beside_it():
    folder = Path(graphiql.__file__).parent
    sources = sorted(path for path in (folder / "source").iterdir() if path.name not in ("node_modules", "package-lock.json"))

    assert (
        hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
        == (folder / "static" / "SOURCES.sha256").read_text().strip()
    )
