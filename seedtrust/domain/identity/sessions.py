"""Sessions of the admin pages: opening, resuming under idle and absolute limits, ending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seedtrust.core.db import lock_where
from seedtrust.core.errors import NotFound, SessionEnded
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor, ActorKind, Role
from seedtrust.domain.audit.service import record
from seedtrust.domain.identity.models import RefreshFamily, User, UserRole, WebSession
from seedtrust.domain.identity.states import EndReason, SessionStage, UserKind, UserStatus
from seedtrust.domain.identity.tokens import hash_token, new_token
from seedtrust.domain.identity.views import OpenedSession, SessionView, SignedIn

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
    EndReason.ROLE_REMOVED: "Your roles changed. Sign in again.",
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
) -> SignedIn | SessionEnded:
    """Return who a cookie's key belongs to, or SessionEnded with the reason why it is over.

    An expired session is marked by the cleaning job, not here: reading a page must not fail
    because the database takes no writes.
    """
    found = session.execute(
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.key_hash == hash_token(key))
    ).one_or_none()
    if found is None:
        return ended(EndReason.EXPIRED)
    row, user = found
    if row.ended_at is not None:
        return ended(EndReason(row.end_reason or EndReason.EXPIRED))
    if user.status != UserStatus.ACTIVE:
        return ended(EndReason.ACCOUNT_DISABLED)
    if now >= row.expires_at or now - row.seen_at >= timedelta(seconds=idle_seconds):
        return ended(EndReason.EXPIRED)
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


def actor_behind(
    session: Session,
    *,
    session_id: int,
    user_id: int,
    of_program: bool,
    idle_seconds: int,
    request_id: str = "",
    now: datetime,
) -> Actor | None:
    """Return who asked for a signed link, with the roles of now; None when that session is over.

    The signature has proved that both ids are ours. `of_program` chooses between a session of the
    API and one of the pages, which must have both factors.
    """
    row: RefreshFamily | WebSession | None = (
        session.get(RefreshFamily, session_id)
        if of_program
        else session.get(WebSession, session_id)
    )
    if row is None:
        return None
    user = session.get_one(User, row.user_id)
    is_over = row.ended_at is not None or now >= row.expires_at
    if isinstance(row, WebSession):
        is_idle = now - row.seen_at >= timedelta(seconds=idle_seconds)
        is_over = is_over or is_idle or row.stage != SessionStage.FULL
    if is_over or user.id != user_id or user.status != UserStatus.ACTIVE:
        return None
    return actor_of(user, roles_of(session, user.id), session_id=row.id, request_id=request_id)


def touch(session: Session, session_id: int, *, now: datetime) -> None:
    """Note that the session was used, which puts off its idle limit."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(seen_at=now)
    )


def end(row: WebSession | RefreshFamily, reason: EndReason, *, now: datetime) -> None:
    """Mark a session as over; the first reason stays."""
    if row.ended_at is None:
        row.ended_at, row.end_reason = now, reason.value


def end_all(session: Session, user_id: int, reason: EndReason, *, now: datetime) -> int:
    """End every open session of somebody, at both doors, and return how many there were."""
    rows: list[WebSession | RefreshFamily] = [
        *lock_where(
            session,
            select(WebSession).where(WebSession.user_id == user_id, WebSession.ended_at.is_(None)),
        ),
        *lock_where(
            session,
            select(RefreshFamily).where(
                RefreshFamily.user_id == user_id, RefreshFamily.ended_at.is_(None)
            ),
        ),
    ]
    for row in rows:
        end(row, reason, now=now)
    return len(rows)


def open_sessions(
    session: Session, actor: Actor, *, idle_seconds: int, now: datetime
) -> list[SessionView]:
    """Return the actor's own sessions that are still good, at both doors, newest first."""
    idle_since = now - timedelta(seconds=idle_seconds)
    web = session.scalars(
        select(WebSession).where(
            WebSession.user_id == actor.user_id,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > now,
            WebSession.seen_at > idle_since,
        )
    )
    api = session.scalars(
        select(RefreshFamily).where(
            RefreshFamily.user_id == actor.user_id,
            RefreshFamily.ended_at.is_(None),
            RefreshFamily.expires_at > now,
        )
    )
    views = [_view(row, "admin", actor) for row in web] + [_view(row, "api", actor) for row in api]
    return sorted(views, key=lambda view: view.started_at, reverse=True)


def end_one(session: Session, actor: Actor, reference: str, *, now: datetime) -> None:
    """End one of the actor's own sessions. Raises NotFound for any other."""
    web = select(WebSession).where(
        WebSession.reference == reference,
        WebSession.user_id == actor.user_id,
        WebSession.ended_at.is_(None),
    )
    api = select(RefreshFamily).where(
        RefreshFamily.reference == reference,
        RefreshFamily.user_id == actor.user_id,
        RefreshFamily.ended_at.is_(None),
    )
    rows: list[WebSession | RefreshFamily] = [
        *lock_where(session, web),
        *lock_where(session, api),
    ]
    if not rows:
        message = "There is no such open session."
        raise NotFound(message)
    for row in rows:
        end(row, EndReason.REVOKED, now=now)
    record(session, actor, "identity.session_revoked", "session", reference, now=now)


def sign_out_everywhere(session: Session, actor: Actor, *, now: datetime) -> int:
    """End every session of the actor at both doors, this one too; return how many there were."""
    user = session.get(User, actor.user_id)
    if user is None:
        message = "A job has no sessions."
        raise NotFound(message)
    count = end_all(session, user.id, EndReason.REVOKED, now=now)
    record(
        session,
        actor,
        "identity.signed_out_everywhere",
        "user",
        user.reference,
        facts={"sessions": count},
        now=now,
    )
    return count


def _view(row: WebSession | RefreshFamily, door: str, actor: Actor) -> SessionView:
    return SessionView(
        reference=row.reference,
        door=door,
        address=row.address,
        browser=row.browser,
        started_at=row.started_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        current=row.id == actor.session_id,
    )
