"""The outbox: the record of what must happen outside, of which the queue is only the doorbell."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, JsonType, UtcDateTime


class OutboxMessage(Base):
    """One promise: a topic, a key that makes it unique, and the ids that the handler needs."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("topic", "message_key"),
        Index(None, "done_at", "parked_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    topic: Mapped[str] = mapped_column(Ascii(60))
    # Who keeps it: `main`, or the worker of one bank, so that a bank that hangs holds up its own.
    lane: Mapped[str] = mapped_column(Ascii(40), default="main", server_default="main")
    message_key: Mapped[str] = mapped_column(Ascii(120))
    payload: Mapped[dict[str, str]] = mapped_column(JsonType)
    request_id: Mapped[str] = mapped_column(Ascii(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    fence: Mapped[int] = mapped_column(Integer, default=0)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(String(500), default="")
