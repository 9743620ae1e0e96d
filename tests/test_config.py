"""What an operator sets, and what is told when it is wrong."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.config import Settings, read_settings
from gateway.errors import ConfigurationError

GIVEN = {"token_secret": "a-secret-for-tests-that-is-long-enough", "encryption_keys": "main:a-key"}


def test_lists_are_separated_by_commas_and_empty_by_default():
    settings = read_settings(
        Settings,
        **GIVEN,
        allowed_networks="10.20.0.0/16, fd00::/8",
        allowed_origins="https://app.example.com,http://[::1]:3000 , chrome-extension://abc,",
        connector_files="one.yaml, /etc/gateway/two three.yaml",
    )
    bare = read_settings(Settings, **GIVEN, allowed_networks="", allowed_origins=" ", connector_files=",")

    assert settings.allowed_networks == (ip_network("10.20.0.0/16"), ip_network("fd00::/8"))
    assert settings.allowed_origins == ("https://app.example.com", "http://[::1]:3000", "chrome-extension://abc")
    assert settings.connector_files == (Path("one.yaml"), Path("/etc/gateway/two three.yaml"))
    assert (bare.allowed_networks, bare.allowed_origins, bare.connector_files) == ((), (), ())


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "allowed_networks",
            "10.0.0.5/8",
            "'10.0.0.5/8' is no network in CIDR notation, such as 10.20.0.0/16; all bits after the prefix are 0",
        ),
        (
            "allowed_networks",
            "10.0.0.0/8,intranet",
            "'intranet' is no network in CIDR notation, such as 10.20.0.0/16; all bits after the prefix are 0",
        ),
        (
            "allowed_origins",
            "https://a.example/",
            "'https://a.example/' is no origin, such as https://app.example.com, in lower case and without a path",
        ),
        (
            "allowed_origins",
            "https://A.example",
            "'https://A.example' is no origin, such as https://app.example.com, in lower case and without a path",
        ),
        ("allowed_origins", "a.example", "'a.example' is no origin, such as https://app.example.com, in lower case and without a path"),
        ("max_body_bytes", "10", "Input should be greater than or equal to 1024"),
        ("sync_concurrency", "0", "Input should be greater than or equal to 1"),
        ("sync_concurrency", "1001", "Input should be less than or equal to 1000"),
    ],
)
def test_a_wrong_setting_is_told_by_its_name_and_what_would_be_right(name: str, value: str, reason: str):
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(Settings, **GIVEN, **{name: value})

    variable = f"GATEWAY_{name.upper()}"
    assert refusal.value.message == f"The configuration is not right. {variable}: {reason}. See docs/configuration.md."


def test_a_secret_is_never_repeated():
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(Settings, token_secret="hunter2", database_url="mysql://me:hunter3@host/name")

    assert refusal.value.message == (
        "The configuration is not right. "
        "GATEWAY_TOKEN_SECRET: it must be at least 32 bytes long, such as the output of `openssl rand -hex 32`; "
        "GATEWAY_DATABASE_URL: it must start with sqlite+aiosqlite: or postgresql+asyncpg:; "
        "GATEWAY_ENCRYPTION_KEYS: it is not set. "
        "See docs/configuration.md."
    )
