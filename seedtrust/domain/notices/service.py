"""Queueing notices: one delivery row per event, person and channel, sent by a job after commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seedtrust.core.db import lock
from seedtrust.core.ids import new_id, new_reference
from seedtrust.domain.notices.catalogue import CATALOGUE, NoticeEvent
from seedtrust.domain.notices.models import NoticeDelivery
from seedtrust.domain.notices.states import Channel, DeliveryState
from seedtrust.domain.outbox.service import promise


@dataclass(frozen=True)
class Recipient:
    """A person to tell: user id, mail address, and the facts in words that this person may read."""

    user_id: int | None
    email: str
    facts: Mapping[str, str]


def notify(
    session: Session,
    event: NoticeEvent,
    event_key: str,
    recipients: Iterable[Recipient],
    *,
    case_id: int | None = None,
    request_id: str = "",
    now: datetime,
) -> list[NoticeDelivery]:
    """Queue a notice for each recipient and channel; the same event key tells nobody twice."""
    known = {
        (channel, recipient)
        for channel, recipient in session.execute(
            select(NoticeDelivery.channel, NoticeDelivery.recipient).where(
                NoticeDelivery.event_key == event_key
            )
        )
    }
    queued = []
    for recipient in recipients:
        for channel in CATALOGUE[event].channels:
            if not recipient.email or (channel.value, recipient.email) in known:
                continue
            known.add((channel.value, recipient.email))
            queued.append(_queue(event, event_key, recipient, channel, case_id, now))
    session.add_all(queued)
    for delivery in queued:
        if delivery.channel == Channel.MAIL:
            payload = {"delivery": delivery.reference}
            promise(
                session, "notice.mail", delivery.reference, payload, now=now, request_id=request_id
            )
    return queued


def _queue(  # noqa: PLR0917 - builds one row
    event: NoticeEvent,
    event_key: str,
    recipient: Recipient,
    channel: Channel,
    case_id: int | None,
    now: datetime,
) -> NoticeDelivery:
    in_app = channel is Channel.IN_APP
    return NoticeDelivery(
        id=new_id(),
        reference=new_reference(),
        event=event.value,
        event_key=event_key,
        channel=channel.value,
        user_id=recipient.user_id,
        recipient=recipient.email,
        case_id=case_id,
        facts=dict(recipient.facts),
        state=(DeliveryState.SENT if in_app else DeliveryState.QUEUED).value,
        queued_at=now,
        sent_at=now if in_app else None,
        error="",
    )


def mark_sent(session: Session, delivery_id: int, *, now: datetime) -> None:
    """Record that the mail server took the message."""
    delivery = lock(session, NoticeDelivery, delivery_id)
    if delivery is not None and delivery.state != DeliveryState.SENT:
        delivery.state, delivery.sent_at, delivery.error = DeliveryState.SENT.value, now, ""


def mark_refused(session: Session, delivery_id: int, error: str) -> None:
    """Record that the mail server refused the address for good."""
    delivery = lock(session, NoticeDelivery, delivery_id)
    if delivery is not None and delivery.state != DeliveryState.SENT:
        delivery.state, delivery.error = DeliveryState.FAILED.value, error[:300]
