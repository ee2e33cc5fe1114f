"""The table of money that came in."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.funding.states import DepositState


class Deposit(Base):
    """One receipt on a trust account, matched to a case or waiting to be."""

    __tablename__ = "deposits"
    __table_args__ = (
        one_of("state", DepositState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("bank", "bank_reference"),
        Index(None, "state"),
        Index(None, "case_id", "id"),
        Index(None, "trust_account_id", "received_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(BigInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    rail: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    state: Mapped[str] = mapped_column(Ascii(20))
    bank: Mapped[str] = mapped_column(Ascii(40))
    bank_reference: Mapped[str] = mapped_column(Ascii(80))
    sender_name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(300))
    received_on: Mapped[date] = mapped_column()
    matched_on: Mapped[date | None] = mapped_column()
    matched_by: Mapped[str] = mapped_column(String(200), default="")
    matched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reconciliation_status: Mapped[str] = mapped_column(Ascii(20), default="unmatched")
