"""Passwords: the rules for choosing one, hashing it, and verifying it in equal time.

Rules after NIST SP 800-63B-4 section 3.1.1.2: length instead of composition, a blocklist with
words of the context, no forced change. Hash: Argon2id with 19 MiB, two passes, one lane (OWASP).
"""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seedtrust.core.errors import Unavailable
from seedtrust.domain.identity.errors import PasswordRefused
from seedtrust.domain.identity.states import UserKind

LONGEST: Final = 128
SHORTEST: Final[Mapping[UserKind, int]] = {UserKind.STAFF: 15, UserKind.PARTY: 12}

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_WAIT_SECONDS: Final = 2
# As many hashes at once as there are processors; more would only make each one slower.
_slots: Final = threading.BoundedSemaphore(os.cpu_count() or 1)

# What people type when they must type something long; what is left without these must still do.
_COMMON: Final = (
    "correcthorsebatterystaple",
    "qwertyuiop",
    "administrator",
    "asdfghjkl",
    "iloveyou",
    "letmein",
    "football",
    "baseball",
    "princess",
    "sunshine",
    "password",
    "passwort",
    "welcome",
    "dragon",
    "monkey",
    "qwerty",
    "qwertz",
    "zxcvbnm",
    "abcdef",
    "abc123",
    "secret",
    "admin",
    "login",
    "hello",
    "changeme",
    "seedtrust",
    "surrogacy",
    "surrogate",
    "escrow",
)
_LOOKALIKES: Final = str.maketrans("013457@$!", "oleastasi")
_SHORTEST_WORD: Final = 4
_SHORTEST_REST: Final = 6
_FEWEST_CHARACTERS: Final = 5

Verifier = Callable[[str, str], bool]
Result = TypeVar("Result")


def normalise(password: str) -> str:
    """Return the password in NFKC, so that every keyboard's way of typing it is the same."""
    return unicodedata.normalize("NFKC", password)


def check_rules(
    password: str, kind: UserKind, context: Iterable[str] = (), field: str = "password"
) -> str:
    """Return the normalised password. Raises PasswordRefused, saying what to do instead."""
    refusal = refusal_of(password, kind, context, field)
    if refusal is not None:
        raise refusal
    return normalise(password)


def refusal_of(
    password: str, kind: UserKind, context: Iterable[str] = (), field: str = "password"
) -> PasswordRefused | None:
    """Return why a new password is refused, or None.

    `context` holds words that an attacker knows: names and the address of the person.
    """
    text = normalise(password)
    least = SHORTEST[kind]
    if len(text) < least:
        message = f"Use at least {least} characters. A few words in a row do well."
    elif len(text) > LONGEST:
        message = f"Use at most {LONGEST} characters."
    elif not text.isprintable():
        message = "Use characters that can be printed."
    elif _is_guessable(text, context):
        message = (
            "This one is easy to guess. Choose words that have nothing to do with you or with "
            "SeedTrust."
        )
    else:
        return None
    return PasswordRefused(message, errors={field: [message]})


def _is_guessable(text: str, context: Iterable[str]) -> bool:
    rest = text.casefold()
    if len(set(rest)) < _FEWEST_CHARACTERS or _is_run(rest):
        return True
    known = {word for part in context for word in re.split(r"[\W_]+", part.casefold())}
    words = sorted(
        {word for word in known if len(word) >= _SHORTEST_WORD} | set(_COMMON),
        key=len,
        reverse=True,
    )
    for candidate in (rest, rest.translate(_LOOKALIKES)):
        left = candidate
        for word in words:
            left = left.replace(word, "")
        if len(re.sub(r"[\W\d_]+", "", left)) < _SHORTEST_REST and left != candidate:
            return True
    return re.fullmatch(r"\d+", rest) is not None


def _is_run(text: str) -> bool:
    steps = {ord(right) - ord(left) for left, right in pairwise(text)}
    return len(steps) == 1 or _is_repeated(text)


def _is_repeated(text: str) -> bool:
    return any(
        text == text[:size] * (len(text) // size)
        for size in range(1, _SHORTEST_REST + 1)
        if len(text) % size == 0
    )


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a normalised password. Raises Unavailable when overloaded."""
    return _in_slot(lambda: _HASHER.hash(password))


def new_hash(password: str, kind: UserKind, context: Iterable[str] = ()) -> str:
    """Return the hash of a new password that fits the rules. Raises PasswordRefused."""
    return hash_password(check_rules(password, kind, context))


def _argon2(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


# Hashes by their beginning; an older scheme joins here and is replaced at the next sign-in.
VERIFIERS: Final[dict[str, Verifier]] = {"$argon2id$": _argon2}

_DUMMY: Final[dict[str, str]] = {}


def matches(password: str, stored: str | None) -> bool:
    """Tell whether a password fits its stored hash; unknown people cost the same time.

    Raises Unavailable when too many sign-ins wait already.
    """
    text = normalise(password)[: LONGEST * 4]
    verifier = next(
        (verify for start, verify in VERIFIERS.items() if stored and stored.startswith(start)), None
    )
    if stored is None or verifier is None:
        dummy = _DUMMY.get("hash") or _DUMMY.setdefault("hash", hash_password("nobody"))
        _in_slot(lambda: _argon2(dummy, text))
        return False
    return _in_slot(lambda: verifier(stored, text))


def needs_new_hash(stored: str) -> bool:
    """Tell whether a hash was made with another scheme or weaker parameters."""
    return not stored.startswith("$argon2id$") or _HASHER.check_needs_rehash(stored)


def _in_slot(work: Callable[[], Result]) -> Result:
    if not _slots.acquire(timeout=_WAIT_SECONDS):
        message = "Many people are signing in just now. Try again in a moment."
        raise Unavailable(message)
    try:
        return work()
    finally:
        _slots.release()
