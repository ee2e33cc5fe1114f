"""Reading the delivery log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.notices.states import Channel


def delivery_by_reference(session: Session, reference: str) -> NoticeDelivery | None:
    """Return one delivery, or None."""
    return session.execute(
        select(NoticeDelivery).where(NoticeDelivery.reference == reference)
    ).scalar_one_or_none()


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
