"""Reading the delivery log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.notices.states import Channel, DeliveryState


@dataclass(frozen=True)
class QueuedMail:
    """A delivery that waits to be sent."""

    id: int
    reference: str
    event: str
    event_key: str
    recipient: str
    facts: Mapping[str, str]


def queued_mail(session: Session, reference: str) -> QueuedMail | None:
    """Return a mail that has not been sent or refused, or None."""
    row = session.execute(
        select(NoticeDelivery).where(
            NoticeDelivery.reference == reference,
            NoticeDelivery.state == DeliveryState.QUEUED.value,
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    return QueuedMail(
        row.id, row.reference, row.event, row.event_key, row.recipient, dict(row.facts)
    )


def in_app_for(session: Session, user_id: int, limit: int = 50) -> Sequence[NoticeDelivery]:
    """Return what a person was told in the application, newest first."""
    return (
        session.execute(
            select(NoticeDelivery)
            .where(
                NoticeDelivery.user_id == user_id, NoticeDelivery.channel == Channel.IN_APP.value
            )
            .order_by(NoticeDelivery.id.desc())
            .limit(limit)
        )
        .scalars()
        .all()
    )
