"""Tables of who can be paid and where; account numbers are sealed to their row."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, Id, UtcDateTime, one_of
from seedtrust.domain.payees.states import AccountState, AccountType, PayeeKind


class Payee(Base):
    """A person or firm that money may go to."""

    __tablename__ = "payees"
    __table_args__ = (one_of("kind", PayeeKind),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    kind: Mapped[str] = mapped_column(Ascii(20))
    name: Mapped[str] = mapped_column(String(120))
    label: Mapped[str] = mapped_column(String(120), default="")
    case_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    party_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    agency_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PayeeAccount(Base):
    """One bank account of a payee, from submission to use or refusal."""

    __tablename__ = "payee_accounts"
    __table_args__ = (
        one_of("state", AccountState),
        one_of("account_type", AccountType),
        Index(None, "payee_id", "state"),
        Index(None, "account_fingerprint"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    payee_id: Mapped[int] = mapped_column(ForeignKey("payees.id"))
    state: Mapped[str] = mapped_column(Ascii(20))
    # Holds the payee's id while the account is ACTIVE and NULL otherwise: one active account each.
    active_for_payee_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    account_type: Mapped[str] = mapped_column(Ascii(20))
    holder_name: Mapped[str] = mapped_column(String(120))
    bank_name: Mapped[str] = mapped_column(String(120), default="")
    routing_number: Mapped[str] = mapped_column(Ascii(9))
    account_number_sealed: Mapped[str] = mapped_column(Text)
    account_fingerprint: Mapped[str] = mapped_column(Ascii(64))
    last_four: Mapped[str] = mapped_column(Ascii(4))
    submitted_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    submitted_by: Mapped[str] = mapped_column(String(200))
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    checked_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    checked_by: Mapped[str] = mapped_column(String(200), default="")
    verified_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    verified_by: Mapped[str] = mapped_column(String(200), default="")
    call_back_note: Mapped[str] = mapped_column(String(500), default="")
    approved_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    approved_by: Mapped[str] = mapped_column(String(200), default="")
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cooling_until_on: Mapped[date | None] = mapped_column()
    active_on: Mapped[date | None] = mapped_column()
    state_reason: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class AccountUnblock(Base):
    """One person asks to use a blocked account again, another one decides; both stay written."""

    __tablename__ = "account_unblocks"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("payee_accounts.id"))
    # Holds the account's id until somebody has decided and NULL after: one open question each.
    open_account_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    reason: Mapped[str] = mapped_column(String(500))
    asked_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_approved: Mapped[bool | None] = mapped_column(Boolean)
    decided_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str] = mapped_column(String(500), default="")
