"""The check register."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.checks.states import CheckState


class Check(Base):
    """One check: what it pays, to whom, and where it stands. Numbers ascend without a gap."""

    __tablename__ = "checks"
    __table_args__ = (
        one_of("state", CheckState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("trust_account_id", "number"),
        Index(None, "state", "issued_on"),
        Index(None, "case_id", "id"),
        Index(None, "request_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    # Given when it is issued: what is never issued uses no number.
    number: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    # Holds the request's id while the check may be paid and NULL after: never two at once.
    live_request_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("checks.id"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    payee_id: Mapped[int] = mapped_column(ForeignKey("payees.id"))
    payee_name: Mapped[str] = mapped_column(String(80))
    mail_to: Mapped[str] = mapped_column(String(300))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    state: Mapped[str] = mapped_column(Ascii(20))
    state_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(300), default="")
    prepared_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    prepared_by: Mapped[str] = mapped_column(String(200))
    prepared_on: Mapped[date] = mapped_column()
    issued_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    issued_by: Mapped[str] = mapped_column(String(200), default="")
    issued_on: Mapped[date | None] = mapped_column()
    capture_txn_id: Mapped[int | None] = mapped_column(BigInteger)
    stop_asked_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    stop_asked_by: Mapped[str] = mapped_column(String(200), default="")
    ended_by: Mapped[str] = mapped_column(String(200), default="")
    # The day on which the bank paid it, or on which it was stopped or made void.
    ended_on: Mapped[date | None] = mapped_column()
    stale_on: Mapped[date | None] = mapped_column()
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form
