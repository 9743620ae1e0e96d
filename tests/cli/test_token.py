"""`gateway token`."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from gateway.clock import SystemClock
from gateway.web.tokens import Claims, Tokens

SECRET = "a-secret-for-tests-that-is-long-enough"


@pytest.fixture(autouse=True)
def secret(environment):
    environment(token_secret=SECRET)


def claims_of(token: str) -> Claims:
    return Tokens(SecretStr(SECRET), clock=SystemClock()).read(token.strip())


def test_a_customer_gets_a_token_of_two_hours_and_nothing_else_is_printed(gateway):
    outcome = gateway("token", "acme", "--name", "Acme", "--fields", '{"plan": "pro"}')

    claims = claims_of(outcome.stdout)
    assert (outcome.exit_code, outcome.stderr, outcome.stdout.count("\n")) == (0, "", 1)
    assert (claims.external_id, claims.name, claims.fields, claims.is_admin) == ("acme", "Acme", {"plan": "pro"}, False)
    assert timedelta(hours=1, minutes=59) < claims.expires_at - SystemClock().now() <= timedelta(hours=2, seconds=1)


def test_an_admin_gets_a_token_that_lasts_as_long_as_asked(gateway):
    claims = claims_of(gateway("token", "--admin", "--expires-in", "7d").stdout)

    assert (claims.external_id, claims.is_admin) == (None, True)
    assert timedelta(days=6) < claims.expires_at - SystemClock().now() <= timedelta(days=7, seconds=1)


def test_an_admin_may_be_a_customer_too_and_a_token_may_last_for_ever(gateway):
    claims = claims_of(gateway("token", "acme", "--admin", "--expires-in", "never").stdout)

    assert (claims.external_id, claims.is_admin, claims.expires_at) == ("acme", True, None)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Name a customer, or say --admin."),
        (("acme", "--expires-in", "soon"), "'soon' is no duration. Write a number and s, m, h or d, such as 90m; or never."),
        (("acme", "--expires-in", "999999999d"), "is too long. At most 3650d; or never."),
        (("acme", "--fields", "{"), "It is no JSON"),
        (("acme", "--fields", "[]"), "--fields: It must be a JSON object"),
        (("acme", "--unknown"), "No such option"),
    ],
)
def test_a_wrong_command_line_is_usage_and_prints_no_token(gateway, arguments, reason):
    outcome = gateway("token", *arguments)

    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith("Error: ")
    assert reason in outcome.stderr
    assert outcome.stderr.endswith(" Add --help to see how it is meant.\n")
    assert outcome.stderr.count("\n") == 1


def test_what_cannot_be_in_a_token_is_told_in_one_line(gateway):
    outcome = gateway("token", "acme", "--expires-in", "0s")

    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr == "Error: The token would expire before anybody could use it. Let it last at least a second.\n"


def test_a_missing_secret_is_a_matter_of_configuration(gateway, monkeypatch):
    monkeypatch.delenv("GATEWAY_TOKEN_SECRET")

    outcome = gateway("token", "acme")

    assert (outcome.exit_code, outcome.stdout) == (78, "")
    assert outcome.stderr == "Error: The configuration is not right. GATEWAY_TOKEN_SECRET: it is not set. See docs/configuration.md.\n"
