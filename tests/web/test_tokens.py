"""Tokens: what is read, what is refused, and that nothing else can happen to one that a stranger made."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from gateway.errors import ConfigurationError, InvalidError, NotAuthenticatedError
from gateway.testing import FakeClock
from gateway.web.tokens import Claims, Tokens, mint

SECRET = SecretStr("a-secret-of-more-than-32-bytes-for-tests")
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET, clock=FakeClock(now=NOW))


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: object, *, header: object = None, secret: str = SECRET.get_secret_value(), digest: str = "sha256") -> str:
    """A token made by hand, so that it may be as odd as an attacker likes."""
    signing_input = f"{encoded({'alg': 'HS256'} if header is None else header)}.{encoded(claims)}"
    signature = hmac.new(secret.encode(), signing_input.encode(), getattr(hashlib, digest)).digest()
    return f"{signing_input}.{encoded(signature)}"


def test_a_minted_token_is_read_back_whole(tokens):
    token = mint(
        SECRET,
        customer_external_id="acme",
        name="Acme Ltd",
        fields={"plan": "pro"},
        expires_in=timedelta(hours=1),
        clock=FakeClock(now=NOW),
    )

    assert tokens.read(token) == Claims(
        external_id="acme", name="Acme Ltd", fields={"plan": "pro"}, is_admin=False, expires_at=NOW + timedelta(hours=1)
    )


def test_an_admin_token_needs_no_customer(tokens):
    assert tokens.read(mint(SECRET, is_admin=True, expires_in=None)) == Claims(external_id=None, is_admin=True, expires_at=None)


def test_an_admin_may_also_be_a_customer(tokens):
    assert tokens.read(mint(SECRET, is_admin=True, customer_external_id="acme", expires_in=None)) == Claims(
        external_id="acme", is_admin=True
    )


def test_a_token_lasts_two_hours_unless_told_otherwise(tokens):
    assert tokens.read(mint(SECRET, customer_external_id="acme", clock=FakeClock(now=NOW))).expires_at == NOW + timedelta(hours=2)


def test_a_token_made_by_another_library_is_read(tokens):
    claims = {"id": "acme", "iss": "workspace", "iat": EPOCH, "exp": EPOCH + 60, "somethingElse": [1]}

    token = signed(claims, header={"alg": "HS256", "typ": "JWT", "kid": "1", "x-own": True})

    assert tokens.read(token) == Claims(external_id="acme", expires_at=NOW + timedelta(seconds=60))


def test_a_token_is_dead_at_the_second_it_expires(tokens):
    assert tokens.read(signed({"id": "acme", "exp": EPOCH + 1})).external_id == "acme"

    with pytest.raises(NotAuthenticatedError, match=r"^The token expired at 2026-05-04T12:00:00\+00:00\. Get a new one\.$"):
        tokens.read(signed({"id": "acme", "exp": EPOCH}))


def test_a_minutes_difference_between_clocks_is_forgiven_before_a_token_begins(tokens):
    assert tokens.read(signed({"id": "acme", "nbf": EPOCH + 60})).external_id == "acme"

    with pytest.raises(NotAuthenticatedError, match="not valid before"):
        tokens.read(signed({"id": "acme", "nbf": EPOCH + 61}))


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PRIVATE_PEM = RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
ACME = {"id": "acme", "isAdmin": True}
FORGED = {
    "no signature": f"{encoded({'alg': 'none'})}.{encoded(ACME)}.",
    "none in capitals": f"{encoded({'alg': 'None'})}.{encoded(ACME)}.",
    "HS256 without a signature": f"{encoded({'alg': 'HS256'})}.{encoded(ACME)}.",
    "another secret": signed(ACME, secret="another-secret-of-more-than-32-bytes!!"),
    "an empty secret": signed(ACME, secret=""),
    "a larger hash of the family": signed(ACME, header={"alg": "HS512"}, digest="sha512"),
    "an algorithm that the header lies about": signed(ACME, digest="sha512"),
    "no algorithm": signed(ACME, header={"typ": "JWT"}),
    "a list of algorithms": signed(ACME, header={"alg": ["HS256", "none"]}),
    "a header that is a list": signed(ACME, header=["alg"]),
    "a header that is a text": signed(ACME, header="alg"),
    "a header that is no JSON": signed(ACME, header=b"{alg"),
    "a header that is nested deeply": signed(ACME, header=b"[" * 380),
    "a header that is long": signed(ACME, header={"alg": "HS256", "kid": "k" * 600}),
    "an extension that must be understood": signed(ACME, header={"alg": "HS256", "crit": ["exp"], "exp": EPOCH + 60}),
    "an unencoded payload": signed(ACME, header={"alg": "HS256", "b64": False, "crit": ["b64"]}),
    "an RSA signature": jwt.encode({"alg": "RS256"}, ACME, RSAKey.import_key(PRIVATE_PEM)),
    "a key that it brings itself": signed(
        ACME, header={"alg": "HS256", "jwk": {"kty": "oct", "k": encoded(b"mine" * 8)}}, secret="mine" * 8
    ),
    "a key that it names": signed(ACME, header={"alg": "HS256", "jku": "https://evil.test/keys"}, secret="mine" * 8),
    "an encrypted token": jwe.encrypt_compact(
        {"alg": "dir", "enc": "A128CBC-HS256"}, json.dumps(ACME).encode(), OctKey.import_key(SECRET.get_secret_value().encode()[:32])
    ),
    "a payload that is a list": signed(["id"]),
    "a payload that is null": signed(None),
    "a payload that is no JSON": signed(b"id=acme"),
    "a payload that is no UTF-8": signed(b'{"id": "\xff"}'),
    "a payload that is nested deeply": signed(b"[" * 5000),
    "a longer signature": signed(ACME) + "AA",
    "a changed payload": ".".join((signed(ACME).split(".")[0], encoded({"id": "other"}), signed(ACME).split(".")[2])),
    "two parts": ".".join(signed(ACME).split(".")[:2]),
    "four parts": signed(ACME) + ".AA",
    "nothing": "",
    "dots": "..",
    "letters beyond ASCII": signed(ACME) + "é",
    "spaces": signed(ACME).replace(".", ". "),
    "ten thousand characters": signed({"id": "acme", "fields": {"x": "y" * 10_000}}),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused_in_the_same_words_whatever_is_wrong_with_it(tokens, token):
    with pytest.raises(NotAuthenticatedError) as refusal:
        tokens.read(token)

    assert refusal.value.message == (
        "The token is not one that this gateway signed. Send `Authorization: Bearer <token>` with a token made by `gateway token`."
    )
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({}, "The token names no customer. Its claim `id` must be the customer's id in your product."),
        ({"id": None}, "The token names no customer. Its claim `id` must be the customer's id in your product."),
        ({"id": "acme", "isAdmin": "true"}, "Claim `isAdmin` of the token must be true or false."),
        ({"id": "acme", "isAdmin": 1}, "Claim `isAdmin` of the token must be true or false."),
        ({"id": "acme", "exp": "tomorrow"}, "Claim `exp` of the token must be a time in seconds since 1970."),
        ({"id": "acme", "exp": True}, "Claim `exp` of the token must be a time in seconds since 1970."),
        ({"id": "acme", "exp": 10**400}, "Claim `exp` of the token must be a time in seconds since 1970."),
        ({"id": "acme", "exp": float("nan")}, "Claim `exp` of the token must be a time in seconds since 1970."),
        ({"id": "acme", "nbf": float("inf")}, "Claim `nbf` of the token must be a time in seconds since 1970."),
        ({"id": "acme", "fields": ["plan"]}, "Claim `fields` of the token must be an object of plain JSON values."),
        ({"id": "acme", "fields": {"a": "\x00"}}, "Claim `fields` of the token must be an object of plain JSON values."),
        ({"id": "acme", "fields": {"a": "\ud800"}}, "Claim `fields` of the token must be an object of plain JSON values."),
    ],
)
def test_a_signed_token_with_an_odd_claim_is_refused_by_the_claims_name(tokens, claims, message):
    with pytest.raises(NotAuthenticatedError) as refusal:
        tokens.read(signed(claims))

    assert refusal.value.message == message


@pytest.mark.parametrize("claim", ["id", "name"])
@pytest.mark.parametrize("value", [7, True, "", "   ", "a\x00b", "a\nb", "\ud800", "x" * 256, ["acme"], {"is": "acme"}])
def test_a_text_claim_must_be_a_short_text(tokens, claim, value):
    with pytest.raises(NotAuthenticatedError) as refusal:
        tokens.read(signed({"id": "acme", claim: value}))

    assert refusal.value.message == f"Claim `{claim}` of the token must be a text of 1 to 255 characters without control characters."


def test_texts_of_any_language_and_a_backslash_survive(tokens):
    claims = tokens.read(signed({"id": "客户-1", "name": "Žofie\u00a0Nováková 👩‍💻", "fields": {"path": "\\u0000"}}))

    assert claims == Claims(external_id="客户-1", name="Žofie\u00a0Nováková 👩‍💻", fields={"path": "\\u0000"})


@given(st.text(max_size=300) | st.builds(lambda h, p, s: f"{encoded(h)}.{encoded(p)}.{encoded(s)}", st.binary(), st.binary(), st.binary()))
def test_whatever_a_stranger_sends_is_refused_and_nothing_else(text):
    with pytest.raises(NotAuthenticatedError):
        Tokens(SECRET, clock=FakeClock(now=NOW)).read(text)


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "fields", "isAdmin", "exp", "nbf"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)
def test_whatever_is_signed_is_read_or_refused_and_nothing_else(claims):
    try:
        read = Tokens(SECRET, clock=FakeClock(now=NOW)).read(signed(claims))
    except NotAuthenticatedError:
        return

    assert read.is_admin or read.external_id


def test_neither_secret_nor_token_shows_in_a_refusal_or_a_repr(tokens):
    token = signed(ACME, secret="another-secret-of-more-than-32-bytes!!")

    with pytest.raises(NotAuthenticatedError) as refusal:
        tokens.read(token)

    assert token not in str(refusal.value)
    assert SECRET.get_secret_value() not in repr(vars(tokens)) + repr(tokens)


@pytest.mark.parametrize("secret", ["", PUBLIC_PEM], ids=["empty", "a public key"])
def test_a_secret_that_is_empty_or_a_public_key_is_refused_at_the_start(secret):
    with pytest.raises(ConfigurationError, match=r"^GATEWAY_TOKEN_SECRET is not usable as a secret: it is empty or a public key\."):
        Tokens(SecretStr(secret), clock=FakeClock(now=NOW))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "The token names no customer."),
        ({"customer_external_id": ""}, "Claim `id` of the token must be a text"),
        ({"customer_external_id": "acme", "expires_in": timedelta(0)}, "The token would expire before anybody could use it."),
        ({"customer_external_id": "acme", "fields": {"x": "y" * 9000}}, "The token would have 12"),
    ],
)
def test_a_token_that_nobody_could_use_is_not_minted(arguments, message):
    with pytest.raises(InvalidError, match=f"^{message}"):
        mint(SECRET, **arguments)
