"""The tables of money that came in, and of what went wrong with it."""

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
from seedtrust.domain.funding.states import (
    CureSource,
    DecisionKind,
    DecisionState,
    DepositState,
    FundingCause,
    FundingState,
    ShortageState,
)


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


class CheckClearance(Base):
    """How the bank collects a deposited check: until when it is held, or when it bounced."""

    __tablename__ = "check_clearances"
    __table_args__ = (Index(None, "collected_on", "returned_on", "collects_on"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposits.id"), unique=True)
    hold_id: Mapped[int | None] = mapped_column(BigInteger)
    collects_on: Mapped[date] = mapped_column()
    collected_on: Mapped[date | None] = mapped_column()
    returned_on: Mapped[date | None] = mapped_column()
    return_reason: Mapped[str] = mapped_column(String(200), default="")
    return_reference: Mapped[str | None] = mapped_column(Ascii(80), index=True)


class Shortage(Base):
    """Money that a case had spent before its deposit bounced; the company owes it to the trust."""

    __tablename__ = "shortages"
    __table_args__ = (
        one_of("state", ShortageState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        Index(None, "case_id", "id"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposits.id"), unique=True)
    amount_cents: Mapped[int] = mapped_column(CentsType)
    state: Mapped[str] = mapped_column(Ascii(20))
    opened_on: Mapped[date] = mapped_column()
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cured_on: Mapped[date | None] = mapped_column()
    cured_by: Mapped[str] = mapped_column(String(200), default="")
    cured_cents: Mapped[int] = mapped_column(CentsType, default=0, server_default="0")
    # Of what is cured, what the company paid; and what was ordered back to it out of the case.
    advanced_cents: Mapped[int] = mapped_column(CentsType, default=0, server_default="0")
    repaid_cents: Mapped[int] = mapped_column(CentsType, default=0, server_default="0")


class ShortageCure(Base):
    """Money that made a shortage good, in whole or in part; it is never taken back."""

    __tablename__ = "shortage_cures"
    __table_args__ = (
        one_of("source", CureSource),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("shortage_id", "number"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    shortage_id: Mapped[int] = mapped_column(ForeignKey("shortages.id"))
    number: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    # The deposit that brought the money; None when a person took what the case had.
    deposit_id: Mapped[int | None] = mapped_column(BigInteger)
    cured_on: Mapped[date] = mapped_column()
    cured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cured_by: Mapped[str] = mapped_column(String(200))


class ShortageDecision(Base):
    """What one person proposed about a shortage and another decided."""

    __tablename__ = "shortage_decisions"
    __table_args__ = (
        one_of("kind", DecisionKind),
        one_of("state", DecisionState),
        # One of a kind is open at a time; `open_kind` is empty once it is done or withdrawn.
        UniqueConstraint("shortage_id", "open_kind"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    shortage_id: Mapped[int] = mapped_column(ForeignKey("shortages.id"))
    kind: Mapped[str] = mapped_column(Ascii(20))
    open_kind: Mapped[str | None] = mapped_column(Ascii(20))
    state: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    reason: Mapped[str] = mapped_column(String(500))
    proposed_on: Mapped[date] = mapped_column()
    proposed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(String(200))
    decided_on: Mapped[date | None] = mapped_column()
    decided_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    done_on: Mapped[date | None] = mapped_column()
    # The transfer at the bank that a repayment ordered.
    transfer_ref: Mapped[str] = mapped_column(Ascii(15), default="")


class FundingRequest(Base):
    """One request to the parents of a case for money, until it has come in or is withdrawn."""

    __tablename__ = "funding_requests"
    __table_args__ = (
        one_of("state", FundingState),
        one_of("cause", FundingCause),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint(
            "funded_cents >= 0 AND funded_cents <= amount_cents", name="funded_within_amount"
        ),
        UniqueConstraint("case_id", "cause", "cause_key"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Ascii(20))
    cause: Mapped[str] = mapped_column(Ascii(20))
    # What makes the cause happen once: the milestone, the day of the check, a number of its own.
    cause_key: Mapped[str] = mapped_column(Ascii(60))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    funded_cents: Mapped[int] = mapped_column(CentsType, default=0)
    reason: Mapped[str] = mapped_column(String(300))
    raised_on: Mapped[date] = mapped_column()
    raised_by: Mapped[str] = mapped_column(String(200))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the balance is expected to fall short, and how far it then is below the minimum.
    short_on: Mapped[date | None] = mapped_column()
    short_cents: Mapped[int] = mapped_column(CentsType, default=0)
    due_on: Mapped[date | None] = mapped_column()
    sent_on: Mapped[date | None] = mapped_column()
    reminded_on: Mapped[date | None] = mapped_column()
    closed_on: Mapped[date | None] = mapped_column()


class FundingAllocation(Base):
    """Money of one deposit that went towards one request for funds; taken back if it bounces."""

    __tablename__ = "funding_allocations"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("funding_request_id", "deposit_id"),
        Index(None, "deposit_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    funding_request_id: Mapped[int] = mapped_column(ForeignKey("funding_requests.id"))
    deposit_id: Mapped[int] = mapped_column(ForeignKey("deposits.id"))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    allocated_on: Mapped[date] = mapped_column()
    taken_back_on: Mapped[date | None] = mapped_column()
