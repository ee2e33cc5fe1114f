"""Tables of closing a case: the final accounting and the parties' certifications."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.closing.states import AccountingState


class FinalAccounting(Base):
    """The draft, then agreed, sum of a case: in, out, and what goes back."""

    __tablename__ = "final_accountings"
    __table_args__ = (one_of("state", AccountingState), UniqueConstraint("case_id", "number"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Ascii(20))
    deposits_cents: Mapped[int] = mapped_column(CentsType)
    paid_cents: Mapped[int] = mapped_column(CentsType)
    refund_cents: Mapped[int] = mapped_column(CentsType)
    content_hash: Mapped[str] = mapped_column(Ascii(64))
    prepared_on: Mapped[date] = mapped_column()
    prepared_by_user_id: Mapped[int] = mapped_column(BigInteger)
    prepared_by: Mapped[str] = mapped_column(String(200))
    approved_on: Mapped[date | None] = mapped_column()
    approved_by: Mapped[str] = mapped_column(String(200), default="")
    refund_request_id: Mapped[int | None] = mapped_column(ForeignKey("disbursement_requests.id"))


class Certification(Base):
    """A party's statement that nothing more is due, bound to the accounting it saw."""

    __tablename__ = "certifications"
    __table_args__ = (UniqueConstraint("accounting_id", "party_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    accounting_id: Mapped[int] = mapped_column(ForeignKey("final_accountings.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("case_parties.id"))
    content_hash: Mapped[str] = mapped_column(Ascii(64))
    certified_on: Mapped[date] = mapped_column()
    certified_at: Mapped[datetime] = mapped_column(UtcDateTime)
    certified_by: Mapped[str] = mapped_column(String(200))
