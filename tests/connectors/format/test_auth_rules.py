"""What an auth method of a connector file must satisfy beyond its shape."""

import pytest

KEY = """\
    type: apiKey
    parameter: X-Key
    value: "${credentials.key}"
"""
SESSION = """\
    type: session
    login:
      request: {method: POST, path: /login, json: {key: "${credentials.key}"}}
      token: "${body.token}"
"""


def session(old="", new=""):
    assert old in SESSION
    return KEY, SESSION.replace(old, new)


def test_a_session_sends_its_token_as_a_bearer_unless_it_says_otherwise(load):
    method = load(session()).auth["key"]

    assert (method.location, method.parameter, method.value.source) == ("header", "Authorization", "Bearer ${token}")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("${body.token}", "secret"), ["13: auth.key.login.token: the token must be read from the login's answer"]),
        (
            ("${body.token}", "${bdy.token}"),
            [
                "13: auth.key.login.token: the token must be read from the login's answer",
                "13: auth.key.login.token: there is no name 'bdy' here; there are body, connection, credentials, headers, integration, "
                "status",
            ],
        ),
        (
            ("{key: ", '{of: "${token}", key: '),
            ["12: auth.key.login.request.json: there is no name 'token' here; there are connection, credentials, integration"],
        ),
        (
            ("${credentials.key}", "${credentials.pin}"),
            [
                "12: auth.key.login.request.json: 'credentials' has no 'pin'; it has key",
                "14: auth.key.credentials: none of pin is secret; mark the one that is with `writeOnly: true`",
            ],
        ),
        (
            ("path: /login", "path: login"),
            ["12: auth.key.login.request.path: a path is text that starts with '/'; the base URL stands before it"],
        ),
        (
            ("method: POST", "method: GET"),
            ["12: auth.key.login.request.json: a GET request has no body; use `query`, or `method: POST` with `read: true`"],
        ),
        (
            ('token: "${body.token}"\n', 'token: "${body.token}"\n      expires_in: 60\n      expires_at: "${body.until}"\n'),
            ["14: auth.key.login.expires_in: the token's end is told twice; keep `expires_at` or `expires_in`"],
        ),
        (
            ("type: session\n", 'type: session\n    value: "${credentials.key}"\n'),
            ["11: auth.key.value: the value must hold ${token}, or the token is for nothing"],
        ),
        (("type: session\n", "type: session\n    parameter: 'a b'\n"), ["11: auth.key.parameter: 'a b' is not the name of a header"]),
        (
            ("type: session\n", "type: session\n    location: path\n"),
            ["11: auth.key.location: input should be 'header', 'query' or 'cookie'"],
        ),
        (
            ("      token:", "      tokn:"),
            ["11: auth.key.login: the key `token` is missing", "13: auth.key.login.tokn: unknown key; did you mean `token`?"],
        ),
    ],
    ids=lambda value: value[1].strip()[:40] if isinstance(value, tuple) else "",
)
def test_a_mistake_in_a_session_is_told_with_its_line(problems, change, expected):
    assert problems(session(*change)) == expected


JWT = """\
    type: jwt
    algorithm: ES256
    key: "${credentials.key}"
    headers: {kid: a}
    claims: {iss: b}
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("{kid: a}", "{alg: none}"), ["13: auth.key.headers.alg: the gateway sets 'alg' itself; take it out"]),
        (("{iss: b}", "{exp: 5}"), ["14: auth.key.claims.exp: the gateway sets 'exp' itself; take it out"]),
        (("{iss: b}", "{iss: '${credentials.b}'}"), ["14: auth.key.claims.iss: 'credentials' has no 'b'; it has key"]),
        (('"${credentials.key}"', "abc"), ["12: auth.key.key: the key belongs to the credentials; a file is no place for a secret"]),
        (
            ("algorithm: ES256", "algorithm: ES256\n    key_encoding: hex"),
            ["12: auth.key.key_encoding: the key of ES256 is written in PEM; take this out"],
        ),
        (("algorithm: ES256", "algorithm: none"), ["11: auth.key.algorithm: input should be 'HS256', 'RS256' or 'ES256'"]),
        (
            ("headers:", "value: abc\n    headers:"),
            ["13: auth.key.value: the value must hold ${token}, or the token is for nothing"],
        ),
        (
            ("claims:", "lasts_seconds: 5\n    claims:"),
            ["14: auth.key.lasts_seconds: input should be greater than or equal to 30"],
        ),
    ],
    ids=lambda value: value[1].strip()[:40] if isinstance(value, tuple) else "",
)
def test_a_mistake_in_a_signed_token_is_told_with_its_line(problems, change, expected):
    old, new = change

    assert problems((KEY, JWT.replace(old, new))) == expected
