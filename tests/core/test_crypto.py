"""A sealed value opens in its own row, with its own key, unaltered, and nowhere else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.core.crypto import CiphertextRefused, Keyring

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
RING = Keyring({"old": OLD, "new": NEW}, "new", INDEX)
ROW = "payee_accounts.account_number.7"


@given(st.text(max_size=200), st.text(max_size=40))
def test_what_is_sealed_opens_again(plaintext: str, row: str) -> None:
    assert RING.open(RING.seal(plaintext, row), row) == plaintext


@given(st.binary(max_size=2_000))
def test_files_are_sealed_byte_for_byte(content: bytes) -> None:
    token = RING.seal_bytes(content, ROW)
    assert RING.open_bytes(token, ROW) == content


def test_the_same_number_is_never_sealed_to_the_same_text() -> None:
    assert RING.seal("4400187263", ROW) != RING.seal("4400187263", ROW)


def test_a_value_moved_to_another_row_is_refused() -> None:
    with pytest.raises(CiphertextRefused, match="does not belong"):
        RING.open(RING.seal("4400187263", ROW), "payee_accounts.account_number.8")


@given(st.data())
def test_one_altered_byte_is_refused(data: st.DataObject) -> None:
    key_id, _, body = RING.seal("4400187263", ROW).partition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    altered = f"{key_id}.{base64.urlsafe_b64encode(bytes(raw)).decode()}"
    with pytest.raises(CiphertextRefused):
        RING.open(altered, ROW)


@pytest.mark.parametrize("token", ["", ".", "new.", "new.!!!", "other.AAAA", "new.AAAA", "AAAA"])
def test_nonsense_is_refused(token: str) -> None:
    with pytest.raises(CiphertextRefused):
        RING.open(token, ROW)


def test_an_older_key_still_opens_and_the_primary_seals() -> None:
    sealed = Keyring({"old": OLD}, "old", INDEX).seal("4400187263", ROW)
    assert RING.open(sealed, ROW) == "4400187263"
    assert RING.seal("4400187263", ROW).startswith("new.")


def test_a_fingerprint_finds_equals_and_needs_its_key() -> None:
    other = Keyring({"new": NEW}, "new", b"j" * 32)
    assert RING.fingerprint("4400187263") == RING.fingerprint("4400187263")
    assert RING.fingerprint("4400187263") != RING.fingerprint("4400187264")
    assert RING.fingerprint("4400187263") != other.fingerprint("4400187263")


def test_a_ring_with_a_short_key_or_without_its_primary_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring({"new": b"short"}, "new", INDEX)
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring({"new": NEW}, "new", b"short")
    with pytest.raises(ValueError, match="missing"):
        Keyring({"old": OLD}, "new", INDEX)


def test_keys_do_not_appear_when_a_ring_is_printed() -> None:
    assert "nnnn" not in repr(RING)
    assert "iiii" not in repr(RING)
