"""People for tests: plain functions with keyword overrides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count

from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.permissions import STAFF_ROLES, Actor, Role
from seedtrust.domain.identity import passwords, service
from seedtrust.domain.identity.models import User
from seedtrust.domain.identity.sessions import actor_of
from seedtrust.domain.identity.states import UserKind

PASSWORD = "lantern orchard velvet"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KEYRING = Keyring({"t1": b"k" * 32}, "t1", b"i" * 32)
NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)

_numbers = count(1)


@cache
def password_hash(password: str = PASSWORD) -> str:
    """Return a hash of the password; hashing is slow on purpose, so each is made once."""
    return passwords.hash_password(password)


@dataclass(frozen=True)
class Person:
    """An account that can sign in, with what a person would know."""

    user_id: int
    reference: str
    email: str
    name: str
    roles: frozenset[Role]
    password: str = PASSWORD
    seed: str | None = SEED


def make_person(
    session: Session,
    *roles: Role,
    kind: UserKind | None = None,
    keyring: Keyring = KEYRING,
    seed: str | None = SEED,
    name: str = "",
    now: datetime = NOW,
) -> Person:
    """Add an active account; staff when a role of the staff is given. Flushed, not committed."""
    number = next(_numbers)
    if kind is None:
        kind = UserKind.STAFF if STAFF_ROLES & set(roles) else UserKind.PARTY
    view = service.create_user(
        session,
        Actor.system("test"),
        email=f"person{number}@example.com",
        display_name=name or f"Robin Test{number}",
        kind=kind,
        roles=roles,
        password_hash=password_hash(),
        totp_seed=seed,
        keyring=keyring,
        now=now,
    )
    return Person(
        view.id, view.reference, view.email, view.display_name, view.roles, PASSWORD, seed
    )


def actor_for(session: Session, person: Person, **overrides: object) -> Actor:
    """Return the actor of a person, without a session."""
    user = session.get_one(User, person.user_id)
    return actor_of(user, person.roles, **overrides)  # type: ignore[arg-type]
