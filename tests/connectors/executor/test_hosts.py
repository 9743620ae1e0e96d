from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.connectors.executor import hosts
from gateway.connectors.format.requests import Http
from gateway.errors import CursorExpiredError, UpstreamRejectedError, UpstreamResponseError
from tests.connectors.executor.notes import TOKEN, access_with, items, read

NEXT = {"pagination": {"type": "next_url", "next": "${body.next}"}}


def of(base_url, *allowed, **connection):
    return hosts.hosts_of(Http.model_validate({"base_url": base_url, "allowed_hosts": allowed}), {"connection": connection})


@pytest.mark.parametrize(
    ("server", "base"),
    [
        ("https://app.test", "https://app.test/"),
        ("https://app.test/", "https://app.test/"),
        ("HTTPS://App.Test:443/api/v1//", "https://app.test/api/v1"),
        (" http://127.0.0.1:8001 ", "http://127.0.0.1:8001/"),
        ("http://[::1]:8001/x", "http://[::1]:8001/x"),
        ("https://bücher.test", "https://xn--bcher-kva.test/"),
    ],
)
def test_a_customer_may_give_the_address_of_the_app(server, base):
    assert str(of("${connection.server}", server=server).base) == base


@pytest.mark.parametrize(
    "server",
    [
        None,
        7,
        "",
        "app.test",
        "//app.test",
        "ftp://app.test",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user:s3cret@app.test",
        "https://app.test?x=1",
        "https://app.test/?",
        "https://app.test/#a",
        "https://app.test\\@evil.test",
        "https://app test",
        "https://app.test\r\nx: y",
        "https://app.test:99999",
        "https://app.test:0",
        "https://[::1",
        "https://a%2Fb.test",
        "x" * 100_000,
    ],
)
def test_what_is_no_plain_web_address_is_refused_without_showing_it(server):
    with pytest.raises(UpstreamRejectedError, match="The app's address") as caught:
        of("${connection.server}", server=server)
    assert "s3cret" not in caught.value.message
    assert "Correct the connection's parameters" in caught.value.message


def test_a_part_of_the_host_may_be_filled_in_and_cannot_move_it():
    assert str(of("https://${connection.tenant}.app.test/v1", tenant="acme-1").base) == "https://acme-1.app.test/v1"
    assert str(of("https://${connection.host}/api", host="app.acme.test:8443").base) == "https://app.acme.test:8443/api"

    for tenant in (
        "evil.test/",
        "evil.test#",
        "evil.test?",
        "evil.test\\",
        "a@evil.test",
        "evil.test:443/",
        "evil.test:80",
        "..",
        "",
        None,
    ):
        with pytest.raises(UpstreamRejectedError):
            of("https://${connection.tenant}.app.test/v1", tenant=tenant)


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ("?page=2", "https://app.test/v1/notes?page=2"),
        ("/v2/notes", "https://app.test/v2/notes"),
        ("more#frag", "https://app.test/v1/more"),
        ("https://app.test:443/x?a=%2F+b", "https://app.test:443/x?a=%2F+b"),
        ("//files.test/x", "https://files.test/x"),
        ("https://FILES.test/x", "https://files.test/x"),
        ("https://cdn.test:8443/x", "https://cdn.test:8443/x"),
    ],
)
def test_addresses_of_the_app_and_of_the_hosts_it_names_are_followed(target, followed):
    app = of("https://app.test/v1", "files.test", "CDN.test:8443")

    result = app.followed(target, source=app.base.at("/v1/notes"), what="The next page")

    assert str(result).replace(":443", "") == followed.replace(":443", "")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/",
        "https://app.test.evil.test/",
        "https://app.test:8443/",
        "https://evil.test/?https://app.test/",
        "http://app.test/",
        "http://files.test/",
        "https://cdn.test/",
        "https://files.test:8443/",
        "https://app.test:0/",
        "https://app.test@evil.test/",
        "https://user:pw@app.test/",
        "https://app.test\\@evil.test/",
        "https://evil.test\\.app.test/",
        "ftp://app.test/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://app.test\r\nHost: evil.test",
        "https://[app.test]/",
        "https://аpp.test/",
        "https://app.test。evil.test/",
        "/" + "x" * 70_000,
    ],
)
def test_nothing_else_is_followed(target):
    app = of("https://app.test/v1", "files.test", "cdn.test:8443")

    with pytest.raises(UpstreamResponseError, match=r"^The next page "):
        app.followed(target, source=app.base, what="The next page")


@pytest.mark.parametrize(
    "target", ["https:\\\\evil.test", "https://", "https:evil.test", "\\\\evil.test", "/\\evil.test", "/%2F/evil.test", ""]
)
def test_an_odd_address_without_a_host_stays_with_the_app(target):
    app = of("https://app.test/v1")

    assert app.followed(target, source=app.base, what="The next page").origin == ("https", "app.test", 443)


@given(st.text(alphabet="htps:/\\\\?#@%.[]:0 1-_evilapp\t\n\r\0。／＠é", max_size=40) | st.text(max_size=20))
def test_what_is_followed_leads_to_the_app_in_the_eyes_of_other_url_readers_too(target):
    app = of("https://app.test/v1")

    try:
        followed = str(app.followed(target, source=app.base, what="The next page"))
    except UpstreamResponseError:
        return

    for host, port, scheme in (
        (URL(followed, encoded=True).host, URL(followed, encoded=True).port, URL(followed, encoded=True).scheme),
        (urlsplit(followed).hostname, urlsplit(followed).port or 443, urlsplit(followed).scheme),
    ):
        assert (scheme, host, port) == ("https", "app.test", 443)


def test_a_refusal_names_the_host_and_what_to_do():
    with pytest.raises(UpstreamResponseError) as caught:
        of("https://app.test").followed("https://evil.test:444/x", source=of("https://app.test").base, what="The next page of Notes")
    assert caught.value.message == (
        "The next page of Notes leads to another host, 'evil.test:444'; it is not followed. "
        "Where the host belongs to the app, its connector must name it under http.allowed_hosts."
    )


async def test_a_next_page_on_another_host_is_refused_and_gets_no_request(app, other_app, connector, access):
    app.answer(json={**items(1), "next": f"{other_app.url}/notes"})

    with pytest.raises(UpstreamResponseError, match=rf"leads to another host, '127.0.0.1:{other_app.port}'"):
        await read(connector(listing=NEXT), access)
    assert other_app.requests == []


async def test_a_redirect_to_another_host_is_refused_and_gets_no_request(app, other_app, connector, access):
    app.answer(status=302, headers={"Location": f"{other_app.url}/steal"})

    with pytest.raises(UpstreamResponseError, match="A redirect of Notes leads to another host"):
        await read(connector(), access)
    assert other_app.requests == []


async def test_a_next_page_on_an_allowed_host_is_read_with_credentials(app, other_app, connector, access):
    app.answer(json={**items(1), "next": f"{other_app.url}/notes?x=1"})
    other_app.answer(json=items(2))
    allowing = connector(listing=NEXT, http={"allowed_hosts": [f"127.0.0.1:{other_app.port}"]})

    page = await read(allowing, access, token=(await read(allowing, access)).next_token)

    assert [record.external_id for record in page.items] == ["2"]
    assert other_app.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("address", ["//evil.test/x", "https://evil.test/x", "http://127.0.0.1:1/x"])
async def test_a_forged_token_leads_nowhere_else(app, connector, access, address):
    token = {"type": "next_url", "size": 100, "position": address, "pages": 1, "prints": [None, None]}

    with pytest.raises(UpstreamResponseError, match="The cursor leads to another host"):
        await read(connector(listing=NEXT), access, token=token)
    assert app.requests == []


async def test_a_key_in_the_query_of_a_next_address_is_not_kept_and_sent_once(app, connector):
    app.answer(json={**items(1), "next": f"{app.url}/notes?page=2&key=key-4711-secret&z=%20+"})
    app.answer(json=items(2))
    method = {"type": "apiKey", "location": "query", "parameter": "key", "value": "${credentials.key}"}
    paged = connector(listing=NEXT, auth={"token": method})
    access = access_with(credentials={"key": "key-4711-secret"})

    first = await read(paged, access)
    await read(paged, access, token=first.next_token)

    assert first.next_token["position"] == "/notes?page=2&z=%20+"
    assert app.requests[1].target == "/notes?page=2&z=%20+&key=key-4711-secret"


async def test_a_token_in_the_query_of_a_next_address_is_not_shown_to_clients_and_comes_back(app, connector, access):
    app.answer(json={**items(1), "next": f"{app.url}/notes?access_token={TOKEN}&after=1"})
    app.answer(json=items(2))
    paged = connector(listing=NEXT)

    first = await read(paged, access)
    await read(paged, access, token=first.next_token)

    assert TOKEN not in str(first.next_token)
    assert app.requests[1].target == f"/notes?access_token={TOKEN}&after=1"


async def test_a_token_of_other_credentials_is_refused(app, connector, access):
    app.answer(json={**items(1), "next": f"{app.url}/notes?access_token={TOKEN}"})
    paged = connector(listing=NEXT)
    first = await read(paged, access)

    with pytest.raises(CursorExpiredError, match="made with other credentials"):
        await read(paged, access_with(credentials={"token": "short"}), token=first.next_token)
