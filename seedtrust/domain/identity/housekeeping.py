"""Cleaning up: sessions that ran out, sealed successors past their grace, forgotten failures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.orm import Session

from seedtrust.domain.identity.models import (
    MfaChallenge,
    RefreshFamily,
    RefreshToken,
    SignInThrottle,
    WebSession,
)
from seedtrust.domain.identity.states import EndReason
from seedtrust.domain.identity.throttle import FORGET_AFTER

# How long ended sessions and their tokens stay for somebody who looks into an incident.
KEEP: Final = timedelta(days=90)


def end_expired(session: Session, *, idle_seconds: int, now: datetime) -> None:
    """Mark sessions that ran out as ended, so that lists and counts are true."""
    over = {"ended_at": now, "end_reason": EndReason.EXPIRED.value}
    session.execute(
        update(WebSession)
        .where(
            WebSession.ended_at.is_(None),
            or_(
                WebSession.expires_at <= now,
                WebSession.seen_at <= now - timedelta(seconds=idle_seconds),
            ),
        )
        .values(over)
    )
    session.execute(
        update(RefreshFamily)
        .where(RefreshFamily.ended_at.is_(None), RefreshFamily.expires_at <= now)
        .values(over)
    )


def forget_sealed(session: Session, *, grace_seconds: int, now: datetime) -> None:
    """Forget the sealed successors of tokens whose grace has passed."""
    session.execute(
        update(RefreshToken)
        .where(
            RefreshToken.successor_sealed.is_not(None),
            RefreshToken.used_at < now - timedelta(seconds=grace_seconds),
        )
        .values(successor_sealed=None)
    )


def delete_old(session: Session, *, now: datetime) -> None:
    """Delete what nobody needs any more: old sessions, challenges and counts of failures."""
    before = now - KEEP
    session.execute(
        delete(RefreshToken).where(RefreshToken.family_id.in_(_ids_of_families(before)))
    )
    session.execute(delete(RefreshFamily).where(RefreshFamily.ended_at < before))
    session.execute(delete(WebSession).where(WebSession.ended_at < before))
    session.execute(delete(MfaChallenge).where(MfaChallenge.expires_at < now - FORGET_AFTER))
    session.execute(delete(SignInThrottle).where(SignInThrottle.failed_at < now - FORGET_AFTER))


def clean(session: Session, *, idle_seconds: int, grace_seconds: int, now: datetime) -> None:
    """Do all three; safe to run twice and at the same time."""
    end_expired(session, idle_seconds=idle_seconds, now=now)
    forget_sealed(session, grace_seconds=grace_seconds, now=now)
    delete_old(session, now=now)


def _ids_of_families(before: datetime) -> Select[int]:
    return select(RefreshFamily.id).where(RefreshFamily.ended_at < before)
