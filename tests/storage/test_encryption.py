"""Credentials at rest open with their key, in their row and column, whole, and not otherwise."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.errors import ConfigurationError, GatewayError, InternalError
from gateway.storage.encryption import Cipher

ROW = UUID("01934f6e-0000-7000-8000-000000000001")
OTHER_ROW = UUID("01934f6e-0000-7000-8000-000000000002")
COLUMN = "connection.credentials"
KEY_A = base64.b64encode(b"a" * 32).decode()
KEY_B = base64.b64encode(b"b" * 32).decode()


def cipher(ring: str) -> Cipher:
    return Cipher.from_key_ring(SecretStr(ring))


A = cipher(f"a:{KEY_A}")


@given(plaintext=st.binary(max_size=5_000), row=st.uuids(), column=st.text(max_size=30).filter(lambda text: text.isprintable()))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, row: UUID, column: str):
    sealed = A.encrypt(plaintext, row=row, column=column)

    assert A.decrypt(sealed, row=row, column=column) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


def test_the_same_value_is_sealed_differently_each_time_with_a_data_key_of_its_own():
    first, second = (A.encrypt(b"secret", row=ROW, column=COLUMN) for _ in range(2))

    wrapped_key = slice(3, 3 + 60)
    assert first[wrapped_key] != second[wrapped_key]
    assert first[63:] != second[63:]
    assert len(first) == len(second) == 3 + 60 + 12 + 6 + 16


def test_json_keeps_its_shape_its_big_integers_and_its_text():
    value = {"apiKey": "ä\u0000\ud800", "number": 2**70, "nested": [None, True, 1.5]}

    assert A.open_json(A.seal_json(value, row=ROW, column=COLUMN), row=ROW, column=COLUMN) == value


@pytest.mark.parametrize(("row", "column"), [(OTHER_ROW, COLUMN), (ROW, "connection.parameters"), (ROW, ""), (ROW, COLUMN + "2")])
def test_a_value_moved_to_another_place_does_not_open(row: UUID, column: str):
    sealed = A.encrypt(b"secret", row=ROW, column=COLUMN)

    with pytest.raises(InternalError, match="does not open"):
        A.decrypt(sealed, row=row, column=column)


def test_the_sealed_text_of_one_row_does_not_open_under_the_wrapped_key_of_another():
    here, there = A.encrypt(b"here", row=ROW, column=COLUMN), A.encrypt(b"away", row=OTHER_ROW, column=COLUMN)

    with pytest.raises(InternalError):
        A.decrypt(here[:63] + there[63:], row=ROW, column=COLUMN)
    with pytest.raises(InternalError):
        A.decrypt(there[:63] + here[63:], row=ROW, column=COLUMN)


def test_every_changed_byte_is_noticed():
    sealed = A.encrypt(b"secret", row=ROW, column=COLUMN)

    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises((InternalError, ConfigurationError)):
            A.decrypt(bytes(damaged), row=ROW, column=COLUMN)


def test_every_cut_and_every_addition_is_noticed():
    sealed = A.encrypt(b"secret", row=ROW, column=COLUMN)

    for wrong in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0", b"\0" + sealed]:
        with pytest.raises(InternalError):
            A.decrypt(wrong, row=ROW, column=COLUMN)


@given(st.binary(max_size=300))
def test_noise_never_opens_and_never_raises_anything_else(noise: bytes):
    with pytest.raises(GatewayError):
        A.decrypt(noise, row=ROW, column=COLUMN)


def test_every_key_of_the_ring_opens_and_the_first_one_seals():
    old = A.encrypt(b"secret", row=ROW, column=COLUMN)
    both = cipher(f"b:{KEY_B},a:{KEY_A}")

    assert both.decrypt(old, row=ROW, column=COLUMN) == b"secret"
    new = both.encrypt(b"secret", row=ROW, column=COLUMN)
    assert cipher(f"b:{KEY_B}").decrypt(new, row=ROW, column=COLUMN) == b"secret"


def test_a_key_that_left_the_ring_is_named():
    sealed = A.encrypt(b"secret", row=ROW, column=COLUMN)

    with pytest.raises(ConfigurationError, match="need the encryption key 'a', which GATEWAY_ENCRYPTION_KEYS does not hold"):
        cipher(f"b:{KEY_B}").decrypt(sealed, row=ROW, column=COLUMN)


def test_another_key_under_the_same_id_does_not_open():
    sealed = A.encrypt(b"secret", row=ROW, column=COLUMN)

    with pytest.raises(InternalError, match="its key changed under the same id"):
        cipher(f"a:{KEY_B}").decrypt(sealed, row=ROW, column=COLUMN)


def test_rewrapping_changes_the_key_and_not_the_sealed_text():
    old = A.encrypt(b"secret", row=ROW, column=COLUMN)
    both = cipher(f"b:{KEY_B},a:{KEY_A}")

    new = both.rewrap(old, row=ROW, column=COLUMN)

    assert new[63:] == old[63:]
    assert cipher(f"b:{KEY_B}").decrypt(new, row=ROW, column=COLUMN) == b"secret"
    assert both.rewrap(new, row=ROW, column=COLUMN) == new
    with pytest.raises(InternalError):
        both.rewrap(old, row=OTHER_ROW, column=COLUMN)


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        ("", "entry 1 has no colon between id and key"),
        (KEY_A, "entry 1 has no colon"),
        (f"a:{KEY_A},", "entry 2 has no colon"),
        (f":{KEY_A}", "entry 1 has an id that is not 1 to 64 letters"),
        (f"ä:{KEY_A}", "entry 1 has an id"),
        (f"{'a' * 65}:{KEY_A}", "entry 1 has an id"),
        (f"a:{KEY_A},a:{KEY_B}", "entry 2 repeats the id 'a'"),
        ("a:", "entry 1 has a key of 0 bytes instead of 32"),
        (f"a:{KEY_A[:-4]}", "entry 1 has a key of "),
        (f"a:!{KEY_A[1:]}", "entry 1 has a key that is not base64"),
        (f"a:ä{KEY_A[1:]}", "entry 1 has a key that is not base64"),
        (f"a:{KEY_A} {KEY_B}", "entry 1 has a key that is not base64"),
    ],
)
def test_a_wrong_ring_is_refused_with_its_entry_and_without_its_keys(ring: str, problem: str):
    with pytest.raises(ConfigurationError) as refusal:
        cipher(ring)

    assert problem in refusal.value.message
    assert KEY_A[:8] not in refusal.value.message
    assert KEY_B[:8] not in refusal.value.message
    assert refusal.value.__cause__ is None


def test_spaces_around_entries_are_no_part_of_them():
    assert repr(cipher(f" b:{KEY_B} , a:{KEY_A} ")) == "Cipher(key_ids=['b', 'a'])"


def test_a_generated_ring_works_and_is_new_each_time():
    first, second = Cipher.generate_key_ring(), Cipher.generate_key_ring()

    assert first != second
    sealed = cipher(first).encrypt(b"secret", row=ROW, column=COLUMN)
    assert cipher(first).decrypt(sealed, row=ROW, column=COLUMN) == b"secret"


def test_a_cipher_shows_no_key():
    assert KEY_A[:8] not in repr(A)
    assert repr(b"a" * 8)[2:-1] not in repr(A)
