"""Tables of asks to release money: the request, its lines, evidence, decisions and questions."""

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
from seedtrust.domain.disbursements.states import RequestEvent, RequestKind, RequestState
from seedtrust.domain.terms.states import Category, TaxClass


class DisbursementRequest(Base):
    """One ask to release money from a case to a payee."""

    __tablename__ = "disbursement_requests"
    __table_args__ = (
        one_of("kind", RequestKind),
        one_of("state", RequestState),
        one_of("category", Category),
        one_of("tax_class", TaxClass),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("approved_cents > 0", name="approved_positive"),
        CheckConstraint("approved_cents <= amount_cents", name="approved_within_asked"),
        UniqueConstraint("case_id", "client_key"),
        Index(None, "state", "pay_on"),
        Index(None, "case_id", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    client_key: Mapped[str | None] = mapped_column(Ascii(120))
    kind: Mapped[str] = mapped_column(Ascii(20))
    state: Mapped[str] = mapped_column(Ascii(20))
    state_since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    term_id: Mapped[int | None] = mapped_column(ForeignKey("contract_terms.id"))
    schedule_item_id: Mapped[int | None] = mapped_column(
        ForeignKey("schedule_items.id"), unique=True
    )
    category: Mapped[str] = mapped_column(Ascii(40))
    tax_class: Mapped[str] = mapped_column(Ascii(1))
    payee_id: Mapped[int] = mapped_column(ForeignKey("payees.id"))
    requester_user_id: Mapped[int | None] = mapped_column(BigInteger)
    requester_name: Mapped[str] = mapped_column(String(200))
    requester_role: Mapped[str] = mapped_column(Ascii(40))
    reviewer_user_id: Mapped[int | None] = mapped_column(BigInteger)
    reviewer_name: Mapped[str] = mapped_column(String(200), default="")
    amount_cents: Mapped[int] = mapped_column(CentsType)
    approved_cents: Mapped[int | None] = mapped_column(CentsType)
    description: Mapped[str] = mapped_column(String(500))
    clause: Mapped[str] = mapped_column(String(40), default="")
    state_reason: Mapped[str] = mapped_column(String(1000), default="")
    duplicate_reason: Mapped[str] = mapped_column(String(500), default="")
    approval_round: Mapped[int] = mapped_column(Integer, default=1)
    requested_on: Mapped[date] = mapped_column()
    pay_on: Mapped[date | None] = mapped_column()
    hold_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class DisbursementLine(Base):
    """One item of a request: the day it is for, how many units, and what the review left of it."""

    __tablename__ = "disbursement_lines"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("request_id", "number"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    number: Mapped[int] = mapped_column(Integer)
    description: Mapped[str] = mapped_column(String(300))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    serves_on: Mapped[date | None] = mapped_column()
    quantity_hundredths: Mapped[int | None] = mapped_column(Integer)
    approved_cents: Mapped[int | None] = mapped_column(CentsType)


class DisbursementEvidence(Base):
    """A document that supports a request."""

    __tablename__ = "disbursement_evidence"
    __table_args__ = (UniqueConstraint("request_id", "document_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))


class DisbursementStep(Base):
    """One step of a request's life: who moved it, from where to where, why, on what clause."""

    __tablename__ = "disbursement_steps"
    __table_args__ = (one_of("event", RequestEvent), Index(None, "request_id", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    event: Mapped[str] = mapped_column(Ascii(30))
    from_state: Mapped[str] = mapped_column(Ascii(20))
    to_state: Mapped[str] = mapped_column(Ascii(20))
    actor_user_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_name: Mapped[str] = mapped_column(String(200))
    amount_cents: Mapped[int | None] = mapped_column(CentsType)
    clause: Mapped[str] = mapped_column(String(40), default="")
    reason: Mapped[str] = mapped_column(String(1000), default="")
    on_business_date: Mapped[date] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DisbursementApproval(Base):
    """One approver's word in one round; the same person cannot speak twice."""

    __tablename__ = "disbursement_approvals"
    __table_args__ = (UniqueConstraint("request_id", "approval_round", "user_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disbursement_requests.id"))
    approval_round: Mapped[int] = mapped_column(Integer)
    user_id: Mapped[int] = mapped_column(BigInteger)
    party_id: Mapped[int | None] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(Ascii(64))
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)
