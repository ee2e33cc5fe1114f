"""The trail of who did what, when and why; rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, JsonType, UtcDateTime


class AuditEvent(Base):
    """One act of one actor on one subject."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "subject_type", "subject_ref"),
        Index(None, "case_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[str] = mapped_column(Ascii(20))
    actor_user_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(Ascii(80))
    subject_type: Mapped[str] = mapped_column(Ascii(40))
    subject_ref: Mapped[str] = mapped_column(Ascii(64))
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(1000))
    facts: Mapped[dict[str, Any]] = mapped_column(JsonType)
    request_id: Mapped[str] = mapped_column(Ascii(64))
