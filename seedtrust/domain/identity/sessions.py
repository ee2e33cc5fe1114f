"""Sessions of the admin pages: opening, resuming under idle and absolute limits, ending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.errors import SessionEnded
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, ActorKind, Role
from seedtrust.domain.identity.models import User, UserRole, WebSession
from seedtrust.domain.identity.states import EndReason, SessionStage, UserKind, UserStatus
from seedtrust.domain.identity.tokens import hash_token, new_token
from seedtrust.domain.identity.views import OpenedSession, SignedIn

# Between password and second factor.
PASSWORD_STAGE_SECONDS: Final = 600
# Seen-at is written at most this often, so reading a page seldom writes.
_SEEN_STEP: Final = timedelta(seconds=60)

ENDED_WORDS: Final = {
    EndReason.SIGNED_OUT: "You signed out. Sign in again to go on.",
    EndReason.REVOKED: "This session was ended from another device. Sign in again.",
    EndReason.EXPIRED: "The session ended because it was not used for a while. Sign in again.",
    EndReason.ROTATED: "This session was replaced by a newer one. Sign in again.",
    EndReason.REFRESH_REUSED: "The session was ended for safety. Sign in again.",
    EndReason.ACCOUNT_DISABLED: "This account is closed. Ask an administrator.",
    EndReason.CREDENTIAL_CHANGED: "The password or authenticator changed. Sign in again.",
    EndReason.ROLES_CHANGED: "Your roles changed. Sign in again.",
}


@dataclass(frozen=True)
class Client:
    """Where a call comes from, as shown in the list of sessions."""

    address: str = ""
    browser: str = ""


def ended(reason: EndReason) -> SessionEnded:
    """Return the refusal that tells a client why its session is over."""
    return SessionEnded(ENDED_WORDS[reason], reason=reason.value)


def roles_of(session: Session, user_id: int) -> frozenset[Role]:
    """Return the roles that somebody holds now."""
    rows = session.scalars(
        select(UserRole.role).where(UserRole.user_id == user_id, UserRole.current.is_(True))
    )
    return frozenset(Role(row) for row in rows)


def actor_of(
    user: User,
    roles: Iterable[Role],
    *,
    session_id: int | None = None,
    stepped_up_at: datetime | None = None,
    request_id: str = "",
) -> Actor:
    """Return the frozen actor for a person."""
    return Actor(
        kind=ActorKind.STAFF if user.kind == UserKind.STAFF else ActorKind.PARTY,
        user_id=user.id,
        name=user.display_name,
        roles=frozenset(roles),
        agency_id=user.agency_id,
        session_id=session_id,
        stepped_up_at=stepped_up_at,
        request_id=request_id,
        email=user.email,
    )


def open_session(
    session: Session,
    user: User,
    stage: SessionStage,
    *,
    client: Client,
    absolute_seconds: int,
    stepped_up_at: datetime | None = None,
    now: datetime,
) -> OpenedSession:
    """Add a session and return its key, which is stored as a hash only."""
    key = new_token()
    limit = absolute_seconds if stage is SessionStage.FULL else PASSWORD_STAGE_SECONDS
    session.add(
        WebSession(
            id=new_id(),
            reference=new_reference(),
            user_id=user.id,
            key_hash=hash_token(key),
            stage=stage.value,
            address=client.address[:45],
            browser=client.browser[:200],
            started_at=now,
            seen_at=now,
            expires_at=now + timedelta(seconds=limit),
            stepped_up_at=stepped_up_at,
        )
    )
    return OpenedSession(key=key, stage=stage, needs_enrolment=user.totp_confirmed_at is None)


def resume(
    session: Session, key: str, *, idle_seconds: int, request_id: str = "", now: datetime
) -> SignedIn:
    """Return who a cookie's key belongs to. Raises SessionEnded, with the reason, if it is over.

    An expired session is marked by the cleaning job, not here: reading a page must not fail
    because the database takes no writes.
    """
    found = session.execute(
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.key_hash == hash_token(key))
    ).one_or_none()
    if found is None:
        raise ended(EndReason.EXPIRED)
    row, user = found
    if row.ended_at is not None:
        raise ended(EndReason(row.end_reason))
    if user.status != UserStatus.ACTIVE:
        raise ended(EndReason.ACCOUNT_DISABLED)
    if now >= row.expires_at or now - row.seen_at >= timedelta(seconds=idle_seconds):
        raise ended(EndReason.EXPIRED)
    stage = SessionStage(row.stage)
    actor = None
    if stage is SessionStage.FULL:
        actor = actor_of(
            user,
            roles_of(session, user.id),
            session_id=row.id,
            stepped_up_at=row.stepped_up_at,
            request_id=request_id,
        )
    return SignedIn(
        session_id=row.id,
        user_id=user.id,
        stage=stage,
        name=user.display_name,
        needs_enrolment=user.totp_confirmed_at is None,
        actor=actor,
        must_touch=now - row.seen_at >= _SEEN_STEP,
    )
