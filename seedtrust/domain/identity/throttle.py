"""Slowing down guesses: the wait doubles with each failure and ends by itself; no lock-out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock_where
from seedtrust.core.ids import new_id
from seedtrust.domain.identity.errors import SignInSlowedDown
from seedtrust.domain.identity.models import SignInThrottle
from seedtrust.domain.identity.states import ThrottleKind

# Failures that cost nothing, by what is counted.
FREE_FAILURES: Final = {
    ThrottleKind.ACCOUNT: 5,
    ThrottleKind.ADDRESS: 30,
    ThrottleKind.TOTP: 5,
}
# With one try each 15 minutes, an account sees fewer than a hundred guesses a day.
LONGEST_WAIT: Final = timedelta(minutes=15)
_MOST_DOUBLINGS: Final = 10
# A count is forgotten after a quiet day.
FORGET_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """What is counted: a kind and a keyed fingerprint of the account or address."""

    kind: ThrottleKind
    subject: str


def subjects_of(email: str, address: str, keyring: Keyring) -> tuple[Subject, ...]:
    """Return what a sign-in attempt counts against: the account, and the network it came from."""
    return (
        Subject(ThrottleKind.ACCOUNT, keyring.fingerprint(f"throttle account {email}")),
        Subject(ThrottleKind.ADDRESS, keyring.fingerprint(f"throttle address {network(address)}")),
    )


def totp_subject(user_id: int, keyring: Keyring) -> tuple[Subject, ...]:
    """Return what a wrong code counts against: the person."""
    return (Subject(ThrottleKind.TOTP, keyring.fingerprint(f"throttle totp {user_id}")),)


def network(address: str) -> str:
    """Return the block that an address belongs to: /24 for IPv4, /48 for IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    bits = 24 if parsed.version == 4 else 48  # noqa: PLR2004 - IP versions
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def check(session: Session, subjects: Iterable[Subject], *, now: datetime) -> None:
    """Raise SignInSlowedDown while one of the subjects has to wait."""
    waits = [
        row.blocked_until - now
        for subject in subjects
        if (row := _row(session, subject)) is not None
        and row.blocked_until is not None
        and row.blocked_until > now
    ]
    if waits:
        seconds = int(max(waits).total_seconds()) + 1
        message = f"Too many attempts did not work. Try again in {_in_words(seconds)}."
        raise SignInSlowedDown(message, retry_after_seconds=seconds)


def count_failure(session: Session, subjects: Iterable[Subject], *, now: datetime) -> None:
    """Count a failure for each subject and set its wait: 2, 4, 8 seconds ... up to 15 minutes."""
    for subject in subjects:
        row = _locked_row(session, subject, now)
        row.failures = 1 if now - row.failed_at > FORGET_AFTER else row.failures + 1
        row.failed_at = now
        over = row.failures - FREE_FAILURES[subject.kind]
        row.blocked_until = None
        if over >= 0:
            wait = timedelta(seconds=2 ** min(over + 1, _MOST_DOUBLINGS))
            row.blocked_until = now + min(wait, LONGEST_WAIT)


def _locked_row(session: Session, subject: Subject, now: datetime) -> SignInThrottle:
    found = lock_where(session, _statement(subject))
    if found:
        return found[0]
    row = SignInThrottle(
        id=new_id(), kind=subject.kind.value, subject=subject.subject, failures=0, failed_at=now
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()  # two first failures race here: the unique key lets one of them in
    except IntegrityError:
        return lock_where(session, _statement(subject))[0]
    return row


def forget(session: Session, subjects: Iterable[Subject]) -> None:
    """Forget the failures of an account after it signed in; its network keeps its count."""
    for subject in subjects:
        if subject.kind is not ThrottleKind.ADDRESS:
            for row in lock_where(session, _statement(subject)):
                session.delete(row)


def _statement(subject: Subject) -> Select[SignInThrottle]:
    return select(SignInThrottle).where(
        SignInThrottle.kind == subject.kind.value, SignInThrottle.subject == subject.subject
    )


def _row(session: Session, subject: Subject) -> SignInThrottle | None:
    return session.scalars(_statement(subject)).one_or_none()


def _in_words(seconds: int) -> str:
    if seconds < 90:  # noqa: PLR2004 - below this, seconds read better
        return f"{seconds} seconds"
    return f"{(seconds + 59) // 60} minutes"
