"""Tables of the case: agencies, cases, parties, team, milestones, stages and agreements."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seedtrust.core.db import Ascii, Base, CentsType, Id, UtcDateTime, one_of
from seedtrust.domain.cases.states import (
    AgreementKind,
    AgreementState,
    CaseKind,
    Milestone,
    Side,
    Stage,
)


class Agency(Base):
    """A firm that matches parents with surrogates or donors."""

    __tablename__ = "agencies"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Case(Base):
    """One journey; it owns a ledger account."""

    __tablename__ = "cases"
    __table_args__ = (one_of("kind", CaseKind), one_of("stage", Stage))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    kind: Mapped[str] = mapped_column(Ascii(20))
    name: Mapped[str] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(Ascii(40))
    stage_before_hold: Mapped[str | None] = mapped_column(Ascii(40))
    stage_since_on: Mapped[date] = mapped_column()
    hold_reason: Mapped[str] = mapped_column(String(500), default="")
    # What put the case on hold by itself, and takes it off again; empty when a person did.
    frozen_by: Mapped[str] = mapped_column(Ascii(20), default="", server_default="")
    rail: Mapped[str] = mapped_column(Ascii(20))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agencies.id"))
    trust_account_id: Mapped[int] = mapped_column(BigInteger, index=True)
    ledger_account_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    anonymous: Mapped[bool] = mapped_column(Boolean)
    funding_required_cents: Mapped[int] = mapped_column(CentsType)
    minimum_balance_cents: Mapped[int] = mapped_column(CentsType, default=0)
    all_parents_approve: Mapped[bool] = mapped_column(Boolean, default=False)
    carrier_sees_balance: Mapped[str] = mapped_column(Ascii(20), default="sufficient")
    opened_on: Mapped[date] = mapped_column()
    closed_on: Mapped[date | None] = mapped_column()
    version: Mapped[int] = mapped_column(Integer, nullable=False)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class CaseFundingRule(Base):
    """One rule of a case's funding: a minimum from a stage on, an amount due at a milestone.

    The rules are what the contracts say today; what they said before stands in the audit log.
    """

    __tablename__ = "case_funding_rules"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
        UniqueConstraint("case_id", "rule", "key"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    rule: Mapped[str] = mapped_column(Ascii(20))
    key: Mapped[str] = mapped_column(Ascii(40))
    amount_cents: Mapped[int] = mapped_column(CentsType)
    ended_on: Mapped[date | None] = mapped_column()


class CaseParty(Base):
    """A person or firm with a role on a case; the alias is what the other side sees."""

    __tablename__ = "case_parties"
    __table_args__ = (
        one_of("side", Side),
        UniqueConstraint("case_id", "user_id", "role"),
        Index(None, "user_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    role: Mapped[str] = mapped_column(Ascii(40))
    side: Mapped[str] = mapped_column(Ascii(20))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    alias: Mapped[str] = mapped_column(String(60), default="")
    region: Mapped[str] = mapped_column(Ascii(10), default="")
    country: Mapped[str] = mapped_column(Ascii(2), default="US")
    must_sign: Mapped[bool] = mapped_column(Boolean)
    must_certify: Mapped[bool] = mapped_column(Boolean)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseTeamMember(Base):
    """A user whom the case is assigned to: company staff or the agency's case manager."""

    __tablename__ = "case_team_members"
    __table_args__ = (UniqueConstraint("case_id", "user_id"), Index(None, "user_id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    user_id: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str] = mapped_column(String(60))


class StageChange(Base):
    """One move of a case from stage to stage, with its cause."""

    __tablename__ = "case_stage_changes"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    from_stage: Mapped[str | None] = mapped_column(Ascii(40))
    to_stage: Mapped[str] = mapped_column(Ascii(40))
    cause: Mapped[str] = mapped_column(String(200))
    actor_name: Mapped[str] = mapped_column(String(200))
    changed_on: Mapped[date] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseMilestone(Base):
    """A dated event of a case with the document that proves it."""

    __tablename__ = "case_milestones"
    __table_args__ = (one_of("code", Milestone), UniqueConstraint("case_id", "code", "occurrence"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    code: Mapped[str] = mapped_column(Ascii(40))
    occurrence: Mapped[int] = mapped_column(Integer, default=1)
    occurred_on: Mapped[date] = mapped_column()
    embryo_age_days: Mapped[int | None] = mapped_column(Integer)
    document_id: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500), default="")
    recorded_by: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Agreement(Base):
    """One version of a contract that the escrow acts on."""

    __tablename__ = "agreements"
    __table_args__ = (
        one_of("kind", AgreementKind),
        one_of("state", AgreementState),
        UniqueConstraint("case_id", "kind", "version_number"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Ascii(15), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(Ascii(20))
    version_number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(Ascii(20))
    executed_on: Mapped[date | None] = mapped_column()
    document_id: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AgreementSignature(Base):
    """One party's signature under one agreement."""

    __tablename__ = "agreement_signatures"
    __table_args__ = (UniqueConstraint("agreement_id", "party_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreements.id"))
    party_id: Mapped[int] = mapped_column(ForeignKey("case_parties.id"))
    signed_on: Mapped[date] = mapped_column()
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(String(200))
