"""The table of first answers, by actor, route and key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, UtcDateTime


class IdempotencyKey(Base):
    """The first answer to a write, kept with it so that a repeated call has one effect."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "route", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger)
    route: Mapped[str] = mapped_column(Ascii(160))
    key: Mapped[str] = mapped_column(Ascii(100))
    body_hash: Mapped[str] = mapped_column(Ascii(64))
    status: Mapped[int] = mapped_column(Integer)
    response: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
