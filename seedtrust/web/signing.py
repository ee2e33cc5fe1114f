"""Checking a password at either door: look up, verify outside of any unit of work, remember."""

from __future__ import annotations

from dataclasses import dataclass, field

from seedtrust.domain.identity import passwords, signing_in
from seedtrust.domain.identity.signing_in import Candidate
from seedtrust.ext import reading
from seedtrust.web.actor import clock_now, keyring
from seedtrust.web.client import current_client


@dataclass(frozen=True)
class CheckedPassword:
    """A candidate with the outcome of the check."""

    candidate: Candidate
    matched: bool
    new_hash: str | None = field(repr=False)


def check_password(email: str, password: str) -> CheckedPassword:
    """Check an address with a password; takes the same time whether or not it is somebody's.

    Raises SignInSlowedDown after too many wrong attempts, Unavailable when overloaded.
    """
    keys, now, client = keyring(), clock_now(), current_client()
    candidate = reading(
        lambda session: signing_in.look_up(session, email, client, keyring=keys, now=now)
    )
    matched = passwords.matches(password, candidate.password_hash)
    new_hash = signing_in.hash_if_outdated(password, candidate) if matched else None
    return CheckedPassword(candidate, matched, new_hash)
