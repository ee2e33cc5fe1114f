"""Making promises, claiming them, and recording how they went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, true, update
from sqlalchemy.orm import Session

from seedtrust.core.db import lock, lock_where
from seedtrust.core.errors import NotFound, WrongState
from seedtrust.core.ids import new_id
from seedtrust.domain.outbox.models import OutboxMessage

# Whoever keeps a promise renews its lease every few seconds (`jobs.leases`), so that it runs out
# soon after a death and never during a slow call.
LEASE: Final = timedelta(seconds=20)
MAX_ATTEMPTS: Final = 8
MAIN_LANE: Final = "main"
_FIRST_DELAY: Final = timedelta(seconds=5)


def bank_lane(bank: str) -> str:
    """Return the lane of what must be told to a bank."""
    return f"bank.{bank}"


@dataclass(frozen=True)
class Claim:
    """One claimed promise; `fence` proves that the claim is still ours when we report back."""

    message_id: int
    fence: int
    topic: str
    message_key: str
    payload: dict[str, str]
    request_id: str
    attempts: int


def promise(
    session: Session,
    topic: str,
    key: str,
    payload: dict[str, str],
    *,
    now: datetime,
    due_at: datetime | None = None,
    lane: str = MAIN_LANE,
    request_id: str = "",
) -> OutboxMessage:
    """Write that something must happen after commit; the same topic and key is promised once.

    What calls a bank stands in that bank's lane, where nothing else waits for it.
    """
    known = session.execute(
        select(OutboxMessage).where(OutboxMessage.topic == topic, OutboxMessage.message_key == key)
    ).scalar_one_or_none()
    if known is not None:
        return known
    message = OutboxMessage(
        id=new_id(),
        topic=topic,
        lane=lane,
        message_key=key,
        payload=payload,
        request_id=request_id,
        created_at=now,
        due_at=due_at or now,
        attempts=0,
        fence=0,
        last_error="",
    )
    session.add(message)
    return message


def claim_due(
    session: Session, *, now: datetime, lane: str | None = None, limit: int = 20
) -> list[Claim]:
    """Take due promises for the length of a lease; workers at the same time take different ones.

    Those of one lane, or of all where one process does everything. Taking over from a worker that
    died or stands still is no attempt of its own: the promise has not failed.
    """
    in_lane = true() if lane is None else OutboxMessage.lane == lane
    due = (
        select(OutboxMessage)
        .where(
            OutboxMessage.done_at.is_(None),
            OutboxMessage.parked_at.is_(None),
            OutboxMessage.due_at <= now,
            in_lane,
            or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until < now),
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    claims = []
    for message in session.execute(due).scalars():
        message.fence += 1
        message.attempts += message.lease_until is None
        message.lease_until = now + LEASE
        claims.append(
            Claim(
                message.id,
                message.fence,
                message.topic,
                message.message_key,
                message.payload,
                message.request_id,
                message.attempts,
            )
        )
    return claims


def renew(session: Session, claim: Claim, *, now: datetime) -> bool:
    """Hold a claim for another lease; False once somebody else has it, or it is reported."""
    result = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == claim.message_id,
            OutboxMessage.fence == claim.fence,
            OutboxMessage.lease_until.is_not(None),
        )
        .values(lease_until=now + LEASE)
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def mark_done(session: Session, claim: Claim, *, now: datetime) -> bool:
    """Record that the promise was kept; False if somebody else has claimed it since."""
    result = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == claim.message_id, OutboxMessage.fence == claim.fence)
        .values(done_at=now, lease_until=None, last_error="")
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def mark_failed(session: Session, claim: Claim, error: str, *, now: datetime) -> bool:
    """Schedule the next attempt with growing delay; True if the promise is parked for a person."""
    message = lock(session, OutboxMessage, claim.message_id)
    if message is None or message.fence != claim.fence:
        return False
    message.last_error = error[:500]
    message.lease_until = None
    if message.attempts >= MAX_ATTEMPTS:
        message.parked_at = now
        return True
    message.due_at = now + _FIRST_DELAY * 3 ** (message.attempts - 1)
    return False


def retry_parked(session: Session, message_id: int, *, now: datetime) -> OutboxMessage:
    """Give a parked promise another round. Raises NotFound, or WrongState if it is not parked."""
    message = lock(session, OutboxMessage, message_id)
    if message is None:
        detail = "There is no such message in the outbox."
        raise NotFound(detail)
    if message.parked_at is None:
        detail = "This message is not parked; it is tried again by itself."
        raise WrongState(detail)
    message.parked_at, message.attempts, message.due_at = None, 0, now
    return message


def free_leases(session: Session) -> int:
    """Free every claimed promise at once; only where no worker is alive. Returns how many."""
    rows = lock_where(
        session,
        select(OutboxMessage).where(
            OutboxMessage.done_at.is_(None), OutboxMessage.lease_until.is_not(None)
        ),
    )
    for row in rows:
        row.lease_until = None
    return len(rows)
