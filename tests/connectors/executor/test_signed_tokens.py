import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.errors import UpstreamAuthError
from gateway.testing import Answer
from tests.connectors.executor.notes import access_with, items, read

SECRET = "a-secret-of-the-customer-4711-0815"
RSA, EC = RSAKey.generate_key(2048), ECKey.generate_key("P-256")
# The clock of the tests begins at 2026-01-01T00:00:00Z.
NOW = 1767225600


def signing(algorithm="HS256", **method):
    credentials = {"type": "object", "properties": {"key": {"type": "string", "writeOnly": True}, "issuer": {"default": "i-1"}}}
    return {"auth": {"token": {"type": "jwt", "algorithm": algorithm, "key": "${credentials.key}", "credentials": credentials, **method}}}


def entered(key=SECRET, **others):
    return access_with(credentials={"key": key, **others})


async def sent(app, connector, access, **parts):
    app.answer(json=items())
    await read(connector(**parts), access)
    return app.requests[-1].headers["authorization"].removeprefix("Bearer ")


async def test_the_token_says_what_the_file_says_and_how_long_it_lasts(app, connector):
    parts = signing(
        headers={"kid": "${credentials.issuer}", "x5t": "${credentials.none}"},
        claims={"iss": "${credentials.issuer}", "aud": ["notes"], "sub": None},
        lasts_seconds=600,
    )

    token = jwt.decode(await sent(app, connector, entered(), **parts), OctKey.import_key(SECRET), algorithms=["HS256"])

    assert token.header == {"kid": "i-1", "alg": "HS256", "typ": "JWT"}
    assert token.claims == {"iss": "i-1", "aud": ["notes"], "iat": NOW - 10, "exp": NOW + 590}


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", RSA), ("ES256", EC)], ids=["RS256", "ES256"])
@pytest.mark.parametrize("written", ["as it is", "on one line"])
async def test_a_private_key_in_pem(app, connector, algorithm, key, written):
    pem = key.as_pem(private=True).decode()
    text = await sent(app, connector, entered(pem if written == "as it is" else pem.replace("\n", "\\n")), **signing(algorithm))

    assert jwt.decode(text, key, algorithms=[algorithm]).claims["iat"] == NOW - 10


@pytest.mark.parametrize(("encoding", "key"), [("base64", "c2VjcmV0LTQ3MTEtc2VjcmV0"), ("hex", "7365637265742d343731312d736563726574")])
async def test_a_secret_that_is_written_otherwise(app, connector, encoding, key):
    text = await sent(app, connector, entered(key), **signing(key_encoding=encoding))

    assert jwt.decode(text, OctKey.import_key("secret-4711-secret"), algorithms=["HS256"]).claims["exp"] == NOW + 290


async def test_one_token_serves_until_a_little_before_its_end(app, connector, clock):
    app.answer_with(lambda request: Answer(json=items()))
    notes = connector(**signing(lasts_seconds=300))

    for seconds in (0, 259, 1):
        clock.advance(seconds)
        await read(notes, entered())

    first, second, third = (request.headers["authorization"] for request in app.requests)
    assert first == second
    assert third != first


async def test_where_the_token_goes(app, connector):
    app.answer(json=items())

    await read(connector(**signing(location="query", parameter="jwt", value="${token}")), entered())

    assert app.requests[0].query["jwt"].count(".") == 2
    assert "authorization" not in app.requests[0].headers


P384 = ECKey.generate_key("P-384").as_pem(private=True).decode()


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", "no key"),
        ("RS256", EC.as_pem(private=True).decode()),
        ("RS256", RSA.as_pem(private=False).decode()),
        ("RS256", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
        ("RS256", "x" * 20_000),
        ("ES256", RSA.as_pem(private=True).decode()),
        ("ES256", EC.as_pem(private=False).decode()),
        ("ES256", P384),
        ("ES256", json.dumps(EC.as_dict(private=True))),
        ("HS256", ""),
        ("HS256", None),
        ("HS256", "a\ud800"),
        ("RS256", ["a"]),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
async def test_a_key_that_cannot_sign_is_told_unsent_and_unshown(app, connector, algorithm, key):
    with pytest.raises(UpstreamAuthError, match="credentials") as refusal:
        await read(connector(**signing(algorithm)), entered(key))

    assert app.requests == []
    assert "BEGIN" not in refusal.value.message
    assert refusal.value.__cause__ is None


async def test_an_encrypted_key_is_told(app, connector):
    pem = EC.as_pem(private=True, password="hunter2").decode()

    with pytest.raises(UpstreamAuthError, match="it must be a private key in PEM"):
        await read(connector(**signing("ES256")), entered(pem))


@pytest.mark.parametrize(("encoding", "key"), [("base64", "not base64!"), ("hex", "xyz")])
async def test_a_secret_that_is_not_written_as_the_file_says(app, connector, encoding, key):
    with pytest.raises(UpstreamAuthError, match=f"not written in {encoding}"):
        await read(connector(**signing(key_encoding=encoding)), entered(key))
    assert app.requests == []


async def test_a_claim_that_cannot_be_told_shows_nothing(app, connector):
    with pytest.raises(UpstreamAuthError, match="cannot make a token") as refusal:
        await read(connector(**signing(claims={"n": "${abs(credentials.key)}"})), entered())

    assert SECRET not in refusal.value.message


async def test_neither_key_nor_token_stands_in_errors(app, connector):
    app.answer_with(lambda request: Answer(status=403, json={"error": f"{request.headers['authorization']} and {SECRET}"}))

    with pytest.raises(Exception, match="refused") as refusal:
        await read(connector(http={"error_message": "${body.error}"}, **signing()), entered())

    assert "[redacted] and [redacted]" in refusal.value.message
    assert app.requests[0].headers["authorization"].removeprefix("Bearer ") not in refusal.value.message
