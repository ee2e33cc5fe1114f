"""Tables of what a contract promises: terms and the dated items that follow from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

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

from seedtrust.core.db import Ascii, Base, CentsType, Id, JsonType, UtcDateTime, one_of
from seedtrust.domain.cases.states import Milestone
from seedtrust.domain.terms.states import (
    CapPeriod,
    Category,
    CorrectionState,
    ItemState,
    TaxClass,
    TermApprover,
    TermKind,
    TermSchedule,
    TermState,
)


class ContractTerm(Base):
    """One clause made computable."""

    __tablename__ = "contract_terms"
    __table_args__ = (
        one_of("category", Category),
        one_of("tax_class", TaxClass),
        one_of("kind", TermKind),
        one_of("approver", TermApprover),
        one_of("state", TermState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("cap_cents > 0", name="cap_positive"),
        CheckConstraint("pay_after_days >= 0", name="pay_after_not_negative"),
        UniqueConstraint("case_id", "position"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    agreement_id: Mapped[int | None] = mapped_column(ForeignKey("agreements.id"))
    position: Mapped[int] = mapped_column(Integer)
    clause: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(Ascii(40))
    tax_class: Mapped[str] = mapped_column(Ascii(1))
    kind: Mapped[str] = mapped_column(Ascii(20))
    approver: Mapped[str] = mapped_column(Ascii(20))
    payee_id: Mapped[int | None] = mapped_column(BigInteger)
    amount_cents: Mapped[int | None] = mapped_column(CentsType)
    cap_cents: Mapped[int | None] = mapped_column(CentsType)
    trigger: Mapped[str | None] = mapped_column(Ascii(40))
    pay_after_days: Mapped[int] = mapped_column(Integer, default=0)
    evidence: Mapped[list[Any]] = mapped_column(JsonType)
    state: Mapped[str] = mapped_column(Ascii(20))
    proposed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(String(200))
    activated_by: Mapped[str] = mapped_column(String(200), default="")
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class TermPlan(Base):
    """How a dated term spreads over the calendar; a term without one pays once."""

    __tablename__ = "term_plans"
    __table_args__ = (
        one_of("schedule", TermSchedule),
        one_of("last_trigger", Milestone),
        CheckConstraint("item_count > 0", name="item_count_positive"),
        CheckConstraint("pregnancy_week > 0", name="pregnancy_week_positive"),
        CheckConstraint("last_pay_after_days >= 0", name="last_pay_after_not_negative"),
    )

    term_id: Mapped[int] = mapped_column(
        ForeignKey("contract_terms.id"), primary_key=True, autoincrement=False
    )
    schedule: Mapped[str] = mapped_column(Ascii(20))
    item_count: Mapped[int] = mapped_column(Integer)
    pregnancy_week: Mapped[int | None] = mapped_column(Integer)
    last_trigger: Mapped[str | None] = mapped_column(Ascii(40))
    last_pay_after_days: Mapped[int] = mapped_column(Integer)


class TermCap(Base):
    """The most that a term pays, or how many units of it, in a period."""

    __tablename__ = "term_caps"
    __table_args__ = (
        one_of("period", CapPeriod),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint("quantity_hundredths > 0", name="quantity_positive"),
        CheckConstraint(
            "(amount_cents IS NULL) <> (quantity_hundredths IS NULL)", name="amount_or_quantity"
        ),
        UniqueConstraint("term_id", "number"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey("contract_terms.id"))
    number: Mapped[int] = mapped_column(Integer)
    period: Mapped[str] = mapped_column(Ascii(20))
    amount_cents: Mapped[int | None] = mapped_column(CentsType)
    quantity_hundredths: Mapped[int | None] = mapped_column(Integer)
    unit: Mapped[str] = mapped_column(String(20), default="")


class ScheduleItem(Base):
    """One expected payment of a term; without a due date until its milestone is known."""

    __tablename__ = "schedule_items"
    __table_args__ = (
        one_of("state", ItemState),
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        UniqueConstraint("term_id", "number"),
        Index(None, "state", "due_on"),
        Index(None, "case_id", "due_on"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    term_id: Mapped[int] = mapped_column(ForeignKey("contract_terms.id"))
    number: Mapped[int] = mapped_column(Integer)
    amount_cents: Mapped[int] = mapped_column(CentsType)
    due_on: Mapped[date | None] = mapped_column()
    state: Mapped[str] = mapped_column(Ascii(20))
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class MilestoneCorrection(Base):
    """A proposal to move a milestone to another day; a milestone has one open at most."""

    __tablename__ = "milestone_corrections"
    __table_args__ = (one_of("state", CorrectionState), Index(None, "case_id", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    milestone_id: Mapped[int] = mapped_column(ForeignKey("case_milestones.id"))
    # The same number while the proposal is open, nothing afterwards: a unique key of open ones.
    open_milestone_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    was_on: Mapped[date] = mapped_column()
    proposed_on: Mapped[date] = mapped_column()
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(Ascii(20))
    proposed_by_user_id: Mapped[int | None] = mapped_column(BigInteger)
    proposed_by: Mapped[str] = mapped_column(String(200))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_reason: Mapped[str] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class MilestoneCorrectionItem(Base):
    """One schedule item that a correction would move, as the proposer was shown it."""

    __tablename__ = "milestone_correction_items"
    __table_args__ = (UniqueConstraint("correction_id", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("milestone_corrections.id"))
    number: Mapped[int] = mapped_column(Integer)
    item_id: Mapped[int] = mapped_column(ForeignKey("schedule_items.id"))
    title: Mapped[str] = mapped_column(String(300))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    before_on: Mapped[date | None] = mapped_column()
    after_on: Mapped[date | None] = mapped_column()
