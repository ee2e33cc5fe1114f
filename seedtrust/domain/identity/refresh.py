"""Sessions of the API: refresh tokens that rotate, and what happens when a used one comes back.

RFC 9700 section 4.14.2: with rotation, a used token that returns cannot be told from a stolen one,
so the family ends. FAPI 2 warns that rotation breaks sessions when an answer is lost: within a
short grace the same predecessor therefore gets the same successor, never a second branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seedtrust.core.crypto import Keyring
from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import DomainError
from seedtrust.core.ids import new_id, new_reference
from seedtrust.core.permissions import Actor
from seedtrust.domain.audit.service import record
from seedtrust.domain.identity.models import RefreshFamily, RefreshToken, User
from seedtrust.domain.identity.sessions import Client, actor_of, end, ended, roles_of
from seedtrust.domain.identity.states import EndReason, UserStatus
from seedtrust.domain.identity.tokens import hash_token, new_token
from seedtrust.domain.identity.views import IssuedTokens
from seedtrust.domain.notices.catalogue import NoticeEvent
from seedtrust.domain.notices.service import Recipient, notify

# Seen-at is written at most this often, so reading seldom writes.
_SEEN_STEP = timedelta(seconds=60)


@dataclass(frozen=True)
class RefreshLimits:
    """How long an API session lives, in seconds."""

    idle_seconds: int
    absolute_seconds: int
    grace_seconds: int


def open_family(
    session: Session,
    user: User,
    *,
    second_factor: bool,
    client: Client,
    limits: RefreshLimits,
    request_id: str = "",
    now: datetime,
) -> IssuedTokens:
    """Begin an API session and return its first refresh token."""
    family = RefreshFamily(
        id=new_id(),
        reference=new_reference(),
        user_id=user.id,
        address=client.address[:45],
        browser=client.browser[:200],
        second_factor=second_factor,
        started_at=now,
        seen_at=now,
        expires_at=now + timedelta(seconds=limits.absolute_seconds),
    )
    session.add(family)
    session.flush()  # the token refers to the family
    _, token = _add_token(session, family, limits, now=now)
    actor = actor_of(user, (), session_id=family.id, request_id=request_id)
    record(
        session,
        actor,
        "identity.signed_in",
        "user",
        user.reference,
        facts={"door": "api", "second_factor": second_factor},
        now=now,
    )
    return _issued(family, user, token)


def refresh(
    session: Session,
    token: str,
    *,
    keyring: Keyring,
    limits: RefreshLimits,
    request_id: str = "",
    now: datetime,
) -> IssuedTokens | DomainError:
    """Give the successor of a refresh token, once; or the reason why the session has ended.

    A used token that comes back after the grace ends its family and tells the person.
    """
    known = session.scalars(
        select(RefreshToken).where(RefreshToken.token_hash == hash_token(token))
    ).one_or_none()
    family = lock(session, RefreshFamily, known.family_id) if known is not None else None
    row = lock(session, RefreshToken, known.id) if known is not None else None
    user = session.get(User, family.user_id) if family is not None else None
    if row is None or family is None or user is None:
        return ended(EndReason.EXPIRED)
    over = _over(family, row, user, now)
    if over is not None:
        return ended(over)
    if row.used_at is None:
        successor, fresh = _add_token(session, family, limits, now=now)
        row.used_at, row.successor_id = now, successor.id
        row.successor_sealed = keyring.seal(fresh, _aad(row.id))
        _forget_predecessor(session, row)
        family.seen_at = now
        return _issued(family, user, fresh)
    same = _same_successor(session, row, keyring, limits, now=now)
    if same is not None:
        return _issued(family, user, same)
    return _stolen(session, family, user, request_id=request_id, now=now)


def _over(family: RefreshFamily, row: RefreshToken, user: User, now: datetime) -> EndReason | None:
    if family.ended_at is not None:
        return EndReason(family.end_reason or EndReason.EXPIRED)
    if user.status != UserStatus.ACTIVE:
        return EndReason.ACCOUNT_DISABLED
    if now >= family.expires_at or (row.used_at is None and now >= row.expires_at):
        return EndReason.EXPIRED
    return None


def _same_successor(
    session: Session, row: RefreshToken, keyring: Keyring, limits: RefreshLimits, *, now: datetime
) -> str | None:
    within = row.used_at is not None and now - row.used_at <= timedelta(
        seconds=limits.grace_seconds
    )
    if not within or row.successor_sealed is None or row.successor_id is None:
        return None
    successor = lock(session, RefreshToken, row.successor_id)
    if successor is None or successor.used_at is not None:
        return None
    return keyring.open(row.successor_sealed, _aad(row.id))


def _forget_predecessor(session: Session, row: RefreshToken) -> None:
    # The successor is in use, so its sealed copy beside the predecessor has served.
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.successor_id == row.id)
        .values(successor_sealed=None)
    )


def _stolen(
    session: Session, family: RefreshFamily, user: User, *, request_id: str, now: datetime
) -> DomainError:
    end(family, EndReason.REFRESH_REUSED, now=now)
    actor = actor_of(user, (), session_id=family.id, request_id=request_id)
    record(session, actor, "identity.refresh_reused", "user", user.reference, now=now)
    notify(
        session,
        NoticeEvent.SESSION_ENDED,
        f"session-{family.id}",
        [Recipient(user.id, user.email, {"name": user.display_name})],
        request_id=request_id,
        now=now,
    )
    return ended(EndReason.REFRESH_REUSED)


def _add_token(
    session: Session, family: RefreshFamily, limits: RefreshLimits, *, now: datetime
) -> tuple[RefreshToken, str]:
    token = new_token()
    row = RefreshToken(
        id=new_id(),
        family_id=family.id,
        token_hash=hash_token(token),
        issued_at=now,
        expires_at=now + timedelta(seconds=limits.idle_seconds),
    )
    session.add(row)
    return row, token


def _issued(family: RefreshFamily, user: User, token: str) -> IssuedTokens:
    return IssuedTokens(
        session_reference=family.reference,
        user_reference=user.reference,
        refresh_token=token,
        signed_in_at=family.started_at,
        second_factor=family.second_factor,
        expires_at=family.expires_at,
    )


def _aad(token_id: int) -> str:
    return f"refresh_tokens.successor_sealed.{token_id}"


def revoke_token(session: Session, token: str, *, request_id: str = "", now: datetime) -> None:
    """End the session of a refresh token (RFC 7009); an unknown token changes nothing."""
    row = session.scalars(
        select(RefreshToken).where(RefreshToken.token_hash == hash_token(token))
    ).one_or_none()
    if row is not None:
        family = lock(session, RefreshFamily, row.family_id)
        if family is not None:
            _sign_out(session, family, request_id=request_id, now=now)


def revoke_session(
    session: Session, reference: str, *, request_id: str = "", now: datetime
) -> None:
    """End the session that an access token names; an unknown one changes nothing."""
    for family in lock_where(
        session, select(RefreshFamily).where(RefreshFamily.reference == reference)
    ):
        _sign_out(session, family, request_id=request_id, now=now)


def _sign_out(session: Session, family: RefreshFamily, *, request_id: str, now: datetime) -> None:
    user = session.get(User, family.user_id)
    if family.ended_at is not None or user is None:
        return
    end(family, EndReason.SIGNED_OUT, now=now)
    actor = actor_of(user, (), session_id=family.id, request_id=request_id)
    record(session, actor, "identity.signed_out", "user", user.reference, now=now)


@dataclass(frozen=True)
class BearerView:
    """Who an access token speaks for, and whether its session should be noted as used."""

    actor: Actor
    must_touch: bool


def bearer(
    session: Session,
    session_reference: str,
    user_reference: str,
    *,
    request_id: str = "",
    now: datetime,
) -> BearerView:
    """Return who an access token speaks for, from the database: roles are never in the token.

    Raises SessionEnded, with the reason, when its session is over.
    """
    found = session.execute(
        select(RefreshFamily, User)
        .join(User, User.id == RefreshFamily.user_id)
        .where(RefreshFamily.reference == session_reference, User.reference == user_reference)
    ).one_or_none()
    if found is None:
        raise ended(EndReason.EXPIRED)
    family, user = found
    if family.ended_at is not None:
        raise ended(EndReason(family.end_reason or EndReason.EXPIRED))
    if user.status != UserStatus.ACTIVE:
        raise ended(EndReason.ACCOUNT_DISABLED)
    if now >= family.expires_at:
        raise ended(EndReason.EXPIRED)
    actor = actor_of(
        user,
        roles_of(session, user.id),
        session_id=family.id,
        stepped_up_at=family.stepped_up_at,
        request_id=request_id,
    )
    return BearerView(actor, must_touch=now - family.seen_at >= _SEEN_STEP)


def touch(session: Session, family_id: int, *, now: datetime) -> None:
    """Note that an API session was used."""
    session.execute(
        update(RefreshFamily)
        .where(RefreshFamily.id == family_id, RefreshFamily.ended_at.is_(None))
        .values(seen_at=now)
    )
