"""The people of the demo: two of each staff role that moves money, and how they sign in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.permissions import ROLE_LABELS, Actor, Role
from seedtrust.domain.identity import second_factor
from seedtrust.domain.identity.models import User
from seedtrust.domain.identity.passwords import new_hash
from seedtrust.domain.identity.service import context_words, create_user
from seedtrust.domain.identity.sessions import actor_of, roles_of
from seedtrust.domain.identity.states import UserKind

PASSWORD: Final = "Lantern-Orchard-58-Violet"  # noqa: S105 - the demo prints it on purpose
STAFF: Final = (
    ("escrow1", "Nora Feld", Role.ESCROW_SPECIALIST),
    ("escrow2", "Samuel Okoye", Role.ESCROW_SPECIALIST),
    ("payments1", "Lena Sorensen", Role.PAYMENTS_SPECIALIST),
    ("payments2", "Marco Ruiz", Role.PAYMENTS_SPECIALIST),
    ("lead1", "Ines Aalto", Role.PAYMENTS_LEAD),
    ("lead2", "Victor Hale", Role.PAYMENTS_LEAD),
    ("controller1", "Ruth Adeyemi", Role.CONTROLLER),
    ("controller2", "Paul Brandt", Role.CONTROLLER),
    ("legal1", "Clara Weiss", Role.LEGAL),
    ("it1", "Tom Iversen", Role.IT_ADMIN),
    ("auditor1", "Grace Lindqvist", Role.AUDITOR),
)
# A code may be used once, so a confirmation is kept for less than its five minutes.
_FRESH: Final = timedelta(minutes=4)
_CODE_LIFE: Final = timedelta(seconds=30)
RELEASERS: Final = ("lead1", "controller2")
_DOMAIN: Final = "seedtrust.example"


@dataclass(frozen=True)
class Login:
    """How one person of the demo signs in."""

    email: str
    password: str
    role: str
    name: str
    totp_secret: str | None

    def as_json(self) -> dict[str, str]:
        """Return the login for demo.json; `totp_secret` only where a second factor is on."""
        entry = {
            "email": self.email,
            "password": self.password,
            "role": self.role,
            "name": self.name,
        }
        return entry if self.totp_secret is None else {**entry, "totp_secret": self.totp_secret}


class Cast:
    """Finds people by the keys that scenes use, as actors with their own rights."""

    def __init__(self, keyring: Keyring) -> None:
        """Start with nobody; people are looked up when they first act."""
        self._keyring = keyring
        self._turns: dict[Role, int] = {}
        self._confirmed: dict[str, datetime] = {}
        self._releases = 0
        self._hashes: dict[UserKind, str] = {}

    def hire(self, session: Session, *, now: datetime) -> list[Login]:
        """Create the staff that is not there yet and return every staff login."""
        system = Actor.system("demo")
        logins = []
        for key, name, role in STAFF:
            email = f"{key}@{_DOMAIN}"
            user = _by_email(session, email)
            if user is None:
                create_user(
                    session,
                    system,
                    email=email,
                    display_name=name,
                    kind=UserKind.STAFF,
                    roles=[role],
                    password_hash=self._hash(email, name, UserKind.STAFF),
                    totp_seed=_new_seed(),
                    keyring=self._keyring,
                    now=now,
                )
                user = _by_email(session, email)
            seed = second_factor.seed_of(user, self._keyring) if user else None
            logins.append(Login(email, PASSWORD, role.value, name, seed))
        return logins

    def welcome(
        self,
        session: Session,
        *,
        email: str,
        name: str,
        role: Role,
        agency_id: int | None,
        now: datetime,
    ) -> int:
        """Create a party's account if it is not there yet and return its user id."""
        user = _by_email(session, email)
        if user is None:
            create_user(
                session,
                Actor.system("demo"),
                email=email,
                display_name=name,
                kind=UserKind.PARTY,
                roles=[role],
                agency_id=agency_id,
                password_hash=self._hash(email, name, UserKind.PARTY),
                keyring=self._keyring,
                now=now,
            )
            user = _by_email(session, email)
        if user is None:
            message = f"the account of {ROLE_LABELS[role]} was not created"
            raise AssertionError(message)
        return user.id

    def _hash(self, email: str, name: str, kind: UserKind) -> str:
        # Hashing is slow on purpose; in the demo all share one password, so once is enough.
        if kind not in self._hashes:
            self._hashes[kind] = new_hash(PASSWORD, kind, context_words(email, name))
        return self._hashes[kind]

    def staff(self, session: Session, key: str) -> Actor:
        """Return one person of the company."""
        return _actor(session, f"{key}@{_DOMAIN}")

    def party(self, session: Session, email: str) -> Actor:
        """Return one person outside."""
        return _actor(session, email)

    def next_of(self, session: Session, role: Role) -> Actor:
        """Return the holders of a role in turn, so that both of them act."""
        keys = [key for key, _, held in STAFF if held is role]
        turn = self._turns.get(role, 0)
        self._turns[role] = turn + 1
        return self.staff(session, keys[turn % len(keys)])

    def releaser(self, session: Session, *, now: datetime) -> Actor:
        """Return somebody who may release a run and has just entered an authenticator code.

        They take turns. Whoever approves bank details (lead2) is not among them: nobody who
        touched a payee's account lately may release a payment to it.
        """
        self._releases += 1
        actor = self.staff(session, RELEASERS[self._releases % len(RELEASERS)])
        known = self._confirmed.get(actor.email)
        if known is None or now - known > _FRESH:
            user = lock_where(session, select(User).where(User.email == actor.email))[0]
            # The code before the current one counts as well, and leaves the current one to
            # whoever signs in as this person while journeys play.
            seed = second_factor.seed_of(user, self._keyring)
            code = second_factor.code_at(seed, now - _CODE_LIFE)
            refusal = second_factor.refusal_of(user, code, self._keyring, now=now)
            if refusal is not None:
                raise refusal
            known = self._confirmed[actor.email] = now
        return replace(actor, stepped_up_at=known)


def _by_email(session: Session, email: str) -> User | None:
    return session.execute(select(User).where(User.email == email)).scalar_one_or_none()


def _actor(session: Session, email: str) -> Actor:
    user = _by_email(session, email)
    if user is None:
        message = f"{email} has no account in this demo"
        raise AssertionError(message)
    return actor_of(user, roles_of(session, user.id))


def _new_seed() -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(secrets.choice(alphabet) for _ in range(32))
