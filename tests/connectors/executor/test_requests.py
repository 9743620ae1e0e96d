import pytest

from gateway.errors import UpstreamRejectedError
from gateway.models import Pointer
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read

ANY = {"parameters": {"type": "object"}}


async def sent(app, connector, value=None, **request):
    app.answer_with(lambda _: Answer(json=items()))
    await read(connector(collection=ANY, listing={"request": request}), access_with(), pointer=Pointer("notes", {"p": value}))
    return app.requests[-1]


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("?x=1#y", "%3Fx%3D1%23y"),
        ("%2e%2e", "%252e%252e"),
        ("ü", "%C3%BC"),
        ("a+b", "a%2Bb"),
        ("...", "..."),
        (12, "12"),
        (2**70, str(2**70)),
        (True, "true"),
        ("\r\nX: y", "%0D%0AX%3A%20y"),
    ],
)
async def test_a_value_in_a_path_stays_one_segment(app, connector, value, segment):
    assert (await sent(app, connector, value, path="/a/${parameters.p}/b")).target == f"/a/{segment}/b"


@pytest.mark.parametrize("value", ["", ".", "..", None, ["a"], {"a": 1}, "\ud800"])
async def test_a_value_that_would_lead_elsewhere_is_refused_and_nothing_is_sent(app, connector, value):
    with pytest.raises(UpstreamRejectedError, match="The request cannot be made"):
        await sent(app, connector, value, path="/a/${parameters.p}/b")
    assert app.requests == []


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ("a b&c=d+e", "?q=a%20b%26c%3Dd%2Be"),
        (None, ""),
        ("", "?q="),
        (False, "?q=false"),
        (0, "?q=0"),
        (1.5, "?q=1.5"),
        (2**70, f"?q={2**70}"),
        ([1, None, "x y"], "?q=1&q=x%20y"),
        ([], ""),
        ({"a": [1]}, "?q=%7B%22a%22%3A%5B1%5D%7D"),
        ("\r\nX: y", "?q=%0D%0AX%3A%20y"),
    ],
)
async def test_query_values_are_encoded_and_null_is_left_out(app, connector, value, query):
    assert (await sent(app, connector, value, path="/a", query={"q": "${parameters.p}"})).target == f"/a{query}"


async def test_names_in_queries_may_have_brackets_and_a_path_its_own_query(app, connector):
    request = await sent(app, connector, "x", path="/a?fixed=1", query={"page[size]": 5, "$top": "${parameters.p}", "@s": "y"})

    assert request.target == "/a?fixed=1&page[size]=5&$top=x&@s=y"


async def test_headers_of_the_file_are_sent_with_every_request_and_overridden_by_the_requests_own(app, connector):
    app.answer(json=items())
    custom = connector(
        http={"headers": {"X-Version": "1", "X-Team": "${connection.team}", "Accept": "application/vnd.notes+json"}},
        listing={"request": {"path": "/notes", "headers": {"x-version": 2, "accept": None, "x-none": None}}},
    )

    await read(custom, access_with(parameters={"team": "red"}))

    headers = app.requests[0].headers
    assert (headers["x-version"], headers["x-team"]) == ("2", "red")
    assert "application/json" not in headers.get("accept", "")
    assert "x-none" not in headers


async def test_json_is_asked_for_by_default(app, connector):
    request = await sent(app, connector, path="/a")

    assert request.headers["accept"] == "application/json"
    assert "content-type" not in request.headers


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\0", "ü", " a"])
async def test_a_header_cannot_begin_another_one(app, connector, value):
    with pytest.raises(UpstreamRejectedError, match="Header 'X-Q' would hold a line break"):
        await sent(app, connector, value, path="/a", headers={"X-Q": "${parameters.p}"})
    assert app.requests == []


async def test_a_body_is_json_with_the_types_of_its_values(app, connector):
    request = await sent(
        app, connector, 2**70, method="POST", read=True, path="/a", json={"id": "${parameters.p}", "in": ["x-${parameters.p}", None, 1.5]}
    )

    assert request.json() == {"id": 2**70, "in": [f"x-{2**70}", None, 1.5]}
    assert request.headers["content-type"] == "application/json"


async def test_credentials_are_unknown_outside_of_auth(app, connector):
    assert (await sent(app, connector, path="/a", query={"leak": "${credentials.token}"})).target == "/a"


async def test_parameters_of_the_connection_have_their_defaults(app, connector):
    app.answer(json=items())
    schema = {"type": "object", "properties": {"region": {"type": "string", "default": "eu"}, "team": {"type": "string", "default": "x"}}}
    regional = connector(
        connection={"schema": schema, "check": {"request": {"path": "/me"}}},
        listing={"request": {"path": "/${connection.region}/${connection.team}"}},
    )

    await read(regional, access_with(parameters={"team": "red"}))

    assert app.requests[0].target == "/eu/red"


async def test_an_address_that_is_too_long_is_refused(app, connector):
    with pytest.raises(UpstreamRejectedError, match="too long"):
        await sent(app, connector, "x" * 100_000, path="/a", query={"q": "${parameters.p}"})


async def test_paths_stand_below_the_base_address(app, connector):
    app.answer(json=items())
    app.answer(json=items())

    await read(connector(server=f"{app.url}/api/v1/"), access_with())
    await read(connector(server=f"{app.url}/api/v1", listing={"request": {"path": "notes"}}), access_with())

    assert [request.target for request in app.requests] == ["/api/v1/notes"] * 2
