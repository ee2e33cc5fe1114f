"""Choosing, hashing and checking passwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrust.domain.identity import passwords
from seedtrust.domain.identity.errors import PasswordRefused
from seedtrust.domain.identity.states import UserKind
from tests.factories.identity import PASSWORD, password_hash

STAFF, PARTY = UserKind.STAFF, UserKind.PARTY


@pytest.mark.parametrize(
    "password,kind,accepted",
    [
        ("x7mQ2vLp9wRt", PARTY, True),
        ("x7mQ2vLp9wR", PARTY, False),
        ("x7mQ2vLp9wRt4z", STAFF, False),
        ("x7mQ2vLp9wRt4zK", STAFF, True),
        ("lantern orchard velvet", STAFF, True),
        ("m\u00fcde W\u00f6lfe schlafen", STAFF, True),
        ("\U0001f33b garden gate open wide", STAFF, True),
        ("ab" * 64, STAFF, False),
        ("correct plough " + "z" * 113, STAFF, True),
        ("correct plough " + "z" * 114, STAFF, False),
        ("password password", STAFF, False),
        ("P4ssw0rd!P4ssw0rd!", STAFF, False),
        ("qwertyuiopasdfghjkl", STAFF, False),
        ("123456789012345678", STAFF, False),
        ("918273645546372819", STAFF, False),
        ("aaaaaaaaaaaaaaaaaa", STAFF, False),
        ("abcabcabcabcabcabc", STAFF, False),
        ("abcdefghijklmnopqr", STAFF, False),
        ("SeedTrust 2026 !!", STAFF, False),
        ("seedtrust escrow 1", STAFF, False),
        ("robin.example.1234", STAFF, False),
        ("Robin Example Robin", STAFF, False),
        ("line\nbreak in here now", STAFF, False),
    ],
)
def test_length_and_guessing_decide(password: str, kind: UserKind, accepted: bool) -> None:
    context = ("Robin Example", "robin.example", "example.com")
    refusal = passwords.refusal_of(password, kind, context)
    assert (refusal is None) is accepted


def test_a_refusal_names_its_field_and_what_to_do() -> None:
    with pytest.raises(PasswordRefused) as refused:
        passwords.check_rules("short", STAFF, field="new_password")
    assert refused.value.errors == {
        "new_password": ["Use at least 15 characters. A few words in a row do well."]
    }


def test_a_hash_is_argon2id_with_the_chosen_cost() -> None:
    stored = password_hash()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored
    assert not passwords.needs_new_hash(stored)


def test_only_the_right_password_matches() -> None:
    stored = password_hash()
    assert passwords.matches(PASSWORD, stored)
    assert not passwords.matches(PASSWORD + " ", stored)
    assert not passwords.matches(PASSWORD.upper(), stored)
    assert not passwords.matches("", stored)


def test_ways_of_typing_one_password_are_the_same() -> None:
    stored = passwords.hash_password(passwords.normalise("caf\u00e9 orchard velvet"))
    assert passwords.matches("cafe\u0301 orchard velvet", stored)


@pytest.mark.parametrize("stored", [None, "", "$argon2id$broken", "$md5$x", "plain"])
def test_without_a_usable_hash_nothing_matches(stored: str | None) -> None:
    assert not passwords.matches("anything at all", stored)
    assert not passwords.matches("", stored)


def test_an_older_kind_of_hash_can_join_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(passwords.VERIFIERS, "$old$", lambda stored, text: stored == f"$old${text}")
    assert passwords.matches("lantern", "$old$lantern")
    assert not passwords.matches("lamp", "$old$lantern")
    assert passwords.needs_new_hash("$old$lantern")


@given(st.text(max_size=200))
def test_the_rules_answer_every_text(text: str) -> None:
    refusal = passwords.refusal_of(text, PARTY)
    if refusal is None:
        assert 12 <= len(passwords.normalise(text)) <= 128
    else:
        assert refusal.errors["password"]
