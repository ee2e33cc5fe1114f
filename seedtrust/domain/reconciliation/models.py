"""Tables of the bank's statements and what each line belongs to."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.payments.states import ReconciliationStatus


class BankStatement(Base):
    """One prior-day statement of one trust account, with the hash of the file it came in."""

    __tablename__ = "bank_statements"
    __table_args__ = (
        UniqueConstraint("trust_account_id", "as_of_on", "version_number"),
        UniqueConstraint("trust_account_id", "sha256", "as_of_on"),
        # The statement that counts for a day; a corrected one takes the place of the first.
        UniqueConstraint("trust_account_id", "current_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(ForeignKey("trust_accounts.id"))
    as_of_on: Mapped[date] = mapped_column()
    version_number: Mapped[int] = mapped_column(Integer)
    current_on: Mapped[date | None] = mapped_column()
    file_name: Mapped[str] = mapped_column(Ascii(80))
    sha256: Mapped[str] = mapped_column(Ascii(64))
    opening_cents: Mapped[int] = mapped_column(CentsType)
    closing_cents: Mapped[int] = mapped_column(CentsType)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BankStatementLine(Base):
    """One line of a statement and the one thing it belongs to, once known."""

    __tablename__ = "bank_statement_lines"
    __table_args__ = (
        one_of("status", ReconciliationStatus),
        UniqueConstraint("statement_id", "number"),
        Index(None, "status"),
        Index(None, "trust_account_id", "as_of_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statements.id"))
    trust_account_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(Integer)
    as_of_on: Mapped[date] = mapped_column()
    type_code: Mapped[str] = mapped_column(Ascii(3))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    bank_reference: Mapped[str] = mapped_column(Ascii(80))
    customer_reference: Mapped[str] = mapped_column(Ascii(80))
    text: Mapped[str] = mapped_column(String(500))
    status: Mapped[str] = mapped_column(Ascii(20))
    matched_type: Mapped[str] = mapped_column(Ascii(30), default="")
    matched_ref: Mapped[str] = mapped_column(Ascii(15), default="")
    match_rule: Mapped[str] = mapped_column(Ascii(40), default="")
    matched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
