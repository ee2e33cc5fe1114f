"""What is promised and not yet kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from seedtrust.domain.outbox.models import OutboxMessage


@dataclass(frozen=True)
class OutboxHealth:
    """Counts of open and parked promises and the age of the oldest open one."""

    open_count: int
    parked_count: int
    oldest_due_at: datetime | None


def health(session: Session) -> OutboxHealth:
    """Return how far behind the relay is."""
    open_ = OutboxMessage.parked_at.is_(None)
    row = session.execute(
        select(
            func.sum(case((open_, 1), else_=0)),
            func.sum(case((open_, 0), else_=1)),
            func.min(OutboxMessage.due_at),
        ).where(OutboxMessage.done_at.is_(None))
    ).one()
    return OutboxHealth(int(row[0] or 0), int(row[1] or 0), row[2])


def open_count(session: Session, *, except_topic: str = "") -> int:
    """Return how many promises are neither kept nor parked, whether due or not."""
    return session.execute(
        select(func.count())
        .select_from(OutboxMessage)
        .where(
            OutboxMessage.done_at.is_(None),
            OutboxMessage.parked_at.is_(None),
            OutboxMessage.topic != except_topic,
        )
    ).scalar_one()
