import random

import httpx
import pytest

from gateway.connectors.http import WebAddress
from gateway.errors import UpstreamRejectedError


@pytest.mark.parametrize("url", ["ftp://app.example/", "http:///path", "unix:///var/run/app.sock", "/path", ""])
def test_an_address_that_is_not_http_is_refused(url):
    with pytest.raises(UpstreamRejectedError, match="must start with http:// or https://"):
        WebAddress.parse(url)


def test_an_address_with_a_password_is_refused_without_showing_it():
    with pytest.raises(UpstreamRejectedError) as refused:
        WebAddress.parse("https://me:s3cret@app.example/")

    assert "s3cret" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "address", "text"),
    [
        ("https://APP.test", WebAddress("https", "app.test", None, "/"), "https://app.test/"),
        ("http://app.test:80/a?b=c#d", WebAddress("http", "app.test", None, "/a?b=c"), "http://app.test/a?b=c"),
        (
            "http://bücher.test:8080/ä?",
            WebAddress("http", "xn--bcher-kva.test", 8080, "/%C3%A4?"),
            "http://xn--bcher-kva.test:8080/%C3%A4?",
        ),
        ("http://xn--a.test/", WebAddress("http", "xn--a.test", None, "/"), "http://xn--a.test/"),
        ("http://[2001:DB8::1]:8080/", WebAddress("http", "2001:db8::1", 8080, "/"), "http://[2001:db8::1]:8080/"),
    ],
)
def test_an_address_is_taken_apart_and_written_again(url, address, text):
    assert WebAddress.parse(url) == address
    assert str(address) == text


def test_an_origin_names_the_port_that_is_meant():
    assert WebAddress("https", "app.test", None, "/").origin == ("https", "app.test", 443)
    assert WebAddress("http", "app.test", None, "/").origin == ("http", "app.test", 80)
    assert WebAddress("http", "app.test", 443, "/").origin == ("http", "app.test", 443)
    assert WebAddress("http", "app.test", 0, "/").origin == ("http", "app.test", 0)


def test_another_place_on_a_server_is_what_its_whole_address_is_read_as():
    base, chance = WebAddress.parse("https://[::1]:8443/api"), random.Random(20)
    signs = "ab1/..;@:%?&=+[]{}|\\^`'\"<>#~ é\U0001f600"
    for _ in range(3_000):
        target = "/" + "".join(chance.choices(signs, k=chance.randrange(12)))

        place = base.at(target)

        assert place == WebAddress.parse(f"https://[::1]:8443{target}"), target
        assert place.origin == base.origin
        assert str(place) == f"https://[::1]:8443{place.target}"


@pytest.mark.parametrize("target", ["/" + "x" * 70_000, "/a\nb", "/\x00", "", ".evil.test/", "@evil.test/", ":1/", "?a=b"])
def test_what_is_too_long_or_holds_control_characters_or_starts_with_no_slash_is_no_place(target):
    with pytest.raises(httpx.InvalidURL):
        WebAddress("http", "app.test", None, "/").at(target)
