"""The addresses beside GraphQL, what every answer tells a browser, and that no refusal is anything but JSON."""

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from gateway.errors import InternalError
from gateway.web.assembly import assemble
from tests.web.serving import SCHEMA, Context


def destroy(database_url):
    Path(database_url.removeprefix("sqlite+aiosqlite:///")).write_bytes(b"no database at all" * 100)


async def test_the_root_leads_to_graphql(http):
    response = await http.get("/")

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")


async def test_the_gateway_is_healthy_and_ready(http):
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json() == {"status": "ready"}
    assert (await http.get("/readyz")).status_code == 200


async def test_a_gateway_whose_database_is_gone_is_healthy_but_not_ready(http, settings):
    destroy(settings.database_url)

    response = await http.get("/readyz")

    assert (await http.get("/healthz")).status_code == 200
    assert response.status_code == 503
    assert response.json() == {
        "errors": [{"message": "The gateway is not ready: its database does not answer.", "extensions": {"code": "CONFIGURATION"}}]
    }


async def test_an_address_with_nothing_at_it_is_refused_as_json(http):
    response = await http.get("/nothing/here")

    assert response.status_code == 404
    assert response.json() == {
        "errors": [{"message": "There is nothing at /nothing/here. GraphQL is at /graphql.", "extensions": {"code": "NOT_FOUND"}}]
    }


async def test_a_method_that_an_address_does_not_know_is_refused_as_json(http):
    response = await http.post("/healthz")

    assert response.status_code == 405
    assert response.json()["errors"][0]["extensions"] == {"code": "UNSUPPORTED"}


@pytest.mark.parametrize(("root", "path"), [("", "/graphql"), ("/gateway", "/gateway/graphql"), ("/graphql", "/graphql/graphql")])
async def test_graphql_is_answered_below_whatever_root_the_gateway_has(runtime, root, path):
    app = assemble(runtime, SCHEMA, make_context=Context)
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        response = await client.post(path, json={"query": "{ __typename }"})
        nothing = await client.post(f"{path}/", json={"query": "{ __typename }"})

    assert response.json() == {"data": {"__typename": "Query"}}
    assert nothing.status_code == 404


@pytest.mark.parametrize("defect", [RuntimeError("secret detail"), InternalError("secret detail")])
async def test_a_defect_is_answered_with_a_reference_and_nothing_of_its_text(runtime, capsys, defect):
    def broken(*_):
        raise defect

    app = assemble(runtime, SCHEMA, make_context=broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://gateway.test") as client:
        response = await client.post("/graphql", json={"query": "{ hello }"})

    (error,) = response.json()["errors"]
    reference = error["message"].removesuffix(".").rpartition(" ")[2]
    assert response.status_code == 500
    assert error["extensions"] == {"code": "INTERNAL"}
    assert error["message"] == f"Something went wrong inside the gateway. Its operator finds the cause in the log under {reference}."
    assert "secret detail" not in response.text
    assert reference in capsys.readouterr().out
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/graphql?query={hello}", "/graphql", "/healthz", "/nothing"])
async def test_every_answer_keeps_browsers_from_guessing_framing_and_telling(http, path):
    headers = (await http.get(path)).headers

    assert headers["content-security-policy"] == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("accept", ["application/json", "text/html", "text/event-stream", "application/graphql-response+json", "image/png"])
async def test_so_does_every_kind_of_answer_at_the_address_of_graphql(http, accept):
    asked = {} if accept == "text/html" else {"query": "{ hello }"}
    headers = (await http.get("/graphql", params=asked, headers={"accept": accept})).headers

    assert headers["content-type"].partition(";")[0] == (accept if accept != "image/png" else "application/json")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert [headers[name] for name in ("x-content-type-options", "x-frame-options")] == ["nosniff", "DENY"]
    assert [headers[name] for name in ("referrer-policy", "cross-origin-opener-policy")] == ["no-referrer", "same-origin"]
    assert len(headers.multi_items()) == len(headers)


PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization, content-type"}


async def test_a_page_of_an_allowed_origin_may_call(http):
    preflight = await http.options("/graphql", headers={"origin": "https://product.example", **PREFLIGHT})
    call = await http.post("/graphql", json={"query": "{ hello }"}, headers={"origin": "https://product.example"})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://product.example"
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    assert call.headers["access-control-allow-origin"] == "https://product.example"
    assert "access-control-allow-credentials" not in call.headers


async def test_a_refusal_can_be_read_by_a_page_of_an_allowed_origin(http):
    headers = {"origin": "https://product.example", "authorization": "Bearer bad"}

    response = await http.post("/graphql", json={"query": "{ hello }"}, headers=headers)

    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == "https://product.example"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://product.example.evil.example", "http://product.example", "null"])
async def test_a_page_of_another_origin_may_not(http, origin):
    preflight = await http.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    call = await http.post("/graphql", json={"query": "{ hello }"}, headers={"origin": origin})

    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in call.headers


async def test_without_allowed_origins_no_page_may(runtime, settings):
    closed = type(runtime)(**{**vars(runtime), "settings": settings.model_copy(update={"allowed_origins": ()})})
    app = assemble(closed, SCHEMA, make_context=Context)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client:
        response = await client.options("/graphql", headers={"origin": "https://product.example", **PREFLIGHT})

    assert response.status_code == 405
    assert "access-control-allow-origin" not in response.headers


async def test_the_runtime_is_at_hand_for_whoever_embeds_the_application(app: Starlette, runtime):
    assert app.state.runtime is runtime
