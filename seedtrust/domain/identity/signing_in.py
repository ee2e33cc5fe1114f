"""Signing in: the password, the second factor, and confirming later that it is still the person.

The order at a door: `look_up` in a reading unit, `passwords.matches` outside of any (it is slow on
purpose), then one of the verbs in a writing unit. Verbs return their refusal instead of raising
it, so that a counted failure is kept; `service.settled` raises it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import DomainError, Invalid, Unauthenticated
from seedtrust.core.ids import new_id
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.identity import passwords, second_factor, throttle
from seedtrust.domain.identity.errors import (
    AlreadyEnrolled,
    SecondFactorMissing,
    SignInRefused,
    StaffOnly,
)
from seedtrust.domain.identity.models import MfaChallenge, RefreshFamily, User, WebSession
from seedtrust.domain.identity.refresh import RefreshLimits, open_family
from seedtrust.domain.identity.service import canonical_email
from seedtrust.domain.identity.sessions import (
    Client,
    actor_of,
    end,
    ended,
    open_session,
    roles_of,
)
from seedtrust.domain.identity.states import EndReason, SessionStage, UserKind, UserStatus
from seedtrust.domain.identity.throttle import Subject
from seedtrust.domain.identity.tokens import hash_token, new_token
from seedtrust.domain.identity.views import EnrolmentView, IssuedTokens, OpenedSession

MFA_CHALLENGE_SECONDS: Final = 300


@dataclass(frozen=True)
class Candidate:
    """Whom a typed address may mean; `user_id` is None for nobody, and nobody can tell outside."""

    email: str
    user_id: int | None
    password_hash: str | None = field(repr=False)
    subjects: tuple[Subject, ...] = field(repr=False)


@dataclass(frozen=True)
class Challenge:
    """A correct password that waits for a code; the token goes to the client."""

    mfa_token: str = field(repr=False)
    expires_in: int = MFA_CHALLENGE_SECONDS


def look_up(
    session: Session, email: str, client: Client, *, keyring: Keyring, now: datetime
) -> Candidate:
    """Return whom an address means. Raises SignInSlowedDown after too many wrong attempts."""
    try:
        address = canonical_email(email)
    except Invalid:
        # It is nobody's; the answer must look as if it were somebody's.
        address = keyring.fingerprint(email)
    subjects = throttle.subjects_of(address, client.address, keyring)
    throttle.check(session, subjects, now=now)
    user = session.scalars(select(User).where(User.email == address)).one_or_none()
    usable = user is not None and user.status == UserStatus.ACTIVE
    return Candidate(
        email=address,
        user_id=user.id if user is not None and usable else None,
        password_hash=user.password_hash if user is not None and usable else None,
        subjects=subjects,
    )


def sign_in_web(
    session: Session,
    candidate: Candidate,
    *,
    matched: bool,
    new_hash: str | None = None,
    keyring: Keyring,
    client: Client,
    absolute_seconds: int,
    request_id: str = "",
    now: datetime,
) -> OpenedSession | DomainError:
    """Open a session of the admin pages that waits for the second factor.

    Returns SignInRefused for a wrong password (counted), StaffOnly for people outside.
    """
    user = _password_user(
        session, candidate, matched=matched, new_hash=new_hash, request_id=request_id, now=now
    )
    if isinstance(user, DomainError):
        return user
    if user.kind != UserKind.STAFF:
        message = "These pages are for the people of SeedTrust. Use the app you were invited to."
        return StaffOnly(message)
    if user.totp_secret is None:
        second_factor.give_seed(user, keyring)
    return open_session(
        session,
        user,
        SessionStage.PASSWORD,
        client=client,
        absolute_seconds=absolute_seconds,
        now=now,
    )


def sign_in_api(
    session: Session,
    candidate: Candidate,
    *,
    matched: bool,
    new_hash: str | None = None,
    client: Client,
    limits: RefreshLimits,
    request_id: str = "",
    now: datetime,
) -> IssuedTokens | Challenge | DomainError:
    """Check a password at the API's door.

    Returns tokens when that is enough, a Challenge when a code must follow, SignInRefused for a
    wrong password (counted), SecondFactorMissing for staff who have none yet.
    """
    user = _password_user(
        session, candidate, matched=matched, new_hash=new_hash, request_id=request_id, now=now
    )
    if isinstance(user, DomainError):
        return user
    if user.totp_confirmed_at is not None:
        return _challenge(session, user, now=now)
    if user.kind == UserKind.STAFF:
        message = "Sign in to the admin pages once and set up your authenticator app there."
        return SecondFactorMissing(message)
    return open_family(
        session,
        user,
        second_factor=False,
        client=client,
        limits=limits,
        request_id=request_id,
        now=now,
    )


def _challenge(session: Session, user: User, *, now: datetime) -> Challenge:
    token = new_token()
    session.add(
        MfaChallenge(
            id=new_id(),
            user_id=user.id,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + timedelta(seconds=MFA_CHALLENGE_SECONDS),
        )
    )
    return Challenge(token)


def answer_challenge(
    session: Session,
    mfa_token: str,
    code: str,
    *,
    keyring: Keyring,
    client: Client,
    limits: RefreshLimits,
    request_id: str = "",
    now: datetime,
) -> IssuedTokens | DomainError:
    """Check the code that follows a password at the API's door; a right one gives tokens, once."""
    found = lock_where(
        session, select(MfaChallenge).where(MfaChallenge.token_hash == hash_token(mfa_token))
    )
    user = lock(session, User, found[0].user_id) if found else None
    over = not found or found[0].used_at is not None or found[0].expires_at <= now
    if over or user is None or user.status != UserStatus.ACTIVE:
        message = "This sign-in took too long or was finished already. Start again."
        return SignInRefused(message)
    refusal = _use_code(session, user, code, keyring=keyring, request_id=request_id, now=now)
    if refusal is not None:
        return refusal
    found[0].used_at = now
    return open_family(
        session,
        user,
        second_factor=True,
        client=client,
        limits=limits,
        request_id=request_id,
        now=now,
    )


def verify_totp(
    session: Session,
    session_id: int,
    code: str,
    *,
    keyring: Keyring,
    client: Client,
    absolute_seconds: int,
    request_id: str = "",
    now: datetime,
) -> OpenedSession | DomainError:
    """Finish a sign-in to the admin pages, or an enrolment: the code opens a full session.

    The session that knew the password ends and another with a new key begins. Returns CodeRefused
    for a wrong or used code (counted), SessionEnded when the first step is too old.
    """
    row = lock(session, WebSession, session_id)
    user = lock(session, User, row.user_id) if row is not None else None
    if row is None or user is None or row.ended_at is not None or row.expires_at <= now:
        return ended(EndReason.EXPIRED)
    if row.stage != SessionStage.PASSWORD:
        message = "You are signed in already."
        return AlreadyEnrolled(message)
    refusal = _use_code(session, user, code, keyring=keyring, request_id=request_id, now=now)
    if refusal is not None:
        return refusal
    actor = actor_of(user, roles_of(session, user.id), request_id=request_id)
    if user.totp_confirmed_at is None:
        user.totp_confirmed_at = now
        record(session, actor, "identity.totp_enrolled", "user", user.reference, now=now)
    record(session, actor, "identity.signed_in", "user", user.reference, now=now)
    end(row, EndReason.ROTATED, now=now)
    return open_session(
        session,
        user,
        SessionStage.FULL,
        client=client,
        absolute_seconds=absolute_seconds,
        now=now,
    )


def step_up_web(
    session: Session, actor: Actor, code: str, *, keyring: Keyring, now: datetime
) -> OpenedSession | DomainError:
    """Confirm the person behind a session of the admin pages; it goes on under a new key.

    Signing in does not count as this: releasing money asks for its own code.
    """
    row = lock(session, WebSession, actor.session_id or 0)
    user = lock(session, User, actor.user_id or 0)
    if row is None or user is None or row.ended_at is not None:
        return ended(EndReason.EXPIRED)
    refusal = _use_code(session, user, code, keyring=keyring, request_id=actor.request_id, now=now)
    if refusal is not None:
        return refusal
    end(row, EndReason.ROTATED, now=now)
    record(session, actor, "identity.stepped_up", "user", user.reference, now=now)
    return open_session(
        session,
        user,
        SessionStage.FULL,
        client=Client(row.address, row.browser),
        absolute_seconds=max(1, int((row.expires_at - now).total_seconds())),
        stepped_up_at=now,
        now=now,
    )


def step_up_api(
    session: Session, actor: Actor, code: str, *, keyring: Keyring, now: datetime
) -> DomainError | None:
    """Confirm the person behind an API session. Returns None, or why the code is refused."""
    family = lock(session, RefreshFamily, actor.session_id or 0)
    user = lock(session, User, actor.user_id or 0)
    if family is None or user is None or family.ended_at is not None:
        return ended(EndReason.EXPIRED)
    if user.totp_confirmed_at is None:
        message = "Set up an authenticator app first."
        return SecondFactorMissing(message)
    refusal = _use_code(session, user, code, keyring=keyring, request_id=actor.request_id, now=now)
    if refusal is not None:
        return refusal
    family.stepped_up_at = now
    record(session, actor, "identity.stepped_up", "user", user.reference, now=now)
    return None


def sign_out(session: Session, session_id: int, *, request_id: str = "", now: datetime) -> None:
    """End one session of the admin pages; ending an ended one changes nothing."""
    row = lock(session, WebSession, session_id)
    user = session.get(User, row.user_id) if row is not None else None
    if row is None or user is None or row.ended_at is not None:
        return
    end(row, EndReason.SIGNED_OUT, now=now)
    actor = actor_of(user, (), session_id=row.id, request_id=request_id)
    record(session, actor, "identity.signed_out", "user", user.reference, now=now)


def begin_enrolment(
    session: Session, actor: Actor, *, keyring: Keyring, now: datetime
) -> EnrolmentView:
    """Give a party a new seed to confirm. Raises AlreadyEnrolled."""
    user = lock(session, User, actor.user_id or 0)
    if user is None:
        raise Unauthenticated(_GONE)
    if user.totp_confirmed_at is not None:
        message = "An authenticator app is set up already."
        raise AlreadyEnrolled(message)
    second_factor.give_seed(user, keyring)
    record(session, actor, "identity.totp_begun", "user", user.reference, now=now)
    return _enrolment(user, keyring)


def finish_enrolment(
    session: Session, actor: Actor, code: str, *, keyring: Keyring, now: datetime
) -> DomainError | None:
    """Confirm the seed with a first code. Returns None, or why the code is refused."""
    user = lock(session, User, actor.user_id or 0)
    if user is None:
        raise Unauthenticated(_GONE)
    if user.totp_confirmed_at is not None:
        message = "An authenticator app is set up already."
        return AlreadyEnrolled(message)
    refusal = _use_code(session, user, code, keyring=keyring, request_id=actor.request_id, now=now)
    if refusal is not None:
        return refusal
    user.totp_confirmed_at = now
    record(session, actor, "identity.totp_enrolled", "user", user.reference, now=now)
    return None


def enrolment_of(session: Session, user_id: int, *, keyring: Keyring) -> EnrolmentView:
    """Return the seed that waits to be confirmed. Raises AlreadyEnrolled."""
    user = session.get(User, user_id)
    if user is None or user.totp_secret is None or user.totp_confirmed_at is not None:
        message = "An authenticator app is set up already."
        raise AlreadyEnrolled(message)
    return _enrolment(user, keyring)


def _enrolment(user: User, keyring: Keyring) -> EnrolmentView:
    return EnrolmentView(
        seed=second_factor.seed_of(user, keyring),
        uri=second_factor.provisioning_uri(user, keyring),
    )


_GONE: Final = "This account is gone. Ask an administrator."


def _password_user(
    session: Session,
    candidate: Candidate,
    *,
    matched: bool,
    new_hash: str | None,
    request_id: str,
    now: datetime,
) -> User | DomainError:
    user = lock(session, User, candidate.user_id) if candidate.user_id is not None else None
    # Between look-up and now the account may have been closed or the password changed.
    same = user is not None and user.password_hash == candidate.password_hash
    if not matched or user is None or not same or user.status != UserStatus.ACTIVE:
        throttle.count_failure(session, candidate.subjects, now=now)
        if user is not None:
            actor = actor_of(user, (), request_id=request_id)
            record(session, actor, "identity.sign_in_refused", "user", user.reference, now=now)
        message = "E-mail address or password is not right. Check both and try again."
        return SignInRefused(message)
    throttle.forget(session, candidate.subjects)
    if new_hash is not None:
        user.password_hash = new_hash
    return user


def _use_code(
    session: Session,
    user: User,
    code: str,
    *,
    keyring: Keyring,
    request_id: str,
    now: datetime,
) -> DomainError | None:
    subjects = throttle.totp_subject(user.id, keyring)
    throttle.check(session, subjects, now=now)
    refusal = second_factor.refusal_of(user, code, keyring, now=now)
    if refusal is None:
        throttle.forget(session, subjects)
        return None
    throttle.count_failure(session, subjects, now=now)
    actor = actor_of(user, (), request_id=request_id)
    record(session, actor, "identity.code_refused", "user", user.reference, now=now)
    return refusal


def hash_if_outdated(password: str, candidate: Candidate) -> str | None:
    """Return a new hash for a right password whose stored one is of an older kind."""
    stored = candidate.password_hash
    if stored is None or not passwords.needs_new_hash(stored):
        return None
    return passwords.hash_password(passwords.normalise(password))
