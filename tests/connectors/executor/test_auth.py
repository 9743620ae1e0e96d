import base64

import pytest

from gateway.errors import UpstreamAuthError, UpstreamRejectedError
from gateway.models import Pointer
from tests.connectors.executor.notes import access_with, items, read


def auth(**method):
    return {"auth": {"token": method}}


async def sent(app, connector, entered, **method):
    app.answer(json=items())
    await read(connector(**auth(**method)), access_with(credentials=entered))
    return app.requests[-1]


async def test_none_sends_nothing(app, connector):
    request = await sent(app, connector, {}, type="none")

    assert "authorization" not in request.headers
    assert "cookie" not in request.headers
    assert request.target == "/notes"


async def test_a_bearer_token(app, connector):
    request = await sent(app, connector, {"token": "abc"}, type="http", scheme="bearer", token="${credentials.token}")

    assert request.headers["authorization"] == "Bearer abc"


async def test_basic_is_encoded_in_utf_8_and_a_password_may_hold_colons(app, connector):
    request = await sent(
        app,
        connector,
        {"username": "jörg", "password": "pa:ss wörd"},
        type="http",
        scheme="basic",
        username="${credentials.username}",
        password="${credentials.password}",
    )

    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == "jörg:pa:ss wörd"


async def test_basic_with_a_key_and_no_password(app, connector):
    request = await sent(app, connector, {"key": "sk_1"}, type="http", scheme="basic", username="${credentials.key}", password="")

    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"sk_1:").decode()


async def test_a_key_in_a_header_with_text_around_it(app, connector):
    request = await sent(app, connector, {"key": "k1"}, type="apiKey", parameter="X-Api-Key", value="Token ${credentials.key}")

    assert request.headers["x-api-key"] == "Token k1"


async def test_a_key_in_the_query_takes_the_place_of_a_parameter_of_that_name(app, connector):
    app.answer(json=items())
    listing = {"request": {"path": "/notes", "query": {"q": "a", "api_key": "from the file"}}}

    await read(
        connector(listing=listing, **auth(type="apiKey", location="query", parameter="api_key", value="${credentials.key}")),
        access_with(credentials={"key": "k&1=ü"}),
    )

    assert app.requests[0].target == "/notes?q=a&api_key=k%261%3D%C3%BC"


async def test_a_key_that_makes_the_address_too_long_is_not_sent(app, connector):
    listing = {"request": {"path": "/notes", "query": {"q": "${parameters.p}"}}}
    notes = connector(listing=listing, **auth(type="apiKey", location="query", parameter="api_key", value="${credentials.key}"))
    pointer = Pointer("notes", {"p": "x" * (65_536 - len(f"{app.url}/notes?q="))})

    with pytest.raises(UpstreamRejectedError, match="its address would be too long"):
        await read(notes, access_with(credentials={"key": "k1"}), pointer=pointer)

    assert app.requests == []


async def test_a_key_in_a_cookie(app, connector):
    request = await sent(app, connector, {"key": "k1"}, type="apiKey", location="cookie", parameter="session", value="${credentials.key}")

    assert request.headers["cookie"] == "session=k1"


async def test_a_number_and_a_default_are_credentials_too(app, connector):
    schema = {"type": "object", "properties": {"pin": {"type": "integer"}, "realm": {"type": "string", "default": "main"}}}
    request = await sent(
        app,
        connector,
        {"pin": 12345},
        type="apiKey",
        parameter="X-Pin",
        value="${credentials.realm}-${credentials.pin}",
        credentials=schema,
    )

    assert request.headers["x-pin"] == "main-12345"


async def test_the_connection_says_which_of_several_methods(app, connector):
    methods = {
        "token": {"type": "http", "scheme": "bearer", "token": "${credentials.token}"},
        "key": {"type": "apiKey", "parameter": "X-Key", "value": "${credentials.key}"},
        "nothing": {"type": "none"},
    }
    several = connector(auth=methods)
    for method, credentials in (("key", {"key": "k1"}), ("token", {"token": "t1"}), ("nothing", {})):
        app.answer(json=items())
        await read(several, access_with(auth_method=method, credentials=credentials))

    assert [(request.headers.get("authorization"), request.headers.get("x-key")) for request in app.requests] == [
        (None, "k1"),
        ("Bearer t1", None),
        (None, None),
    ]


async def test_a_method_that_is_gone_asks_the_customer_to_connect_again(app, connector):
    with pytest.raises(UpstreamAuthError, match=r"no auth method 'oauth' \(any more\). Connect again with one of token"):
        await read(connector(), access_with(auth_method="oauth"))

    assert app.requests == []


@pytest.mark.parametrize("token", [None, "", "abc\r\nX-Admin: 1", "abc\n", " abc", "ä-token", "a\0b", "a\ud800", ["a"], {"a": 1}, True])
async def test_a_token_that_no_header_carries_is_refused_unsent_and_unshown(app, connector, token):
    with pytest.raises(UpstreamAuthError) as refusal:
        await read(connector(), access_with(credentials={"token": token}))

    assert app.requests == []
    assert "nter" in refusal.value.message
    assert "abc" not in refusal.value.message


@pytest.mark.parametrize("key", ["a;b", "a b", 'a"b', "a,b", "a\\b"])
async def test_a_key_that_would_break_out_of_its_cookie_is_refused(app, connector, key):
    method = auth(type="apiKey", location="cookie", parameter="session", value="${credentials.key}")

    with pytest.raises(UpstreamAuthError, match="no cookie carries"):
        await read(connector(**method), access_with(credentials={"key": key}))
    assert app.requests == []


@pytest.mark.parametrize("credentials", [{"user": "a", "password": "b\ud800"}, {"user": "a\udfff", "password": "b"}, {"user": "a"}])
async def test_a_login_that_is_no_text_is_refused(app, connector, credentials):
    method = auth(type="http", scheme="basic", username="${credentials.user}", password="${credentials.password}")

    with pytest.raises(UpstreamAuthError, match="nter"):
        await read(connector(**method), access_with(credentials=credentials))
    assert app.requests == []


async def test_a_user_name_with_a_colon_is_refused(app, connector):
    method = auth(type="http", scheme="basic", username="${credentials.user}", password="x")

    with pytest.raises(UpstreamAuthError, match="user name with a colon"):
        await read(connector(**method), access_with(credentials={"user": "a:b"}))
    assert app.requests == []


async def test_the_integrations_parameters_may_take_part(app, connector):
    app.answer(json=items())
    method = auth(type="apiKey", parameter="X-Key", value="${integration.app}.${credentials.key}")

    await read(connector(**method), access_with(credentials={"key": "k"}, integration_parameters={"app": "a1"}))

    assert app.requests[0].headers["x-key"] == "a1.k"
