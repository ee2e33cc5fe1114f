"""Tables of the bank's statements, what each line belongs to, and the days they prove."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, JsonType, UtcDateTime, one_of
from seedtrust.domain.payments.states import ReconciliationStatus
from seedtrust.domain.reconciliation.states import DayState, TransferKind, TransferState


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
    # The hash of the file whose deletion group withdrew it; the same file again changes nothing.
    withdrawn_by_sha256: Mapped[str] = mapped_column(Ascii(64), default="", server_default="")


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
    # What the same line is called in a corrected statement of the day; twins are counted.
    identity: Mapped[str] = mapped_column(Ascii(40), default="", server_default="")
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
    # The person who matched the line or undid its match: nothing automatic touches it then.
    matched_by: Mapped[str] = mapped_column(String(200), default="", server_default="")


class Reconciliation(Base):
    """The three-way proof of a trust account on a day, and who stands for it.

    `figures` is what was prepared; `lock_hash` seals it with the names and times of both people.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (
        one_of("state", DayState),
        UniqueConstraint("trust_account_id", "as_of_on", "version_number"),
        # The one that counts for a day; a new version takes the place of a stale one.
        UniqueConstraint("trust_account_id", "current_on"),
        Index(None, "statement_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(BigInteger)
    as_of_on: Mapped[date] = mapped_column()
    version_number: Mapped[int] = mapped_column(Integer)
    current_on: Mapped[date | None] = mapped_column()
    state: Mapped[str] = mapped_column(Ascii(20))
    statement_id: Mapped[int | None] = mapped_column(BigInteger)
    adjusted_bank_cents: Mapped[int] = mapped_column(CentsType)
    book_cents: Mapped[int] = mapped_column(CentsType)
    owners_cents: Mapped[int] = mapped_column(CentsType)
    items: Mapped[int] = mapped_column(Integer)
    figures: Mapped[dict[str, Any]] = mapped_column(JsonType)
    content_hash: Mapped[str] = mapped_column(Ascii(64))
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    note: Mapped[str] = mapped_column(String(500), default="")
    prepared_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    prepared_by: Mapped[str] = mapped_column(String(200), default="")
    prepared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    reviewed_by: Mapped[str] = mapped_column(String(200), default="")
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_by: Mapped[str] = mapped_column(String(200), default="")
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lock_hash: Mapped[str] = mapped_column(Ascii(64), default="")
    stale_because: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class BankTransfer(Base):
    """A transfer that a person makes at the bank; its reference stands on the bank's line."""

    __tablename__ = "bank_transfers"
    __table_args__ = (
        one_of("kind", TransferKind),
        one_of("state", TransferState),
        Index(None, "settled_on", "trust_account_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    trust_account_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Ascii(20))
    state: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    deposit_id: Mapped[int | None] = mapped_column(BigInteger)
    ordered_on: Mapped[date] = mapped_column()
    ordered_by: Mapped[str] = mapped_column(String(200))
    settled_on: Mapped[date | None] = mapped_column()
    cancelled_on: Mapped[date | None] = mapped_column()
