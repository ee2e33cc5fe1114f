"""The delivery log: one row per event, person and channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, JsonType, UtcDateTime, one_of
from seedtrust.domain.notices.states import Channel, DeliveryState


class NoticeDelivery(Base):
    """One notice to one person over one channel."""

    __tablename__ = "notice_deliveries"
    __table_args__ = (
        one_of("channel", Channel),
        one_of("state", DeliveryState),
        UniqueConstraint("event_key", "channel", "recipient"),
        Index(None, "user_id", "id"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    event: Mapped[str] = mapped_column(Ascii(60))
    event_key: Mapped[str] = mapped_column(Ascii(120))
    channel: Mapped[str] = mapped_column(Ascii(20))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    recipient: Mapped[str] = mapped_column(String(254))
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    facts: Mapped[dict[str, str]] = mapped_column(JsonType)
    state: Mapped[str] = mapped_column(Ascii(20))
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(String(300), default="")
